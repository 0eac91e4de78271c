"""A registered network becomes a bundle: equal to it, calibrated on its people, and served."""

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
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
    """A run as `train` leaves it, without the training; the overrides that find it, and its id."""
    root = tmp_path_factory.mktemp("run")
    draw_photos(root / "photos")
    places = [f"tracking.folder={root / 'mlruns'}", f"data={root / 'data'}"]
    composed = config.compose("train", [*DATA, f"photos.cropped=[{root / 'photos'}]", *places])
    faces = prepare(composed, fresh=False).faces
    tracker = composed.tracking.build()
    tracker.open()
    titles = {"photos": faces.title, "verification": "nobody"}
    prints = {"faces_fingerprint": faces.fingerprint, "pairs_fingerprint": "none"}
    with tracker.run("short", params={"photos": "synthetic"}, tags=titles | prints) as run:
        run.metrics({"test/accuracy": 0.5})
        run.model(network("simple_cnn", "architecture.width=0.1"))
    return root, places, run.run_id


def test_from_a_run_to_names(trained, tmp_path, capsys, monkeypatch):
    root, places, run_id = trained
    monkeypatch.chdir(tmp_path)
    command = ["export", run_id, "bundle", *places, "--far", "0.1", "--keras", "--savedmodel"]
    assert main([*command, "--litert"]) == 0
    bundle = Bundle.open(tmp_path / "bundle")
    assert (bundle.card.version, bundle.card.run_id) == ("1", run_id)  # registered by the export
    assert bundle.card.calibration.far_at(bundle.card.threshold) <= 0.1 + 1 / 50
    assert "synthetic" in bundle.card.licence
    assert (tmp_path / "bundle" / "savedmodel" / "saved_model.pb").is_file()
    again = keras.saving.load_model(tmp_path / "bundle" / "embedder.keras", compile=False)
    assert hold_equal(again, bundle.embedder, FACES[:50]) <= 1e-5

    litert = tf.lite.Interpreter(str(tmp_path / "bundle" / "embedder.tflite"))
    litert.allocate_tensors()
    (given,) = litert.get_input_details()
    litert.set_tensor(given["index"], FACES[:1, ..., None].astype(np.float32))
    litert.invoke()
    (output,) = litert.get_output_details()
    assert np.abs(litert.get_tensor(output["index"]) - bundle.embedder(FACES[:1])).max() <= 1e-5

    photos = sorted(root.glob("photos/*/1.jpg"))
    assert main(["enrol", "Ada", str(photos[0])]) == 0
    capsys.readouterr()
    assert main(["recognise", str(photos[0])]) == 0
    assert capsys.readouterr().out.split("\t")[1:] == ["Ada", "0.000", "Ada\n"]
    (tmp_path / "notes").write_text("x")
    paths = [
        str(path) for path in (photos[0], tmp_path / "none.jpg", tmp_path / "notes", photos[0])
    ]
    assert main(["recognise", *paths]) == 2
    out, err = capsys.readouterr()
    told = [line.split("\t")[1] for line in out.splitlines()]
    assert told == ["Ada", "missing", "unreadable", "Ada"]
    assert err.splitlines()[-1] == (
        f"tripletlab: 2 of 4 not read: {paths[1]} (no such file), {paths[2]} (not a photo, damaged,"
        " or too large)"
    )
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


def test_an_update_keeps_a_bundle_of_this_network_and_replaces_another(trained, tmp_path, capsys):
    _, places, run_id = trained
    command = ["export", run_id, str(tmp_path / "bundle"), *places, "--far", "0.1", "--update"]
    assert main(command) == 0  # there is none yet
    said = " ".join(capsys.readouterr().err.split())
    assert "replaces" not in said
    manifest = tmp_path / "bundle" / "bundle.json"
    first, written = json.loads(manifest.read_text()), manifest.stat().st_mtime_ns
    card, curve = first["card"], first["card"]["calibration"]
    measured = np.interp(card["threshold"], curve["thresholds"], curve["far"])
    assert f"accepts {measured:.2%} of strangers (--far 0.1)" in said
    assert main(command) == 0
    assert "holds this network already" in " ".join(capsys.readouterr().err.split())
    assert manifest.stat().st_mtime_ns == written
    manifest.write_text(json.dumps({**first, "card": {**first["card"], "run_id": "0" * 32}}))
    assert main([*command[:-3], "--update"]) == 0  # the FAR is that of the bundle there
    said = " ".join(capsys.readouterr().err.split())
    assert "it replaces run 00000000" in said
    card = json.loads(manifest.read_text())["card"]
    assert (card["run_id"], card["far"]) == (run_id, 0.1)
    manifest.write_text(json.dumps({**first, "format": 1}))
    assert main(command) == 0
    assert "its format is 1 and not" in " ".join(capsys.readouterr().err.split())
    assert json.loads(manifest.read_text())["card"]["run_id"] == run_id


@pytest.fixture
def served(trained, tmp_path):
    """The newest bundle, served by the command that the docs give; its port."""
    _, places, run_id = trained
    assert main(["export", run_id, str(tmp_path / "bundle"), *places, "--far", "0.1"]) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tripletlab", "serve", places[0], "--port", str(port)]
    env = {**os.environ, "PATH": "/usr/bin:/bin"}  # without the folder of uvicorn
    with subprocess.Popen(command, env=env, cwd=tmp_path, start_new_session=True) as server:
        try:
            yield wait_for(port, server)
            server.terminate()
            assert server.wait(30) == 130
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), 1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def wait_for(port, server):
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return port
        time.sleep(0.1)
    raise AssertionError("no answer in a minute")


def ask(port, *photos):
    """The status and the answer to a request with these photos."""
    rows = [[base64.b64encode(photo).decode()] for photo in photos]
    body = json.dumps({"dataframe_split": {"columns": ["photo"], "data": rows}}).encode()
    url, headers = f"http://127.0.0.1:{port}/invocations", {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def preflight(port, host):
    """The answer to a browser that asks whether a page of another site may send photos."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked = {"Access-Control-Request-Method": "POST", "Origin": "http://attacker.example"}
    connection.request("OPTIONS", "/invocations", headers={"Host": host, **asked})
    with contextlib.closing(connection):
        return connection.getresponse()


def test_it_is_served_and_what_is_no_photo_is_refused(trained, served, capfd):
    photo = sorted(trained[0].glob("photos/*/1.jpg"))[0].read_bytes()
    status, answer = ask(served, photo, plain_photo())
    (face,), none = answer["predictions"]
    assert (status, none, len(face["box"])) == (200, [], 3)
    assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-5)
    for refused in (bomb(), b"no photo", b""):
        status, answer = ask(served, photo, refused)
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert "photo 1: not a photo that can be read, or one of more" in answer["message"]
    assert ask(served, photo)[0] == 200
    assert preflight(served, f"attacker.example:{served}").status == 400  # not a name of this one
    assert preflight(served, f"localhost:{served}").status == 405
    assert not preflight(served, f"localhost:{served}").getheader("Access-Control-Allow-Origin")
    assert main(["serve", trained[1][0], "--port", str(served)]) == 2
    assert f"--port {served}: Address already in use" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [([], "no runs are here"), (["NAME-photos/9"], "no runs are here"),
     (["a", "b"], "one model at a time"), (["seed=1"], "seed")],
)  # fmt: skip
def test_what_cannot_be_served_is_one_line(words, hint, tmp_path, capfd):
    assert main(["serve", *words, f"tracking.folder={tmp_path / 'mlruns'}"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert hint in line


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["champion", "out"], "there is no champion in"),
        (["7", "out"], "7: no "),
        (["RUN", "out", "--far", "0.00001"], "--far"),
        (["RUN", "out", "more"], "write tripletlab export"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words, hint, trained, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = [trained[2] if word == "RUN" else word for word in words]
    assert main(["export", *words[:2], *trained[1], *words[2:]]) == 2
    assert hint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_faces_that_are_gone_are_asked_for(trained, tmp_path, capfd):
    assert (
        main(["export", trained[2], str(tmp_path / "out"), trained[1][0], f"data={tmp_path}"]) == 2
    )
    assert "give data=FOLDER" in capfd.readouterr().err
