"""Recognition is light."""

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

import tripletlab
from tests.webcam.bundles import write_pixel_bundle
from tests.webcam.people import ANN, BEN, picture
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.recognition.embedder import Embedder
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.photo_batch import recognise
from tripletlab.recognition.photos import enrol


def test_neither_tensorflow_nor_what_trains_is_imported():
    code = "import sys, tripletlab.recognition.photo_batch, tripletlab.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"onnxruntime", "cv2"} <= loaded
    assert not loaded & {"tensorflow", "keras", "mlflow", "optuna", "hydra", "h5py", "sklearn"}


def test_nothing_is_reported_to_the_makers_of_onnx_runtime(bundle, photos, tmp_path):
    """It would keep what it is about to send, and a number of the device, in the home folder."""
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    words = ["verify", *map(str, photos), "--bundle", str(bundle.folder)]
    command = [sys.executable, "-m", "tripletlab", *words]
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(command, env=env | {"HOME": str(home)}, capture_output=True, check=True)
    assert not list(home.iterdir())


def test_a_photo_is_verified_as_itself_and_not_as_another(bundle, photos, capsys):
    one, other = photos
    assert tripletlab.verify(one, one, bundle=bundle.folder) == (0.0, True)
    found = tripletlab.verify(str(one), str(other), bundle=tripletlab.load(bundle.folder))
    embeddings = [bundle.embedder(cv2.imread(str(p), 0)[None])[0] for p in photos]
    assert found.distance == pytest.approx(((embeddings[0] - embeddings[1]) ** 2).sum(), abs=1e-5)
    assert found.same == (found.distance <= bundle.card.threshold)
    for threshold, word in ((0.0, "different"), (4.0, "same")):
        words = ["verify", str(one), str(other), "--bundle", str(bundle.folder)]
        assert main([*words, "--threshold", str(threshold)]) == 0
        said = capsys.readouterr().out.split("\t")
        assert said[0] == word
        assert said[1] == f"distance {found.distance:.3f}"
        rate = "FAR 100.00%" if threshold else "FAR less than 2.26%"  # 3 of 133 pairs
        assert said[3] == f"{rate} (more in use)\n"
        assert main([*words, "--threshold", str(threshold), "--json"]) == 0
        plain = json.loads(capsys.readouterr().out)
        assert plain == {
            "distance": pytest.approx(found.distance),
            "same": word == "same",
            "threshold": threshold,
            "far": bundle.card.calibration.far_at(threshold),
            "far_less_than": None if threshold else pytest.approx(3 / 133),
            "calibrated_on": "validation",  # people who chose the network
        }


def test_what_cannot_be_verified_is_one_line(bundle, photos, tmp_path):
    (tmp_path / "cut.jpg").write_bytes(photos[0].read_bytes()[:500])
    for name, says in {"none.jpg": "no such file", "cut.jpg": "not a photo, damaged"}.items():
        with pytest.raises(InputError, match=says):
            tripletlab.verify(photos[0], tmp_path / name, bundle=bundle)
    with pytest.raises(InputError, match="no bundle"):
        tripletlab.verify(*photos, bundle=tmp_path)


@pytest.mark.parametrize("threshold", [float("nan"), -0.1, 4.1])
def test_a_threshold_that_is_no_distance_is_refused(threshold, bundle, photos, tmp_path):
    with pytest.raises(InputError, match="lies between 0 and 4"):
        tripletlab.verify(*photos, bundle=bundle, threshold=threshold)
    with pytest.raises(InputError, match="lies between 0 and 4"):
        recognise(photos, bundle=bundle.folder, gallery=tmp_path / "g", threshold=threshold)
    assert not (tmp_path / "g").exists()
    words = ["verify", *map(str, photos), "--bundle", str(bundle.folder)]
    assert main([*words, "--threshold", str(threshold)]) == 2


@pytest.mark.parametrize("shape", [(64, 64, 3), (64, 64)])
def test_the_gallery_keeps_a_picture_in_colour_where_the_photo_is(shape, bundle, tmp_path):
    photo = np.full(shape, 90, np.uint8)
    photo[20:40, 20:40] = (200, 60, 20) if photo.ndim == 3 else 200
    cv2.imwrite(str(tmp_path / "a.png"), photo)
    words = ["enrol", "Ann", str(tmp_path / "a.png"), "--bundle", str(bundle.folder)]
    assert main([*words, "--gallery", str(tmp_path / "gallery")]) == 0
    kept = Gallery(tmp_path / "gallery", fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
    (png,) = kept.pictures("Ann")
    kept.close()
    blue, _, red = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[50, 50]
    assert (int(blue) - int(red) > 100) == (photo.ndim == 3)


def test_the_photos_of_a_person_are_counted_in_english(bundle, photos, tmp_path, capsys):
    words = ["--bundle", str(bundle.folder), "--gallery", str(tmp_path / "gallery")]
    for photo, count in zip(photos, ("1 photo in", "2 photos in"), strict=True):
        assert main(["enrol", "Ann", str(photo), *words]) == 0
        assert f"Ann: {count} " in capsys.readouterr().err


def test_a_photo_that_is_given_again_is_enrolled_once(bundle, photos, tmp_path, capsys):
    first, second = map(str, photos)
    words = ["--bundle", str(bundle.folder), "--gallery", str(tmp_path / "gallery")]
    for given, count in (([first, first], "1 photo"), ([second, first], "2 photos")):
        assert main(["enrol", "Ann", *given, *words]) == 0
        said = capsys.readouterr().err
        assert f"Ann: {count} in {tmp_path / 'gallery'} (repeated ones left out: 1)" in said
    assert main(["enrol", "Ben", first, *words]) == 0  # Ann's photos are none of his
    assert "Ben: 1 photo in" in capsys.readouterr().err


def test_a_photo_of_two_people_enrols_nobody(tmp_path, capsys):
    bundle = write_pixel_bundle(tmp_path)
    for name, people in {"ann.png": [ANN], "both.png": [ANN, BEN]}.items():
        cv2.imwrite(str(tmp_path / name), np.hstack([picture(seed, 0) for seed in people]))
    paths = [str(tmp_path / "ann.png"), str(tmp_path / "both.png")]
    words = ["--bundle", str(bundle.folder), "--gallery", str(tmp_path / "g")]
    assert main(["enrol", "Ann", *paths, *words]) == 2
    assert "both.png: 2 faces found; give a photo of one person alone" in capsys.readouterr().err
    assert not (tmp_path / "g").exists()
    assert tripletlab.verify(*paths, bundle=bundle).distance >= 0


def test_a_faces_bytes_are_those_of_the_training(bundle, tmp_path, monkeypatch):
    """A file in colours is made grey by its decoder, which rounds otherwise than OpenCV does."""
    given, network = [], bundle.embedder
    monkeypatch.setattr(Embedder, "__call__", lambda self, faces: given.append(faces) or units)
    units = np.eye(network.dim, dtype=np.float32)[:1]
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    for name in ("a.jpg", "a.png"):
        cv2.imwrite(str(tmp_path / name), cv2.resize(colours, (80, 80)))
        trained = bundle.recipe.face(tmp_path / name, cropped=False).image
        given.clear()
        tripletlab.verify(tmp_path / name, tmp_path / name, bundle=bundle)
        enrol("Ann", [tmp_path / name], bundle=bundle.folder, gallery=tmp_path / "g")
        recognise([tmp_path / name], bundle=bundle.folder, gallery=tmp_path / "g", threshold=None)
        faces = [one[0] for one in given if len(one) == 1]
        assert len(faces) == 4
        assert all((face == trained).all() for face in faces)
