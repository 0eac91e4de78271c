"""The bundle: read as it was written, and written whole or not at all."""

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.recognition.conftest import DIM, SIZE, huge, projection
from tests.webcam.people import ANN, picture
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.bundle_folder import MANIFEST, README

DETECTION = "tripletlab.faces.detection"
PAPER = config.compose("prepare", []).faces.settings


def files(folder):
    return {path.name for path in folder.rglob("*")}


def network_of(folder):
    (path,) = folder.glob("embedder-*.onnx")
    return path


def test_it_is_read_as_it_was_written(write, card, tmp_path):
    write(tmp_path / "bundle")
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.card == card
    assert bundle.recipe.size == SIZE
    faces = np.random.default_rng(1).integers(0, 256, (300, SIZE, SIZE), np.uint8)
    embeddings = bundle.embedder(faces)
    assert embeddings.shape == (300, DIM)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert bundle.embedder(faces[:0]).shape == (0, DIM)
    network = f"embedder-{bundle.manifest.network}.onnx"
    assert files(tmp_path) == {"bundle", MANIFEST, README, network}


FACES = config.folder("conf") / "faces"
CHOICES = [f"faces={path.stem}" for path in FACES.glob("*.yaml")]
CHOICES += [f"faces/{path.parent.name}={path.stem}" for path in FACES.glob("*/*.yaml")]


@pytest.mark.parametrize("choice", sorted(CHOICES))
def test_every_preparation_can_travel(choice, write, request, tmp_path):
    detector = []
    if "yunet" in choice:
        detector = ["faces=yunet", f"faces.detector.model={request.getfixturevalue('yunet')}"]
    composed = config.compose("prepare", [*detector, choice])
    settings = composed.faces.settings
    bundle = write(tmp_path / "bundle", settings)
    if not detector:
        assert bundle.manifest.faces == bundle.settings == settings


def test_the_detectors_file_travels_with_the_bundle(write, yunet, tmp_path):
    """Moved to another folder, the original file gone; damaged, it is refused."""
    own = tmp_path / "mine" / "yunet.onnx"
    own.parent.mkdir()
    shutil.copyfile(yunet, own)
    faces = config.compose("prepare", ["faces=yunet", f"faces.detector.model={own}"]).faces
    photo, recipe = picture(ANN, 1), faces.build()
    boxes = recipe.detector(photo)
    faces_found = [recipe.extract(photo, box) for box in boxes]
    written = write(tmp_path / "bundle", faces.settings)
    assert str(tmp_path) not in (tmp_path / "bundle" / MANIFEST).read_text()
    shutil.rmtree(own.parent)
    (tmp_path / "bundle").rename(tmp_path / "elsewhere")
    moved = Bundle.open(tmp_path / "elsewhere")
    assert moved.fingerprint == written.fingerprint
    assert moved.recipe.detector(photo) == boxes != []
    np.testing.assert_array_equal([moved.recipe.extract(photo, b) for b in boxes], faces_found)
    (carried,) = (tmp_path / "elsewhere").glob("yunet-*.onnx")
    assert carried.name == f"yunet-{hashlib.sha256(yunet.read_bytes()).hexdigest()}.onnx"
    assert moved.settings["detector"]["model"] == str(carried.resolve())
    assert moved.settings["aligner"]["landmarks"]["network"]["model"] == str(carried.resolve())
    carried.write_bytes(carried.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"not the file that was exported.*tripletlab export"):
        Bundle.open(tmp_path / "elsewhere")


@pytest.mark.parametrize("what", ["text", "another network", "400 GB", "4 GB"])
def test_a_detector_without_bounds_is_refused(what, write, tmp_path):
    content = {"text": b"no network", "another network": projection()}
    content |= {"400 GB": huge(10**11), "4 GB": huge(10**9)}
    (tmp_path / "yunet.onnx").write_bytes(content[what])
    model = {"model": str(tmp_path / "yunet.onnx"), "score_threshold": 0.9}
    detector = {"_target_": f"{DETECTION}.YuNet", **model}
    with pytest.raises(InputError, match=r"yunet-[^\n]*(can run|fails on a photo)[^\n]*$"):
        write(tmp_path / "bundle", PAPER | {"detector": detector})
    assert files(tmp_path) == {"yunet.onnx"}


@pytest.mark.parametrize("model", ["/dev/zero", "../x.onnx", "yunet-1.onnx", "yunet.onnx", 3, None])
def test_a_bundle_reads_no_file_but_its_own(model, write, tmp_path):
    write(tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    plain = json.loads(path.read_text())
    detector = {"_target_": f"{DETECTION}.YuNet", "model": model, "score_threshold": 0.9}
    plain["faces"]["detector"] = detector
    path.write_text(json.dumps(plain))
    with pytest.raises(InputError, match="is no file of a bundle"):
        Bundle.open(tmp_path / "bundle")


def test_the_fingerprint_tells_networks_and_preparations_apart(write, tmp_path):
    again = [write(tmp_path / "a"), write(tmp_path / "a")]
    other = [write(tmp_path / "b", weights="two"), write(tmp_path / "c", PAPER | {"border": 0.5})]
    assert again[0].fingerprint == again[1].fingerprint
    assert len({one.fingerprint for one in [*again, *other]}) == 3


def test_an_older_bundle_is_replaced_whole_and_other_files_stay(write, tmp_path):
    old = write(tmp_path / "bundle")
    (tmp_path / "bundle" / "embedder.keras").touch()
    (tmp_path / "bundle" / "notes.txt").touch()
    new = write(tmp_path / "bundle", content=projection(last="raw", doc="another network"))
    assert new.manifest.network != old.manifest.network
    name = f"embedder-{new.manifest.network}.onnx"
    assert files(tmp_path / "bundle") == {MANIFEST, README, name, "notes.txt"}


@pytest.mark.parametrize("older", [True, False])
def test_what_cannot_be_written_leaves_what_was_there(older, write, tmp_path):
    folder = tmp_path / "bundle"
    if older:
        write(folder)
    before = files(tmp_path)
    with pytest.raises(InputError):
        write(folder, content=b"no network")
    with pytest.raises(InputError):
        write(folder, PAPER | {"size": 32})
    assert files(tmp_path) == before
    if older:
        assert Bundle.open(folder).manifest.faces == PAPER


KILLED = """
import json, os, signal, sys
from pathlib import Path
from tripletlab.recognition.bundle import Card, write_bundle
folder, network, fatal = Path(sys.argv[1]), Path(sys.argv[2]), 0
settings, card = json.loads(sys.argv[3]), Card.model_validate_json(sys.argv[4])
while True:
    child = os.fork()
    if not child:
        steps = 0
        def hook(event, args):
            global steps
            named = args and isinstance(args[0], (str, os.PathLike)) and str(args[0])
            if event.startswith(("open", "os.", "shutil.")) and named and str(folder) in named:
                steps += 1
                if steps > fatal:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        write_bundle(folder, network, weights="1" * 64, faces=settings, card=card)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    fatal += 1
    print(json.dumps(sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))))
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    held = json.loads((folder / "bundle.json").read_text()) if "bundle.json" in names else None
    whole = held and f"embedder-{held['network']}.onnx" in names
    print(json.dumps(held["weights"][0] if whole else "none" if held is None else "broken"))
"""


@pytest.mark.parametrize("older", [True, False])
def test_killed_at_any_step_there_is_the_older_bundle_or_the_new_one(older, write, card, tmp_path):
    """Killed before each of its steps on the file system; the last one removes what is left."""
    folder = tmp_path / "bundle"
    if older:
        write(folder)
        (folder / "embedder.keras").touch()
    other = tmp_path / "other.onnx"
    other.write_bytes(projection(doc="another network"))
    command = [sys.executable, "-c", KILLED, str(folder), str(other)]
    command += [json.dumps(PAPER), card.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    states = [json.loads(line) for line in done.stdout.splitlines()[1::2]]
    assert len(states) >= 8
    assert "broken" not in states
    assert states == sorted(states, key=lambda state: state == "1")  # once new, always new
    assert (states[0] == "none") != older
    bundle = Bundle.open(folder)
    assert bundle.manifest.weights == "1" * 64
    assert files(folder) == {MANIFEST, README, f"embedder-{bundle.manifest.network}.onnx"}


def test_a_folder_of_other_things_is_left_alone(write, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(InputError, match="other things"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("manifest", ['{"name": "a bundle of scripts"}', "[]", "", "\xff"])
def test_a_folder_with_another_programs_bundle_json_is_left_alone(manifest, write, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / MANIFEST).write_text(manifest, encoding="latin-1")
    (folder / README).write_text("mine")
    with pytest.raises(InputError, match="other things"):
        write(folder)
    assert files(folder) == {MANIFEST, README}
    assert (folder / README).read_text() == "mine"


def test_a_bundle_whose_manifest_is_damaged_is_replaced(write, tmp_path):
    new = write(tmp_path / "bundle")
    (tmp_path / "bundle" / MANIFEST).write_text("{")
    assert write(tmp_path / "bundle").manifest == new.manifest


def test_only_a_bundles_own_unfinished_files_are_removed(write, tmp_path):
    network = f"embedder-{'0' * 64}.onnx"
    own = [f".{network}.unfinished-01234567", ".bundle.json.unfinished-89abcdef"]
    own.append(".unfinished-embedder.keras")
    others = ["notes.unfinished-draft.txt", ".unfinished-symphony", ".README.md.unfinished-2"]
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name in own:
        (folder / name).touch()
    new = write(folder)
    written = {MANIFEST, README, f"embedder-{new.manifest.network}.onnx"}
    assert files(folder) == written
    for name in others:
        (folder / name).touch()
    write(folder)
    assert files(folder) == {*written, *others}
