"""The bundle: read as it was written, refused when anything in it is not as it was."""

import copy
import json

import numpy as np
import pytest

from tests.recognition.conftest import DIM, SIZE
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.recognition.bundle import MANIFEST, NETWORK, Bundle

PAPER = config.compose("prepare", []).faces.settings


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
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bundle", MANIFEST, NETWORK]


FACES = config.folder("conf") / "faces"
CHOICES = [f"faces={path.stem}" for path in FACES.glob("*.yaml")]
CHOICES += [f"faces/{path.parent.name}={path.stem}" for path in FACES.glob("*/*.yaml")]


@pytest.mark.parametrize("choice", sorted(CHOICES))
def test_every_preparation_can_travel(choice, write, tmp_path):
    yunet = ["faces=yunet", f"faces.detector.model={__file__}"] if "yunet" in choice else []
    composed = config.compose("prepare", [choice, *yunet])
    settings = composed.faces.settings
    assert write(tmp_path / "bundle", settings).manifest.faces == settings


def test_the_fingerprint_tells_networks_and_preparations_apart(write, tmp_path):
    again = [write(tmp_path / "a"), write(tmp_path / "a")]
    other = [write(tmp_path / "b", weights="two"), write(tmp_path / "c", PAPER | {"border": 0.5})]
    assert again[0].fingerprint == again[1].fingerprint
    assert len({one.fingerprint for one in [*again, *other]}) == 3


def test_a_folder_of_other_things_is_left_alone(write, tmp_path):
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(InputError, match="other things"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def damage(folder, how):
    path, network = folder / MANIFEST, folder / NETWORK
    plain = json.loads(path.read_text())
    if how == "format":
        plain["format"] = 2
    elif how == "unknown key":
        plain["run_me"] = "rm"
    elif how == "threshold":
        plain["card"]["threshold"] = 5
    elif how == "curve":
        plain["card"]["calibration"]["far"][7] = 0.99
    elif how == "size":
        plain["faces"]["size"] = 32
    elif how == "network":
        network.write_bytes(network.read_bytes()[:-1] + b"x")
    path.write_text("{" if how == "json" else json.dumps(plain))
    if how == "no manifest":
        path.unlink()
    if how == "no network":
        network.unlink()


@pytest.mark.parametrize(
    "how",
    [
        "format", "unknown key", "threshold", "curve", "size", "network", "json",
        "no manifest", "no network",
    ],
)  # fmt: skip
def test_damage_is_one_line(how, write, tmp_path):
    write(tmp_path / "bundle")
    damage(tmp_path / "bundle", how)
    with pytest.raises(InputError, match=r"^[^\n]*tripletlab export[^\n]*$"):
        Bundle.open(tmp_path / "bundle")


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.exec",
        "tripletlab.faces.store.write",
        "tripletlab.faces.detection.cv2.imwrite",
        "tripletlab.faces.landmarks.save",
        "tripletlab.faces.detection.nowhere",
    ],
)
def test_nothing_else_can_be_called_from_a_bundle(target, write, tmp_path):
    write(tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    for place in ("root", "detector"):
        plain = json.loads(path.read_text())
        faces = copy.deepcopy(PAPER)
        (faces if place == "root" else faces["detector"])["_target_"] = target
        path.write_text(json.dumps(plain | {"faces": faces}))
        with pytest.raises(InputError):
            Bundle.open(tmp_path / "bundle")
