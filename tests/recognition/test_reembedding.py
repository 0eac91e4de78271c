"""A gallery follows its bundle: another network embeds its pictures anew, all of them or none."""

import contextlib
import json
import sqlite3

import cv2
import numpy as np
import pytest
from onnx import helper

from tests.recognition.conftest import SIZE, UNIT, make_network
from tests.recognition.test_gallery import shots
from tests.webcam.people import ANN, BEN, picture
from tripletlab import config
from tripletlab.cli import main
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.gallery_file import FILE, origin
from tripletlab.recognition.photos import enrol, opened_gallery
from tripletlab.recognition.recogniser import faces_in

OLD = """
CREATE TABLE made_by (format INTEGER, fingerprint TEXT, dim INTEGER);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE photo (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
  embedding BLOB NOT NULL,
  picture BLOB NOT NULL,
  taken REAL NOT NULL
);
CREATE INDEX photo_of ON photo (person);
"""  # format 1


@pytest.fixture
def bundles(write, tmp_path):
    """Write a bundle with weights of this seed, and other settings of the preparation."""

    def made(seed, *overrides):
        weights = np.random.default_rng(seed).normal(size=(SIZE * SIZE, 8)).astype(np.float32)
        nodes = [
            helper.make_node("Flatten", ["face"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["raw"]),
            helper.make_node("LpNormalization", ["raw"], ["unit"], axis=1, p=2),
        ]
        content = make_network(nodes, outputs=(UNIT,), weights=weights)
        settings = config.compose("prepare", list(overrides)).faces.settings
        return write(tmp_path / f"bundle{seed}", settings, weights=f"{seed}", content=content)

    return made


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos of Ann and one of Ben, in grey and without loss: {name: paths}."""
    folder = tmp_path_factory.mktemp("photos")
    paths = {"Ann": [folder / "a1.png", folder / "a2.png"], "Ben": [folder / "b.png"]}
    for seed, some in zip((ANN, BEN), paths.values(), strict=True):
        for number, path in enumerate(some):
            cv2.imwrite(str(path), cv2.cvtColor(picture(seed, number), cv2.COLOR_BGR2GRAY))
    return paths


def embeddings(folder, maker):
    """Of every name the embeddings that are enrolled."""
    with contextlib.closing(Gallery(folder, fingerprint=maker.fingerprint, dim=8)) as gallery:
        enrolled = gallery.enrolled
        return {name: enrolled.only(name)._columns.T.copy() for name in enrolled.names}


def enrolled(folder, bundle, photos):
    for name, paths in photos.items():
        enrol(name, paths, bundle=bundle.folder, gallery=folder)
    return embeddings(folder, bundle)


@pytest.mark.parametrize("faces", ["faces=paper", "faces=aligned"])
def test_it_is_as_if_the_photos_had_been_enrolled_with_the_new_bundle(
    faces, bundles, photos, tmp_path, capsys
):
    """Bit for bit, for the pictures have the photos' own pixels."""
    first, second = bundles(1), bundles(2, faces)
    old = enrolled(tmp_path / "g", first, photos)
    wanted = enrolled(tmp_path / "other", second, photos)
    capsys.readouterr()
    words = ["recognise", str(photos["Ben"][0]), "--bundle", str(second.folder)]
    for said in ("3 photos of 2 people", ""):
        assert main([*words, "--gallery", str(tmp_path / "g")]) == 0
        out, err = capsys.readouterr()
        assert out.split("\t")[1:] == ["Ben", "0.000", "Ben\n"]
        assert said in (line := " ".join(err.split()))
        assert bool(said) == ("g: this gallery was made by another network and is" in line)
    new = embeddings(tmp_path / "g", second)
    for name, own in wanted.items():
        np.testing.assert_array_equal(new[name], own)
        assert np.abs(own - old[name]).max() > 0.01
    opened_gallery(tmp_path / "g", first).close()  # and back
    for name, own in embeddings(tmp_path / "g", first).items():
        np.testing.assert_array_equal(own, old[name])


def test_colours_change_the_embedding_by_the_rounding_of_grey_alone(bundles, tmp_path):
    """A JPEG file has a grey of its own; the picture in colour gives it within a level or two."""
    cv2.imwrite(str(tmp_path / "a.jpg"), picture(ANN, 0))
    first, second, paths = bundles(1), bundles(2), {"Ann": [tmp_path / "a.jpg"]}
    enrolled(tmp_path / "g", first, paths)
    wanted = enrolled(tmp_path / "other", second, paths)["Ann"]
    with contextlib.closing(opened_gallery(tmp_path / "g", second)) as gallery:
        (content,) = gallery.pictures("Ann")
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED).ndim == 3
    found = embeddings(tmp_path / "g", second)["Ann"]
    assert np.square(found - wanted).sum() < 1e-3


def test_another_detector_searches_the_pictures(bundles, photos, tmp_path):
    first, second = bundles(1), bundles(2, "faces.detector.scale_factor=1.05")
    enrolled(tmp_path / "g", first, photos)
    with contextlib.closing(opened_gallery(tmp_path / "g", second)) as gallery:
        pictures = [
            cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_GRAYSCALE)
            for one in gallery.pictures("Ann")
        ]
    wanted = [faces_in(one, second)[0] for one in pictures]
    found = embeddings(tmp_path / "g", second)["Ann"]
    np.testing.assert_array_equal(found, [face.embedding for face in wanted])


def blank(count, seed):
    """Photos that show nobody."""
    content = cv2.imencode(".png", np.full((90, 90), 128, np.uint8))[1].tobytes()
    return [shot._replace(picture=content) for shot in shots(seed, count)]


def test_photos_without_a_face_are_named_and_kept(bundles, photos, tmp_path, capsys):
    first, second = bundles(1), bundles(2, "faces.detector.scale_factor=1.05")
    folder = tmp_path / "g"
    enrolled(folder, first, photos)
    with contextlib.closing(opened_gallery(folder, first)) as gallery:
        gallery.add("Ann", blank(1, seed=3))
        gallery.add("Cy", blank(2, seed=4))
    with contextlib.closing(opened_gallery(folder, second)) as gallery:
        assert gallery.enrolled.names == ("Ann", "Ben")
        assert gallery.people() == {"Ann": 3, "Ben": 1, "Cy": 2}
        assert len(gallery.pictures("Cy")) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "6 photos of 3 people" in said
    assert "warning: Ann: no face is found in photo 3 of 3" in said
    assert "warning: Cy cannot be recognised: no face is found in 2 photos" in said
    assert "warning: Ben" not in said
    assert main(["gallery", "list", "--gallery", str(folder), "--json"]) == 0
    listed = map(json.loads, capsys.readouterr().out.splitlines())
    assert {one["name"]: one["unused"] for one in listed} == {"Ann": 1, "Ben": 0, "Cy": 2}


@pytest.mark.parametrize("problem", ["nobody", "wide"])
def test_a_gallery_that_the_bundle_cannot_use_stays_as_it_was(
    problem, bundles, photos, tmp_path, capsys
):
    first, folder = bundles(1), tmp_path / "g"
    with contextlib.closing(opened_gallery(folder, first)) as gallery:
        gallery.add("Cy", blank(2, seed=4))
    before = (folder / FILE).read_bytes()
    wide = ["faces.border=0.5"] if problem == "wide" else ["faces.detector.scale_factor=1.05"]
    words = ["recognise", str(photos["Ben"][0]), "--bundle", str(bundles(2, *wide).folder)]
    assert main([*words, "--gallery", str(folder)]) == 2
    out, err = capsys.readouterr()
    says = "border of 0.5" if problem == "wide" else "in none of its 2 photos"
    assert (out, says in " ".join(err.split())) == ("", True)
    assert "embedded anew" not in err
    assert (folder / FILE).read_bytes() == before


def test_a_gallery_of_the_first_format_is_used_and_follows(bundles, photos, tmp_path):
    first, second, folder = bundles(1), bundles(2), tmp_path / "g"
    folder.mkdir()
    picture = cv2.resize(cv2.imread(str(photos["Ben"][0]))[40:280, 40:280], (160, 160))
    with sqlite3.connect(folder / FILE) as base:
        base.executescript(OLD)
        base.execute("INSERT INTO made_by VALUES (1, ?, 8)", (first.fingerprint,))
        base.execute("INSERT INTO person VALUES (1, 'Ben')")
        row = (shots(1)[0].embedding.tobytes(), cv2.imencode(".jpg", picture)[1].tobytes())
        base.execute("INSERT INTO photo VALUES (1, 1, ?, ?, 0)", row)
    base.close()
    before = (folder / FILE).read_bytes()
    with contextlib.closing(opened_gallery(folder, first)) as gallery:
        assert gallery.people() == {"Ben": 1}
        assert (folder / FILE).read_bytes() == before
        gallery.add("Ann", shots(2, 1))
    enrol("Ann", photos["Ann"], bundle=first.folder, gallery=folder)
    with contextlib.closing(opened_gallery(folder, second)) as gallery:
        assert gallery.people() == {"Ann": 3, "Ben": 1}
        assert gallery.enrolled.names == ("Ann", "Ben")
    assert origin(folder).fingerprint == second.fingerprint
