"""A bundle whose network knows synthetic people by their pixels."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.recognition.conftest import make_card
from tripletlab import config
from tripletlab.recognition.bundle import write_bundle

SIZE, GRID = 64, 8  # pixels along the side of a face, and of its embedding
THRESHOLD = 0.55  # between the distances of Ann and Ben, see people.py


def write_pixel_bundle(folder):
    """Write `bundle` and its ONNX file: a face's embedding is the face itself, coarse, without its
    mean, made unit."""
    side = np.kron(np.eye(GRID), np.ones((SIZE // GRID, 1)))  # (SIZE, GRID)
    coarse = np.kron(side, side).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "coarse"], ["grid"]),
        helper.make_node("ReduceMean", ["grid"], ["mean"], axes=[1]),
        helper.make_node("Sub", ["grid", "mean"], ["even"]),
        helper.make_node("LpNormalization", ["even"], ["unit"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "pixels",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])],
        [helper.make_tensor_value_info("unit", TensorProto.FLOAT, ["n", GRID * GRID])],
        [numpy_helper.from_array(coarse, "coarse")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "pixels.onnx")
    settings = config.compose("prepare", []).faces.settings
    return write_bundle(
        folder / "bundle",
        folder / "pixels.onnx",
        weights="0" * 64,
        faces=settings,
        card=make_card(threshold=THRESHOLD),
    )
