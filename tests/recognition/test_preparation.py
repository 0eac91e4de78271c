"""The settings of a bundle's faces: packed, unpacked, and refused before anything is called."""

import copy
import hashlib
import re

import numpy as np
import pytest

from tests.recognition.conftest import projection
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.detection import Box
from tripletlab.recognition import preparation
from tripletlab.recognition.preparation import (
    CALLABLE,
    YUNET,
    digest,
    packed,
    recipe_from,
    unpacked,
)

PAPER = config.compose("prepare", []).faces.settings


def with_model(model):
    return PAPER | {"detector": {"_target_": YUNET, "model": model, "score_threshold": 0.9}}


def test_a_digest_is_sha256():
    assert digest(b"") == hashlib.sha256(b"").hexdigest()
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_settings_without_files_travel_as_they_are(tmp_path):
    before = copy.deepcopy(PAPER)
    settings, files = packed(PAPER)
    assert (settings, files) == (PAPER, {})
    assert unpacked(settings, tmp_path) == PAPER == before


def test_every_file_is_replaced_by_its_digest_wherever_it_stands(tmp_path):
    first, second = projection(), projection(doc="another")
    for name, content in (("a.onnx", first), ("same.onnx", first), ("b.onnx", second)):
        (tmp_path / name).write_bytes(content)
    a, same, b = (
        {"_target_": YUNET, "model": str(tmp_path / f"{n}.onnx")} for n in ("a", "same", "b")
    )
    given = {"x": [a, {"y": same}], "z": {"network": b}, "model": "no file", "n": 3}
    before = copy.deepcopy(given)
    settings, files = packed(given)
    names = [f"yunet-{digest(content)}.onnx" for content in (first, second)]
    assert files == dict(zip(names, (first, second), strict=True))
    assert settings["x"][0]["model"] == settings["x"][1]["y"]["model"] == names[0]
    assert settings["z"]["network"]["model"] == names[1]
    assert (settings["model"], settings["n"]) == ("no file", 3)
    assert str(tmp_path) not in str(settings)
    assert given == before


def test_a_file_comes_back_as_a_path_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "check_detector", lambda content, *, name: None)
    name = f"yunet-{digest(b'net')}.onnx"
    (tmp_path / name).write_bytes(b"net")
    back = unpacked(with_model(name), tmp_path)
    assert back["detector"]["model"] == str((tmp_path / name).resolve())
    assert {**back, "detector": None} == {**PAPER, "detector": None}


@pytest.mark.parametrize("content", [None, b"", b"another net"])
def test_a_file_that_is_not_the_exported_one_is_refused_unread(content, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "check_detector", lambda *_, **__: pytest.fail("loaded"))
    name = f"yunet-{digest(b'net')}.onnx"
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: missing, or not the file that was exported"):
        unpacked(with_model(name), tmp_path)


NAMES = ["../yunet.onnx", f"../yunet-{'0' * 64}.onnx", f"yunet-{'A' * 64}.onnx", "", 3, None]
NAMES += [f"yunet-{'0' * 64}.onnx\n", f"/yunet-{'0' * 64}.onnx", ["x"], {"a": 1}]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_only_a_name_of_a_bundles_own_file_is_read(name, tmp_path):
    with pytest.raises(InputError, match=r"is no file of a bundle|may not call"):
        unpacked(with_model(name), tmp_path)


def nested(depth):
    node: object = 1
    for _ in range(depth):
        node = [node]
    return node


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"_target_": "os.system"}, "must be prepared by"),
        ({"_target_": None}, "must be prepared by"),
        ({"detector": {"_target_": "os.system"}}, "a bundle may not call os.system"),
        ({"detector": [{"x": {"_target_": "os.system"}}]}, "a bundle may not call os.system"),
        ({"detector": {"_target_": ["os.system"]}}, "a bundle may not call"),
        ({"border": "${oc.env:HOME}"}, "is not a plain value"),
        ({"border": ["a", {"b": "x${y}"}]}, "is not a plain value"),
        ({"border": nested(preparation.DEEPEST + 1)}, "nested too deeply"),
    ],
)
@pytest.mark.parametrize("read", [unpacked, recipe_from])
def test_what_is_no_preparation_is_refused_by_both(read, change, says, tmp_path):
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}: .*{says}") as refused:
        read(PAPER | change, tmp_path)
    assert "tripletlab export" in str(refused.value)


def test_the_deepest_settings_are_within_the_bound(tmp_path):
    assert unpacked(PAPER | {"border": nested(preparation.DEEPEST - 1)}, tmp_path)


def test_a_recipe_is_built_and_prepares_a_face(tmp_path):
    recipe = recipe_from(PAPER, tmp_path)
    photo = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
    assert recipe.extract(photo, Box(16, 16, 64)).shape == (PAPER["size"], PAPER["size"])


@pytest.mark.parametrize("change", [{"size": -1}, {"border": float("nan")}, {"detector": None}])
def test_a_recipe_that_cannot_work_is_one_line(change, tmp_path):
    with pytest.raises(InputError, match=r"^[^\n]*no faces can be prepared[^\n]*$"):
        recipe_from(PAPER | change, tmp_path)


def test_all_that_a_bundle_may_call_is_there():
    """A name that has moved would make every bundle unreadable."""
    for dotted in CALLABLE:
        module, _, name = dotted.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[name]), name))
