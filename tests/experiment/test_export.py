"""A registered network becomes a bundle: equal to it, calibrated on its people, and served."""

import struct
import zlib

import cv2
import keras
import numpy as np
import pytest
from mlflow import pyfunc
from mlflow.exceptions import MlflowException

from tripletlab import config
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.experiment.data import prepare
from tripletlab.experiment.export import hold_equal, write_onnx
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.embedder import Embedder, read_network

DATA = ["photos=folder", "verification=heldout", "verification.folds=2"]
DATA += ["verification.fraction=0.4", "faces.validation_fraction=0.2"]
FACES = np.random.default_rng(0).integers(0, 256, (1000, 64, 64), np.uint8)


def network(choice, *more):
    """An architecture whose every weight, biases too, is off its initial value."""
    keras.utils.set_random_seed(1)
    plain = config.compose("train", [f"architecture={choice}", *more])
    embedder = plain.architecture.build(input_size=64)
    for weight in embedder.trainable_weights:
        noise = np.random.default_rng(2).normal(size=weight.shape)
        weight.assign(np.asarray(weight) * 1.1 + 0.01 * noise)
    return embedder


def draw_photos(folder):
    """Twelve synthetic people with eight photos each."""
    for number in range(12):
        person = draw_person(np.random.default_rng(number))
        (folder / f"person {number}").mkdir(parents=True)
        for shot in range(1, 9):
            circumstance = draw_circumstance(np.random.default_rng([number, shot]))
            photo = cv2.cvtColor(render(person, circumstance, size=128), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / f"person {number}" / f"{shot}.jpg"), photo)


def test_a_thousand_faces_are_embedded_as_by_the_trained_network(tmp_path):
    embedder = network("nn4_small2_half")
    write_onnx(embedder, tmp_path / "embedder.onnx")
    light = Embedder(read_network(tmp_path / "embedder.onnx"), name="embedder.onnx")
    assert hold_equal(embedder, light, FACES) <= 1e-5
    weight = embedder.trainable_weights[0]
    weight.assign(np.asarray(weight) * 1.05)
    with pytest.raises(InputError, match="differ"):
        hold_equal(embedder, light, FACES[:20])


def plain_photo():
    """A photo without a face, as a file's bytes."""
    return bytes(cv2.imencode(".png", np.full((90, 90), 128, np.uint8))[1])


def bomb():
    """A PNG file of a few KB that says it has 144 megapixels, and decodes to as many."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 12000, 12000, 1, 0, 0, 0, 0)  # one bit a pixel
    pixels = zlib.compress(bytes(12000 * (1 + 12000 // 8)))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run as `train` leaves it, without the training, and the overrides that find it again."""
    root = tmp_path_factory.mktemp("run")
    draw_photos(root / "photos")
    places = [f"tracking.folder={root / 'mlruns'}", f"data={root / 'data'}"]
    composed = config.compose("train", [*DATA, f"photos.cropped=[{root / 'photos'}]", *places])
    faces = prepare(composed, fresh=False).faces
    tracker = composed.tracking.build()
    tracker.open()
    told = {"photos": faces.title, "verification": "nobody"}
    prints = {"faces_fingerprint": faces.fingerprint, "pairs_fingerprint": "none"}
    with tracker.run("short", params={"photos": "synthetic"}, tags=told | prints) as run:
        run.metrics({"accuracy": 0.5})
        run.model(network("simple_cnn", "architecture.width=0.1"), registered_as="tripletlab-short")
    return root, places


def test_from_a_run_to_names(trained, tmp_path, capsys, monkeypatch):
    root, places = trained
    monkeypatch.chdir(tmp_path)
    command = ["export", "1", "bundle", *places, "--far", "0.1", "--keras", "--savedmodel"]
    assert main(command) == 0
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.card.calibration.far_at(bundle.card.threshold) <= 0.1 + 1 / 50
    assert "synthetic" in bundle.card.licence
    assert (tmp_path / "bundle" / "savedmodel" / "saved_model.pb").is_file()
    again = keras.saving.load_model(tmp_path / "bundle" / "embedder.keras", compile=False)
    assert hold_equal(again, bundle.embedder, FACES[:50]) <= 1e-5

    photos = sorted(root.glob("photos/*/1.jpg"))
    assert main(["enrol", "Ada", str(photos[0])]) == 0
    capsys.readouterr()
    assert main(["recognise", str(photos[0])]) == 0
    assert capsys.readouterr().out.split("\t")[1:] == ["Ada", "0.000", "Ada\n"]
    paths = [str(path) for path in (photos[0], tmp_path / "none.jpg", root / "photos", photos[0])]
    assert main(["recognise", *paths]) == 2
    out, err = capsys.readouterr()
    told = [line.split("\t")[1] for line in out.splitlines()]
    assert told == ["Ada", "unreadable", "unreadable", "Ada"]
    assert err.splitlines() == [
        f"tripletlab: {', '.join(paths[1:3])}: not a photo that can be read"
    ]
    assert main(["enrol", "Ada", str(photos[1]), "--bundle", "nowhere"]) == 2

    served = pyfunc.load_model(f"models:/{bundle.card.model}-photos/1")
    import pandas as pd

    answer = served.predict(pd.DataFrame({"photo": [photos[0].read_bytes(), plain_photo()]}))
    from tripletlab.faces.cropping import read_photo
    from tripletlab.recognition.recogniser import faces_in

    (found,) = faces_in(read_photo(photos[0]), bundle)
    np.testing.assert_allclose(answer[0][0]["embedding"], found.embedding, atol=1e-6)
    assert answer[1] == []
    for refused in (b"no photo", b"", bomb()):
        with pytest.raises(MlflowException, match="photo 1: not a photo that can be read, or one"):
            served.predict(pd.DataFrame({"photo": [photos[0].read_bytes(), refused]}))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["champion", "out"], "no model is meant by that; there are"),
        (["7", "out"], "no model is meant by that; there are"),
        (["1", "out", "--far", "0.00001"], "--far"),
        (["1", "out", "more"], "write tripletlab export"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words, hint, trained, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words[:2], *trained[1], *words[2:]]) == 2
    assert hint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_faces_that_are_gone_are_asked_for(trained, tmp_path, capfd):
    assert main(["export", "1", str(tmp_path / "out"), trained[1][0], f"data={tmp_path}"]) == 2
    assert "give data=FOLDER" in capfd.readouterr().err
