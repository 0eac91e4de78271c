"""evaluate, identify and compare as commands, on one small run that was really trained."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mlflow import MlflowClient

from tests.experiment.bad_targets import BAD, write_bad
from tests.imports import imported_by
from tripletlab.cli import main
from tripletlab.evaluation.numbers import signed
from tripletlab.faces.store import PairStore
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.photos import opened_gallery

pytestmark = pytest.mark.timeout(600)

SMALL = [
    "photos=folder",
    "photos.cropped=[people]",
    "verification=heldout",
    "verification.folds=2",
    "verification.fraction=0.5",
    "verification.per_fold=20",
    "faces.min_photos=6",
    "faces.validation_fraction=0.2",
    "faces.validation_pairs=10",
    "architecture=simple_cnn",
    "architecture.width=0.25",
    "batches.people=4",
    "batches.photos=4",
    "batches.steps=3",
    "fit.epochs=1",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which `tripletlab train` has run, and the run's id."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    for person in range(28):
        (folder / "people" / f"Person_{person}").mkdir(parents=True)
        own = cv2.resize(rng.integers(0, 255, (4, 4), np.uint8), (64, 64))
        for number in range(6):
            photo = np.clip(own + rng.normal(0, 40, own.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(f"{folder}/people/Person_{person}/Person_{person}_{number:04}.png", photo)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert do("train", *SMALL) == 0
    client = client_of(folder)
    experiment = client.get_experiment_by_name("tripletlab").experiment_id
    return folder, client.search_runs([experiment])[0].info.run_id


@pytest.fixture(scope="module")
def bundle(trained):
    """The folder of the run's bundle."""
    folder, run = trained
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert do("export", run, "bundle", "--far", "0.2") == 0
    return str(folder / "bundle")


@pytest.fixture
def run(trained, monkeypatch):
    """The run's id; the test works beside its mlruns and data."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def do(*words):
    """A command in the working folder; MLflow remembers a relative database wherever it was."""
    return main([*words, f"tracking.folder={Path.cwd()}/mlruns"])


def client_of(folder):
    return MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")


def card(folder):
    return json.loads((folder / "card.json").read_text())


def test_a_run_evaluated_again_has_the_same_card_and_environment(run, trained, tmp_path, capsys):
    assert do("evaluate", run, "--to", str(tmp_path / "again")) == 0
    client = client_of(trained[0])
    first = card(tmp_path / "again")
    logged = client.download_artifacts(run, "card.json", str(tmp_path))
    before = json.loads(Path(logged).read_text())
    assert first["scores"] == before["scores"]
    assert first["about"]["training_names_in_the_test"] == []
    assert first["about"]["training_identities"] == before["about"]["training_identities"] == 5
    assert first["about"]["model_fingerprint"] == before["about"]["model_fingerprint"]
    label = "evaluations/held-out-identities"
    assert f"{label}/card.html" in {one.path for one in client.list_artifacts(run, label)}
    metrics = client.get_run(run).data.metrics
    assert metrics["held-out-identities/accuracy"] == pytest.approx(metrics["test/accuracy"])
    said = capsys.readouterr()
    assert f"{metrics['test/accuracy']:.4f}" in said.out
    assert "its embeddings are evaluated" in " ".join(said.err.split())
    made = Path(client.download_artifacts(run, "environment.json"))
    for path in (made, tmp_path / "again" / "environment.json"):
        environment = json.loads(path.read_text())
        assert environment["backend"] == "tensorflow"
        assert environment["onednn"] in (True, False)
        assert environment["packages"]["opencv-python-headless"].startswith(cv2.__version__)


def test_flip_and_other_pairs_by_name_and_compared(run, tmp_path, capsys):
    other = [word for word in SMALL if word.startswith("verification")]
    for name, flip in (("plain", "false"), ("flip", "true")):
        words = ["evaluate", run, f"flip={flip}", *other]
        assert do(*words, "--to", str(tmp_path / name), "verification.seed=5") == 0
    plain, flipped = card(tmp_path / "plain"), card(tmp_path / "flip")
    assert flipped["about"]["test_time_flip"] is True
    assert plain["about"]["pairs_fingerprint"] == flipped["about"]["pairs_fingerprint"]
    folders = [str(tmp_path / name) for name in ("plain", "flip")]
    capsys.readouterr()
    assert do("compare", *folders, "--to", str(tmp_path / "compared")) == 0
    shown = capsys.readouterr().out
    told = json.loads((tmp_path / "compared" / "comparison.json").read_text())[0]
    assert told["models"] == ["plain", "flip"]
    lead = plain["scores"]["accuracy"]["mean"] - flipped["scores"]["accuracy"]["mean"]
    assert told["accuracy"]["value"] == pytest.approx(lead)
    assert signed(lead) in shown
    page = (tmp_path / "compared" / "comparison.html").read_text()
    assert page.count("<img ") == 2
    assert do("compare", run, folders[0]) == 2
    assert "different pairs" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate", "identify", "compare"])
def test_a_file_in_the_place_of_the_folder_is_refused(run, tmp_path, capsys, command):
    (tmp_path / "file").touch()
    targets = [run, run] if command == "compare" else [run]
    assert do(command, *targets, "--to", str(tmp_path / "file")) == 2
    assert f"--to {tmp_path / 'file'}: cannot be written" in capsys.readouterr().err


def test_the_faces_of_a_run_are_those_of_its_own_set(run, trained, tmp_path, capsys):
    given = [word for word in SMALL if word.startswith(("photos", "verification", "faces"))]
    assert do("evaluate", "--faces", *given) == 0
    listed = capsys.readouterr().out
    assert do("evaluate", run, "--faces") == 0
    assert capsys.readouterr().out == listed
    assert do("evaluate", run, "--faces", "--to", str(tmp_path)) == 2
    assert "leave out --to" in capsys.readouterr().err


def test_embeddings_from_elsewhere_by_face_and_by_pair(run, trained, tmp_path, capsys):
    given = [word for word in SMALL if word.startswith(("photos", "verification", "faces"))]
    assert do("evaluate", "--faces", *given) == 0
    listed = capsys.readouterr().out.split()
    first = min(trained[0].glob("data/**/pairs.h5"), key=lambda path: path.stat().st_mtime_ns)
    store = PairStore.open(first)  # other tests draw other pairs of the same faces
    assert list(store.sources) == listed
    rng = np.random.default_rng(0)
    names = np.unique(store.names, return_inverse=True)[1]
    faces = rng.normal(size=(names.max() + 1, 6))[names] + 0.6 * rng.normal(size=(len(names), 6))
    np.save(tmp_path / "faces.npy", faces)
    sides = np.stack([store.pairs.first, store.pairs.second], axis=1).ravel()
    np.save(tmp_path / "pairs.npy", faces[sides])
    cards = []
    for kind in ("faces", "pairs"):
        place = tmp_path / kind
        assert do("evaluate", str(tmp_path / f"{kind}.npy"), *given, "--to", str(place)) == 0
        cards.append(card(place))
    assert cards[0]["scores"] == cards[1]["scores"]
    assert cards[0]["pooled"]["auc"] > 0.8
    assert "brought to unit length" in cards[0]["about"]["lengths"]


def test_identify_by_two_galleries_and_by_a_list(run, trained, tmp_path):
    assert do("identify", run, "--to", str(tmp_path / "dealt")) == 0
    dealt = json.loads((tmp_path / "dealt" / "identification.json").read_text())
    assert len(dealt["enrolled_people"]) == 2
    store = PairStore.open(next(trained[0].glob("data/**/pairs.h5")))
    chosen = [(store.names[row], int(store.sources[row][-8:-4])) for row in range(0, 30, 6)]
    (tmp_path / "gallery.txt").write_text("".join(f"{name}\t{n}\n" for name, n in chosen))
    words = ["identify", run, "--gallery", str(tmp_path / "gallery.txt")]
    assert do(*words, "--to", str(tmp_path / "listed")) == 0
    listed = json.loads((tmp_path / "listed" / "identification.json").read_text())
    assert listed["enrolled_faces"] == [5]
    assert listed["searches_for_enrolled"] == 25
    searches = listed["searches_for_enrolled"] + listed["searches_for_unknown"]
    assert searches == len(store.names) - 5


def test_a_bundle_is_evaluated_as_the_network_that_it_came_from(run, bundle, tmp_path):
    for what, place in ((bundle, "light"), (run, "whole")):
        words = [word for word in SMALL if word.startswith(("photos", "verification", "faces"))]
        assert do("evaluate", what, *words, "--to", str(tmp_path / place)) == 0
    light, whole = card(tmp_path / "light"), card(tmp_path / "whole")
    assert light["about"]["pairs_fingerprint"] == whole["about"]["pairs_fingerprint"]
    assert light["pooled"]["auc"] == pytest.approx(whole["pooled"]["auc"], abs=1e-3)
    assert "as a bundle" in light["about"]["model"]


def test_what_learns_nothing_imports_no_tensorflow(run, trained, bundle, tmp_path):
    given = [word for word in SMALL if word.startswith(("photos", "verification", "faces"))]
    rows = len(PairStore.open(next(trained[0].glob("data/**/pairs.h5"))).names)
    np.save(tmp_path / "own.npy", np.random.default_rng(0).normal(size=(rows, 6)))
    opened_gallery(tmp_path / "gallery", Bundle.open(Path(bundle))).close()
    own, light, whole = (str(tmp_path / name) for name in ("own.npy", "light", "whole"))
    photo = str(trained[0] / "people" / "Person_1" / "Person_1_0000.png")
    needs_none = [
        ["prepare", *given],
        ["data", "verify"],
        ["evaluate", "--faces", *given],
        ["evaluate", own, *given, "--to", whole],
        ["evaluate", bundle, *given, "--to", light],
        ["identify", own, *given, "--to", str(tmp_path / "identified")],
        ["compare", light, whole, "--to", str(tmp_path / "compared")],
        ["recognise", photo, "--bundle", bundle, "--gallery", str(tmp_path / "gallery")],
    ]
    assert imported_by(*needs_none, folder=trained[0]) == set()
    assert "tensorflow" in imported_by(["describe"], folder=trained[0])


@pytest.mark.parametrize(("words", "hint"), BAD, ids=[row[1] for row in BAD])
def test_bad_input_is_one_line_and_writes_nothing(words, hint, run, trained, tmp_path, capfd):
    write_bad(tmp_path)
    before = sorted(trained[0].glob("mlruns/evaluations/*"))
    own = "RUN" not in words
    words = [run if word == "RUN" else word.format(here=tmp_path) for word in words]
    more = SMALL[:9] if own and words[0] == "evaluate" else []
    assert do(*words, *more) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("tripletlab:")]
    assert len(said) == 1
    assert hint in said[0]
    assert sorted(trained[0].glob("mlruns/evaluations/*")) == before


def test_a_suspect_is_a_photo_in_somebody_elses_folder(run, trained, tmp_path, capsys):
    assert do("suspects", run, "--share", "1") == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.startswith("#")
    assert lines == []  # the run's own photos: every face is closest to its own person

    shutil.copytree(trained[0] / "people", tmp_path / "people")
    photo = tmp_path / "people" / "Person_3" / "Person_3_0002.png"
    shutil.copyfile(tmp_path / "people" / "Person_8" / "Person_8_0001.png", photo)
    assert do("suspects", run, "--share", "0.01", f"photos.cropped=[{tmp_path}/people]") == 0
    _, first, *_ = capsys.readouterr().out.splitlines()
    found = re.fullmatch(r"(\S+)  # (\S+) from the person's other photos, (\S+) from (\S+)", first)
    assert found
    assert (found[1], found[4]) == ("people/Person_3/Person_3_0002.png", "Person_8")
    assert float(found[2]) > float(found[3])
