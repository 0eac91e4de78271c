"""Overrides in Hydra's grammar and beyond it; one resolution; what a run recorded, changed."""

import contextlib
import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab import config
from tripletlab.config import files
from tripletlab.config.instantiate import read_component
from tripletlab.errors import InputError

FOLDERS = [
    "фото",
    "顔",
    "my photos",
    "it's",
    'a "quoted" one',
    "a#b",
    "(1)",
    "a=b",
    "a$b",
    "${data}",
    "back\\slash",
    "ends\\",
    "~tilde",
    "100%",
    "a&b",
    "null",
    "2023",
    "[x",
]


@pytest.mark.parametrize("name", FOLDERS)
def test_any_folder_can_be_named(name):
    """As the command line quotes it for the person, in a list and alone."""
    words = [config.override("photos.detected", [f"/p/{name}"]), "photos=folder"]
    assert config.compose("prepare", words).photos["detected"] == [f"/p/{name}"]
    words = [config.override("data", f"/p/{name}")]
    assert str(config.compose("prepare", words).data) == f"/p/{name}"


@pytest.mark.parametrize("name", [n for n in FOLDERS if "{" not in n and not n.startswith("[")])
def test_most_folders_can_be_written_as_they_are(name):
    assert str(config.compose("prepare", [f"data=/p/{name}"]).data) == f"/p/{name}"
    composed = config.compose("prepare", ["photos=folder", f"photos.cropped=[/q,/p/{name}]"])
    assert composed.photos["cropped"] == ["/q", f"/p/{name}"]


def test_home_is_expanded_wherever_a_path_stands(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    words = [
        "photos=folder",
        "photos.detected=[~/a,~/b c]",
        "data=~/faces",
        "hygiene.exclude=[~/x]",
    ]
    composed = config.compose("train", words)
    assert composed.photos["detected"] == ["/home/ann/a", "/home/ann/b c"]
    assert str(composed.data) == "/home/ann/faces"
    assert composed.hygiene["exclude"] == ["/home/ann/x"]


def test_a_store_is_in_the_home_folder_as_a_whole(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    composed = config.compose("sweep", ["tracking.folder=~/runs"])
    assert composed.tracking["folder"] == "/home/ann/runs"
    assert composed.tracking["uri"] == "sqlite:////home/ann/runs/mlflow.db"
    assert composed.studies == "sqlite:////home/ann/runs/optuna.db"


def test_the_address_of_a_database_can_have_options():
    uri = "sqlite:///runs/x.db?timeout=30"
    assert config.compose("train", [f"tracking.uri={uri}"]).tracking["uri"] == uri


@pytest.mark.parametrize("words", [["margin=0.2", "margin=0.3"], ["miner=hard", "miner=violating"]])
def test_of_a_key_that_is_given_twice_the_last_counts_and_a_line_says_so(words, capsys):
    config.compose("train", words)
    key = words[0].partition("=")[0]
    said = " ".join(capsys.readouterr().err.split())
    assert said == f"warning: {key} is given more than once; the last counts, {words[1]}"


def test_interpolations_are_resolved_in_every_key(monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch")
    monkeypatch.setenv("SEED", "7")
    monkeypatch.setenv("FLIP", "true")
    monkeypatch.setenv("MARGIN", "0.3")
    words = ["data=${oc.env:SCRATCH}/faces", "seed=${oc.decode:${oc.env:SEED}}"]
    words += ["fit.epochs=${seed}", "margin=${oc.decode:${oc.env:MARGIN}}"]
    words += ["flip=${oc.decode:${oc.env:FLIP}}"]
    composed = config.compose("train", words)
    assert str(composed.data) == "/scratch/faces"
    assert composed.photos["folder"] == "/scratch/faces/photos"
    assert (composed.seed, composed.fit["epochs"], composed.flip) == (7, 7, True)
    assert composed.margin_schedule["margin"] == composed.margin == 0.3
    assert "${" not in yaml.safe_dump(composed.tree)


BAD = [
    ("data=${oc.env:NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE"),
    ("data=${nowhere}", "nowhere"),
    ("margin=wide", "margin=wide"),
    ("margin=nan", "margin=nan: it should be a finite number"),
    ("margin=-inf", "finite"),
    ("seed=-1", "seed=-1: it should be greater than or equal to 0"),
    ("seed=4294967296", "seed=4294967296"),
    ("seed=1.5", "seed=1.5"),
    ("optimizer.learning_rate=nan", "optimizer.learning_rate=nan"),
    ("photos.seed=-1", "photos.seed=-1"),
    ("verification.seed=-1", "verification.seed=-1"),
    ("faces.seed=-1", "faces.seed=-1"),
    ("miner=hard,semihard", r"axes.miner=\[hard,semihard\]"),
    ("miner=hardest", "miner is one of batch_all"),
    ("+metrics.f1=true", r"\+metrics.f1=true: no such key"),
    ("+x=1", "no such key"),
    ("~miner", "not an override"),
    ("++margin=1", r"\+\+margin"),
    ("=3", "not an override"),
    ("margin", "not an override"),
    ("miner._target_=os.system", "miner._target_: a callable is named in a file"),
    ("miner._partial_=false", "miner._partial_: a callable is named in a file"),
    ("hydra.run.dir=x", "hydra.run.dir: Hydra's own settings have no effect"),
    ("hydra/launcher=basic", "Hydra's own settings have no effect"),
    ("experiment=real", r"with a plus: \+experiment=real"),
    ("+data=x", "without the plus: data=x"),
    ("+miner=hard", "without the plus: miner=hard"),
    ("fit=3", "fit has keys of its own"),
    ("faces.aligner={}", "changes nothing"),
    ("seed=true", "seed=True: it should be a valid integer"),
    ("margin=true", "margin=True"),
    ("fit.epochs=true", "fit.epochs=True"),
    ("optimizer.ema_momentum=0.5", "no effect without optimizer.use_ema=true"),
    ("data=", "data=: it should not be empty"),
    ("tracking.folder=", "tracking.folder=: it should not be empty"),
    ("tracking.folder=' '", "tracking.folder= : it should not be empty"),
    ("tracking.experiment=", "tracking.experiment=: it should not be empty"),
    ("tracking.uri=sqlite:///", "tracking.uri=sqlite:///: it should not be empty"),
    ("tracking.folder=a?b", r"the path of an SQLite file cannot have \? in it"),
    ("tracking.folder=a#b", "cannot have # in it"),
    ("tracking.folder=100%", "cannot have % in it"),
    ("margin=" + "9" * 5000, "margin="),
    ("margin=" + "x" * 20000, "too long"),
    ("margin=" + "[" * 400 + "]" * 400, "margin="),
]


@pytest.mark.parametrize(("override", "says"), BAD, ids=lambda text: text[:30])
def test_what_cannot_be_is_one_sentence(override, says):
    with pytest.raises(InputError, match=says) as refused:
        config.compose("train", [override])
    assert "\n" not in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=30), st.sampled_from(["", "data=", "photos.people=", "faces/aligner=", "+"])
)
def test_no_text_is_a_traceback(text, before):
    """An InputError, or a config; anything else ends the test."""
    with contextlib.suppress(InputError):
        assert config.composition("prepare", [before + text]).raw


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_as_it_was_quoted(text):
    words = [config.override("data", f"/{text}")]
    assert config.composition("prepare", words).tree()["data"] == f"/{text}"


@pytest.fixture(scope="module")
def recorded():
    """The tree and the choices that a run would have recorded."""
    words = ["faces=aligned", "faces.border=0.2", "flip=true", "verification.people=50", "seed=5"]
    run = config.compose("train", words)
    return run.tree, run.choices


def evaluated(recorded, *overrides):
    return config.recorded(*recorded, list(overrides))


def test_a_run_is_evaluated_as_it_was_made(recorded):
    own = evaluated(recorded)
    assert own.faces.settings == recorded[0]["faces"]
    assert own.flip is True
    assert own.verification["people"] == 50


def test_several_leaves_of_one_node_are_all_changed(recorded):
    own = evaluated(
        recorded, "faces.detector.scale_factor=1.3", "faces.detector.min_neighbors=7", "flip=false"
    )
    assert own.faces["detector"]["scale_factor"] == 1.3
    assert own.faces["detector"]["min_neighbors"] == 7
    assert own.faces["border"] == 0.2
    assert own.flip is False


def test_a_choice_inside_a_node_is_changed(recorded):
    own = evaluated(recorded, "faces/aligner=eyes")
    assert own.faces.settings["aligner"] != recorded[0]["faces"]["aligner"]
    assert (
        own.faces.settings["aligner"]
        == config.compose("prepare", ["faces/aligner=eyes"]).faces.settings["aligner"]
    )
    assert own.faces["border"] == 0.2


def test_another_verification_takes_the_place_of_the_runs(recorded):
    own = evaluated(recorded, "verification=pairs", "verification.path=/set")
    assert own.verification["path"] == "/set"
    assert own.choices["verification"] == "pairs"


def test_a_bundles_preparation_is_changed_where_it_is_named(recorded):
    own = config.recorded({"faces": recorded[0]["faces"]}, {}, ["faces.border=0.1"])
    assert own.faces.settings == {**recorded[0]["faces"], "border": 0.1}


def test_a_recorded_config_calls_nothing_but_what_conf_names(recorded, tmp_path):
    tree, choices = recorded
    marker = tmp_path / "ran"
    bomb = {"_target_": "os.system", "command": f"touch {marker}"}
    for noun, evil in (
        ("verification", bomb),
        ("faces", {**tree["faces"], "aligner": bomb}),
        ("faces", {**tree["faces"], "_target_": ["os.system"]}),
        ("hygiene", {**tree["hygiene"], "exclude": [bomb]}),
        ("photos", bomb),
    ):
        with pytest.raises(InputError, match=r"no file of conf/ names this callable|exclude"):
            config.recorded({**tree, noun: evil}, choices, [])
    assert not marker.exists()


def test_nodes_without_end_are_refused(recorded):
    deep: dict = {"_target_": "tripletlab.faces.recipe.FaceRecipe"}
    for _ in range(500):
        deep = {"_target_": "tripletlab.faces.recipe.FaceRecipe", "detector": deep}
    with pytest.raises(InputError, match="inside one another"):
        read_component(deep, "faces")
    with pytest.raises(InputError, match=r"no such argument|inside one another"):
        config.recorded({**recorded[0], "faces": deep}, recorded[1], [])


def test_the_environment_is_not_read_by_what_a_run_recorded(recorded, monkeypatch):
    """Text from a file stays text: an interpolation in it could carry a secret away."""
    monkeypatch.setitem(os.environ, "TOKEN", "secret")
    tree = {**recorded[0], "data": "${oc.env:TOKEN}"}
    assert "secret" not in str(config.recorded(tree, recorded[1], []).data)


def test_overrides_that_a_command_does_not_read_are_refused():
    with pytest.raises(InputError, match=r"margin=0.4: it has no effect on tripletlab export"):
        config.allow_only(["data=x", "margin=0.4"], ["data", "tracking"], command="export")
    config.allow_only(["data=x", "tracking.folder=y"], ["data", "tracking"], command="export")


def test_what_is_logged_of_a_run_is_what_a_person_chooses():
    overrides = ["faces/detector=whole", "miner=hard", "optimizer.learning_rate=0.01", "seed=7"]
    params = config.compose("train", overrides).params()
    expected = {"faces": "paper", "faces/detector": "whole", "faces/aligner": "none"}
    expected |= {"miner": "hard", "optimizer.learning_rate": 0.01, "seed": 7, "faces.size": 64}
    assert params.items() >= expected.items()
    assert not [key for key in params if "_target_" in key or "_partial_" in key]


def test_a_callable_named_inside_braces_is_one_of_confs(tmp_path, monkeypatch):
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "mine.yaml").write_text(
        "far: {_target_: my_lab.far} # _target_: not.it"
    )
    known = files.targets()
    monkeypatch.setattr(files, "_own", [tmp_path])
    assert files.targets.__wrapped__() - known == {"my_lab.far"}
