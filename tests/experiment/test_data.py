"""What is said about prepared data, and mistakes that are seen before any photo is prepared."""

import contextlib
from dataclasses import replace

import pytest

from tests.stores import make_pairs, make_store
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment import data
from tripletlab.experiment.data import Data, _report, _summary, _warn_of_shared_pictures
from tripletlab.faces.store_paths import Preparation
from tripletlab.photos.pairs import Pairs
from tripletlab.photos.tree import Tree
from tripletlab.system import parallel


def test_people_who_are_only_on_the_map_are_not_counted_among_those_of_the_pairs():
    store = make_pairs(people=5, photos=2)
    pairs = store.pairs
    kept = (pairs.first < 8) & (pairs.second < 8)  # without the last person
    fewer = Pairs(*(one[kept] for one in (pairs.first, pairs.second, pairs.matched, pairs.fold)))
    said = _summary(Data(make_store(entries=6, photos=2), replace(store, pairs=fewer)))
    assert said.endswith("blobs: 7 pairs of 4 people")


def test_a_folder_called_photos_is_named_once():
    faces = replace(make_store(entries=6, photos=2), title="photos: photos")
    said = _summary(Data(faces, make_pairs(people=5, photos=2)))
    assert said.startswith("photos: 12 faces, ")


def test_the_example_of_a_rejected_photo_is_printed_in_full(tmp_path, capsys):
    name = "tree/Somebody/" + 100 * "a" + "z.jpg"
    rejected = {"not a photo, damaged, or too large": {"photos": 1, "such_as": [name]}}
    notes = {"photos": 11, "rejected": rejected}
    pairs = replace(make_pairs(people=4, photos=2), notes=notes)
    (tmp_path / "tree" / "Somebody").mkdir(parents=True)
    trees = (Tree("tree", (tmp_path / "tree",), cropped=False),)
    _report(pairs, Preparation(tmp_path / "pairs.h5", reused=False), trees)
    cells = [
        line.split("│")[4].strip() for line in capsys.readouterr().err.splitlines() if "│" in line
    ]
    assert "".join(cells) == name


def test_people_who_are_left_out_are_named(tmp_path, capsys):
    rejected = {"person with too few faces": {"photos": 1, "such_as": ["tree/Ann/1.jpg"]}}
    people = {"found": 7, "too_few_faces": 4, "such_as": ["Ann", "Ben", "Cem", "Dan"]}
    hygiene = {"rule": "refuse", "shared": [], "left_out": {}, "without_names": [0, 0]}
    notes = {"photos": 13, "rejected": rejected, "people": people, "hygiene": hygiene}
    store = make_store(entries=6, photos=2)
    store = replace(store, notes=notes, settings={"min_photos": 2})
    trees = (Tree("tree", (_grown(tmp_path / "tree"),), cropped=False),)
    _report(store, Preparation(tmp_path / "faces.h5", reused=False), trees)
    said = "4 of 7 people have too few usable faces (faces.min_photos=2) and are left out, such as"
    assert f"{said} Ann, Ben, Cem\n" in capsys.readouterr().err


def _grown(tree):
    (tree / "Ann").mkdir(parents=True)
    return tree


def test_pictures_that_people_or_sets_share_are_named(capsys):
    faces, pairs = make_store(entries=6, photos=2), make_pairs(people=5, photos=2)
    images = faces.images.copy()
    images[7], images[8] = images[0], pairs.images[4]
    _warn_of_shared_pictures(Data(replace(faces, images=images), pairs))
    said = capsys.readouterr().err
    assert "are the same picture: 1, such as 0 and 7: give" in said
    assert "under another name: 1, such as blobs/person/0000.jpg and 8: leave" in said


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Prepares under overrides, which has to fail before the training photos; the error's text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "prepare_faces", lambda *_, **__: pytest.fail("prepared"))
    (tmp_path / "set" / "Ann").mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / "set" / "Ann" / f"Ann_000{number}.jpg").touch()

    def prepare(*overrides):
        with pytest.raises(InputError) as caught:
            data.prepare(config.compose("prepare", overrides), fresh=False)
        assert not (tmp_path / "data").exists()
        return str(caught.value)

    return prepare


@pytest.mark.parametrize(
    ("pairs", "more", "message"),
    [
        ("2\t1\n", ["verification.pairs=[]"], "no pairs"),
        ("two\n", [], "pairs.txt, line 1"),
        ("2\t1\n" + 2 * "Ann\t1\t2\nAnn\t1\tBob\t1\n", [], "photo 1 of Bob, which is not in"),
    ],
)
def test_bad_pairs_are_refused_before_photos_are_drawn(refused, tmp_path, pairs, more, message):
    (tmp_path / "set" / "pairs.txt").write_text(pairs)
    assert message in refused("verification=pairs", "verification.path=set", *more)


def test_test_pairs_alone_are_prepared_where_the_config_says_too(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def cluster(*, address):
        try:
            yield
        except InputError as error:
            raise InputError(f"{error} on {address}") from error

    def prepare_pairs(*_, **__):
        raise InputError("prepared")

    monkeypatch.setattr(parallel, "cluster", cluster)
    monkeypatch.setattr(data, "prepare_pairs", prepare_pairs)
    monkeypatch.setattr("tripletlab.photos.synthetic.synthetic_pairs", lambda **_: None)
    there = ["preparation=ray", "preparation.address=head:6379"]
    with pytest.raises(InputError, match="prepared on head:6379"):
        data.prepare_test_pairs(config.compose("evaluate", there))


def test_the_aligner_of_yunet_without_its_detector_is_refused(refused):
    assert "needs faces/detector=yunet" in refused("faces/aligner=yunet")


def test_a_file_that_is_no_network_is_named(refused, tmp_path):
    model = tmp_path / "notes.onnx"
    model.write_text("no network")
    said = refused("faces=yunet", f"faces.detector.model={model}")
    assert f"faces.detector.model={model}: OpenCV cannot read it" in said


@pytest.mark.parametrize(
    ("root", "more", "message"),
    [
        ("prepare", [], "data=data: lies in "),
        ("prepare", ["data=Ann"], "data=Ann: lies in "),
        ("train", ["data=../elsewhere"], "tracking.folder=mlruns: lies in "),
    ],
)
def test_nothing_is_kept_among_the_peoples_folders(tmp_path, monkeypatch, root, more, message):
    for name in ("Ann", "Bob"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "photos")
    monkeypatch.setattr(data, "prepare_faces", lambda *_, **__: pytest.fail("prepared"))
    photos = ["photos=folder", "photos.detected=[.]", "verification=heldout"]
    with pytest.raises(InputError, match=message):
        data.prepare(config.compose(root, [*photos, *more]), fresh=False)
