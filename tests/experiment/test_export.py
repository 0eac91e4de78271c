"""A registered network becomes a bundle: equal to it, and calibrated on its people."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from mlflow import MlflowClient, pyfunc
from mlflow.exceptions import MlflowException

from tests.disks import small_disk
from tests.experiment.exported import bomb, network, plain_photo
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.experiment.export import hold_equal, write_onnx
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.embedder import Embedder, read_onnx

FACES = np.random.default_rng(0).integers(0, 256, (1000, 64, 64), np.uint8)


def test_a_thousand_faces_are_embedded_as_by_the_trained_network(tmp_path):
    embedder = network("nn4_small2_half")
    write_onnx(embedder, tmp_path / "embedder.onnx")
    light = Embedder(read_onnx(tmp_path / "embedder.onnx"), name="embedder.onnx")
    assert hold_equal(embedder, light, FACES) <= 1e-5
    weight = embedder.trainable_weights[0]
    weight.assign(np.asarray(weight) * 1.05)
    with pytest.raises(InputError, match="differ"):
        hold_equal(embedder, light, FACES[:20])


def test_from_a_run_to_names(exportable, tmp_path, capsys, monkeypatch):
    root, places, run_id = exportable
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


def test_an_update_keeps_a_bundle_of_this_network_and_replaces_another(
    exportable, tmp_path, capsys
):
    _, places, run_id = exportable
    command = ["export", run_id, str(tmp_path / "bundle"), *places, "--far", "0.1", "--update"]
    assert main(command) == 0  # there is none yet
    said = " ".join(capsys.readouterr().err.split())
    assert "replaces" not in said
    manifest = tmp_path / "bundle" / "bundle.json"
    first, written = json.loads(manifest.read_text()), manifest.stat().st_mtime_ns
    card, curve = first["card"], first["card"]["calibration"]
    measured = np.interp(card["threshold"], curve["thresholds"], curve["far"])
    assert f"accepts {measured:.2%} of strangers (--far 0.1)" in said
    assert f"pairs of {curve['people']} people who" in said
    assert f"warning: the share of strangers is counted on only {curve['people']} people" in said
    assert main(command) == 0
    assert "holds this network already" in " ".join(capsys.readouterr().err.split())
    assert main([*command, "--keras"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "holds this network already" in said
    assert said.endswith("added: embedder.keras")
    added = (tmp_path / "bundle" / "embedder.keras").stat().st_mtime_ns
    assert main([*command, "--keras"]) == 0  # it is there now
    assert "added" not in capsys.readouterr().err
    assert (tmp_path / "bundle" / "embedder.keras").stat().st_mtime_ns == added
    assert manifest.stat().st_mtime_ns == written
    manifest.write_text(json.dumps({**first, "card": {**first["card"], "run_id": "0" * 32}}))
    assert main([*command[:-3], "--update"]) == 0  # the FAR is that of the bundle there
    said = " ".join(capsys.readouterr().err.split())
    assert "it replaces run 00000000" in said
    card = json.loads(manifest.read_text())["card"]
    assert (card["run_id"], card["far"]) == (run_id, 0.1)
    assert (tmp_path / "bundle" / "embedder.keras").stat().st_mtime_ns > added  # of this network
    manifest.write_text(json.dumps({**first, "format": 1}))
    assert main(command) == 0
    assert "its format is 1 and not" in " ".join(capsys.readouterr().err.split())
    assert json.loads(manifest.read_text())["card"]["run_id"] == run_id


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["champion", "out"], "there is no champion in"),
        (["champion"], "write tripletlab export"),
        (["7", "out"], "7: no "),
        (["RUN", "out", "--far", "0.00001"], "--far"),
        (["RUN", "out", "more"], "write tripletlab export"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    words, hint, exportable, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = [exportable[2] if word == "RUN" else word for word in words]
    assert main(["export", *words[:2], *exportable[1], *words[2:]]) == 2
    assert hint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_network_that_cannot_be_calibrated_is_not_registered(exportable, tmp_path, capfd):
    client = MlflowClient(f"sqlite:///{exportable[0] / 'mlruns' / 'mlflow.db'}")
    for model in client.search_registered_models():  # by other tests
        client.delete_registered_model(model.name)
    command = ["export", exportable[2], str(tmp_path / "out"), *exportable[1]]
    assert main([*command, "--far", "0.00001"]) == 2
    assert "pairs of strangers resolve" in capfd.readouterr().err
    assert client.search_registered_models() == []


def test_another_backend_is_refused_at_once(exportable, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    monkeypatch.setattr("tripletlab.training.backend.load", lambda: None)
    command = ["export", exportable[2], str(tmp_path / "out"), *exportable[1], "--far", "0.1"]
    for formats in ([], ["--keras"]):
        assert main([*command, *formats]) == 2
        said = capfd.readouterr().err.splitlines()
        assert said[-1] == (
            "tripletlab: KERAS_BACKEND=jax: networks are exported by TensorFlow; export again with"
            " KERAS_BACKEND=tensorflow"
        )
    assert not (tmp_path / "out").exists()


def test_faces_that_are_gone_are_asked_for(exportable, tmp_path, capfd):
    assert (
        main(["export", exportable[2], str(tmp_path / "out"), exportable[1][0], f"data={tmp_path}"])
        == 2
    )
    assert "give data=FOLDER" in capfd.readouterr().err


@pytest.mark.parametrize("size", ["350k", "700k"])
def test_a_disk_full_of_an_export_is_one_line(size, exportable, tmp_path, monkeypatch, capfd):
    """Full of the network itself, or of its other form beside it."""
    _, places, run_id = exportable
    monkeypatch.chdir(tmp_path)
    with small_disk(tmp_path / "disk") as sized:
        place = sized(size)
        folder = place / "bundle"
        assert main(["export", run_id, str(folder), "--far", "0.1", "--keras", *places]) == 2
        said = capfd.readouterr().err.splitlines()
        (said,) = [one for one in said if one.startswith("tripletlab:")]
        assert "No space left on device" in said
        left = list(place.rglob("*"))
        assert not [one for one in left if "unfinished" in one.name or one.suffix == ".keras"]
        if size == "350k":
            assert left == []
        else:
            assert Bundle.open(folder).card.run_id == run_id
