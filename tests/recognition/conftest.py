"""A bundle of a network that ONNX Runtime runs, made without Keras or a training."""

import hashlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tripletlab import config
from tripletlab.recognition.bundle import Card, write_bundle
from tripletlab.recognition.calibration import calibrate

SIZE, DIM = 64, 8


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """An ONNX file: a random projection of the pixels, made unit."""
    weights = np.random.default_rng(0).normal(size=(SIZE * SIZE, DIM)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["raw"]),
        helper.make_node("LpNormalization", ["raw"], ["unit"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])],
        [helper.make_tensor_value_info("unit", TensorProto.FLOAT, ["n", DIM])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path_factory.mktemp("network") / "some.onnx"
    onnx.save(model, path)
    return path


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

    def made(folder, settings=None, weights="one"):
        settings = settings or config.compose("prepare", []).faces.settings
        digest = hashlib.sha256(weights.encode()).hexdigest()
        return write_bundle(folder, network, weights=digest, faces=settings, card=card)

    return made
