"""A bundle of a network that ONNX Runtime runs, made without Keras or a training."""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tripletlab import config
from tripletlab.recognition.bundle import Card, write_bundle
from tripletlab.recognition.calibration import calibrate

SIZE, DIM = 64, 8


FACE = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])
UNIT = helper.make_tensor_value_info("unit", TensorProto.FLOAT, ["n", DIM])


def make_network(nodes, *, given=(FACE,), outputs=(UNIT,), doc="", **constants):
    """An ONNX file's bytes; `constants` are arrays by their names, `doc` a note in it."""
    arrays = [numpy_helper.from_array(np.asarray(one), name) for name, one in constants.items()]
    graph = helper.make_graph(nodes, "embedder", list(given), list(outputs), arrays, doc)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def projection(*more, last="raw", **settings):
    """A random projection of the pixels, made unit; `more` nodes give `last` before that."""
    weights = np.random.default_rng(0).normal(size=(SIZE * SIZE, DIM)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["raw"]),
        *more,
        helper.make_node("LpNormalization", [last], ["unit"], axis=1, p=2),
    ]
    return make_network(nodes, weights=weights, **settings)


def huge(count):
    """A projection to which the sum of an array of so many zeros is added."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["raw", "sum"], ["more"]),
    ]
    return projection(*nodes, last="more", shape=np.array([count], np.int64))


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """The path of an ONNX file."""
    path = tmp_path_factory.mktemp("network") / "some.onnx"
    path.write_bytes(projection())
    return path


@pytest.fixture(scope="session")
def yunet():
    """OpenCV's YuNet, which the user gives: it lies beside the real photos."""
    real = os.environ.get("TRIPLETLAB_REAL")
    found = sorted(Path(real).parent.glob("models/*yunet*.onnx")) if real else []
    if not found:
        pytest.skip("no YuNet file in models/ beside the folder TRIPLETLAB_REAL")
    return found[0]


def make_card(*, threshold):
    """A card of no particular network."""
    distances, matched = np.linspace(0.01, 3.99, 200), np.arange(200) % 3 == 0
    return Card(
        model="tripletlab-test",
        version="1",
        run_id="r",
        photos="test",
        verification="test",
        faces_fingerprint="f",
        pairs_fingerprint="p",
        licence="none",
        metrics={"accuracy": 0.9},
        threshold=threshold,
        far=0.01,
        calibration=calibrate(distances, matched),
    )


@pytest.fixture(scope="session")
def card():
    return make_card(threshold=0.5)


@pytest.fixture
def write(network, card):
    """Write a bundle into a folder; `settings` instead of conf/faces/paper.yaml's."""

    def made(folder, settings=None, weights="one", content=None):
        settings = settings or config.compose("prepare", []).faces.settings
        digest = hashlib.sha256(weights.encode()).hexdigest()
        given = network if content is None else folder.with_name("given.onnx")
        if content is not None:
            given.write_bytes(content)
        try:
            return write_bundle(folder, given, weights=digest, faces=settings, card=card)
        finally:
            folder.with_name("given.onnx").unlink(missing_ok=True)

    return made


@pytest.fixture
def bundle(write, tmp_path):
    """One that takes the whole photo for a face."""
    settings = config.compose("prepare", ["faces/detector=whole"]).faces.settings
    return write(tmp_path / "bundle", settings=settings)


@pytest.fixture
def photos(tmp_path):
    """Two different photos of noise."""
    rng, paths = np.random.default_rng(0), []
    for name in ("one.png", "other.png"):
        paths.append(tmp_path / name)
        cv2.imwrite(str(paths[-1]), rng.integers(0, 255, (64, 64), np.uint8))
    return paths
