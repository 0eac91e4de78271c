"""A bundle is refused, in one line, when anything in it is not as it was written."""

import copy
import json
import random

import pytest

from tests.recognition.conftest import SIZE
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.bundle_folder import MANIFEST

PAPER = config.compose("prepare", []).faces.settings


def network_of(folder):
    (path,) = folder.glob("embedder-*.onnx")
    return path


def damage(folder, how):
    path, network = folder / MANIFEST, network_of(folder)
    plain = json.loads(path.read_text())
    if how == "format":
        plain["format"] = 1
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
    whole = json.loads(path.read_text())
    for place in ("root", "detector", "an argument"):
        faces = copy.deepcopy(PAPER)
        if place == "an argument":
            faces["detector"]["scale_factor"] = {"_target_": target, "command": "touch pwned"}
        else:
            (faces if place == "root" else faces["detector"])["_target_"] = target
        path.write_text(json.dumps(whole | {"faces": faces}))
        with pytest.raises(InputError, match=r"may not call|must be prepared by"):
            Bundle.open(tmp_path / "bundle")


def nested(depth):
    node = 1
    for _ in range(depth):
        node = {"a": [node]}
    return node


HOSTILE = {
    "a list as the target": {"_target_": ["os.system"]},
    "a dict as the target": {"_target_": {"_target_": "os.system"}},
    "no target": {"_target_": None},
    "no detector": {"detector": None},
    "a word as the detector": {"detector": "haar"},
    "a detector that is called at once": {"detector": {**PAPER["detector"], "_partial_": False}},
    "a detector without its settings": {"detector": {**PAPER["detector"], "scale_factor": None}},
    "an endless search": {"detector": {**PAPER["detector"], "scale_factor": 1 + 1e-9}},
    "a detector as the aligner": {"aligner": PAPER["detector"]},
    "an aligner as the detector": {"detector": PAPER["aligner"]},
    "deep nesting": {"detector": nested(12)},
    "very deep nesting": {"detector": nested(400)},
    "a huge size": {"size": 10**9},
    "a size of words": {"size": "x" * 10**6},
    "an interpolation": {"border": "${oc.env:HOME}"},
    "an unknown key": {"run": "rm"},
    "an infinite border": {"border": float("inf")},
    "a border that is no number": {"border": float("nan")},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_preparation_is_one_line(what, write, tmp_path):
    write(tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    plain = json.loads(path.read_text())
    path.write_text(json.dumps(plain | {"faces": PAPER | HOSTILE[what]}))
    with pytest.raises(InputError, match=r"^[^\n]{1,600}$"):
        Bundle.open(tmp_path / "bundle")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "3", '"bundle"', "{}", "[" * 100_000, '{"a":' * 100_000, "NaN", "\xff"],
)
def test_what_is_no_manifest_is_one_line(text, write, tmp_path):
    write(tmp_path / "bundle")
    (tmp_path / "bundle" / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"^[^\n]{1,600}tripletlab export[^\n]*$"):
        Bundle.open(tmp_path / "bundle")


def test_an_endless_manifest_is_not_read(write, tmp_path):
    write(tmp_path / "bundle")
    with (tmp_path / "bundle" / MANIFEST).open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="damaged"):
        Bundle.open(tmp_path / "bundle")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 4.1, "near", None, [0.5]])
def test_a_threshold_is_a_distance(value, write, tmp_path):
    write(tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    plain = json.loads(path.read_text())
    plain["card"]["threshold"] = value
    path.write_text(json.dumps(plain))
    with pytest.raises(InputError, match="threshold"):
        Bundle.open(tmp_path / "bundle")


JUNK = [None, True, 0, -1, 1e308, float("nan"), "", "x" * 5000, [], {}, [[1]], {"_target_": "os"}]


def mutated(node, random_):
    """The same JSON with one value replaced, removed, or put in another place."""
    places = []

    def walk(inner):
        for key in inner if isinstance(inner, dict) else range(len(inner)):
            places.append((inner, key))
            if isinstance(inner[key], dict | list):
                walk(inner[key])

    walk(node)
    parent, key = random_.choice([one for one in places if not isinstance(one[1], int)])
    match random_.randrange(3):
        case 0:
            parent[key] = random_.choice(JUNK)
        case 1:
            del parent[key]
        case 2:
            other, place = random_.choice(places)
            parent[key] = copy.deepcopy(other[place])
    return node


def test_a_manifest_with_any_value_changed_is_opened_or_one_line(write, tmp_path):
    write(tmp_path / "bundle")
    path = tmp_path / "bundle" / MANIFEST
    whole, random_, opened, problems = path.read_text(), random.Random(0), 0, []
    for _ in range(250):
        path.write_text(json.dumps(mutated(json.loads(whole), random_)))
        try:
            opened += Bundle.open(tmp_path / "bundle").recipe.size == SIZE
        except InputError as error:
            problems.append(str(error))
    assert 0 < opened < 200
    assert not any("\n" in one or len(one) > 800 for one in problems)
