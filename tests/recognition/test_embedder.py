"""A network from anybody: used where it makes unit embeddings of faces, else refused in a line."""

import random
import resource

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.recognition.conftest import DIM, FACE, SIZE, UNIT, huge, make_network, projection
from tripletlab.errors import InputError
from tripletlab.recognition import embedder as module
from tripletlab.recognition.embedder import Embedder, read_onnx

FACES = np.random.default_rng(1).integers(0, 256, (5, SIZE, SIZE), np.uint8)
FLAT = helper.make_node("Flatten", ["face"], ["flat"], axis=1)
WEIGHTS = np.random.default_rng(0).normal(size=(SIZE * SIZE, DIM)).astype(np.float32)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def ending(*nodes, **constants):
    """A network that ends in these nodes instead of in the projection's unit vectors."""
    first = helper.make_node("MatMul", ["flat", "weights"], ["raw"])
    return make_network([FLAT, first, *nodes], weights=WEIGHTS, **constants)


def loop(trips):
    """A projection after a Loop of so many steps."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["on"]),
            helper.make_node("Add", ["x", "zero"], ["y"]),
        ],
        "body",
        [info("i", [], TensorProto.INT64), info("going", [], TensorProto.BOOL), info("x", None)],
        [info("on", [], TensorProto.BOOL), info("y", None)],
        [numpy_helper.from_array(np.float32(0), "zero")],
    )
    node = helper.make_node("Loop", ["trips", "yes", "raw"], ["looped"], body=body)
    return projection(node, last="looped", trips=np.int64(trips), yes=np.bool_(True))


def outside():
    """A network whose weights are said to lie in another file."""
    model = ModelProto.FromString(projection())
    (weights,) = model.graph.initializer
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="weights.bin")
    return model.SerializeToString()


IDENTITY = [helper.make_node("Identity", ["face"], ["unit"])]
SHAPED = {
    "rank 2": ([FLAT, helper.make_node("Identity", ["flat"], ["unit"])], ["n", 64], ["n", 64]),
    "rank 4 out": (IDENTITY, ["n", 64, 64, 1], ["n", 64, 64, 1]),
    "a fixed batch": (IDENTITY, [1, 64, 64, 1], [1, 64]),
    "colours": (IDENTITY, ["n", 64, 64, 3], ["n", 64]),
    "no square": (IDENTITY, ["n", 64, 32, 1], ["n", 64]),
    "any size": (IDENTITY, ["n", "h", "w", 1], ["n", 64]),
    "any dimension": (IDENTITY, ["n", 64, 64, 1], ["n", "d"]),
    "a huge face": (IDENTITY, ["n", 10**6, 10**6, 1], ["n", 64]),
    "no shape": (IDENTITY, None, None),
}
REFUSED = {
    "nothing": (b"", "ONNX Runtime can run"),
    "text": (b"three years of work", "ONNX Runtime can run"),
    "half": (projection()[:20_000], "ONNX Runtime can run"),
    "weights outside": (outside(), "ONNX Runtime can run"),
    "an unknown operation": (
        make_network([helper.make_node("System", ["face"], ["unit"])]), "ONNX Runtime can run"
    ),
    "two inputs": (
        make_network(IDENTITY, given=[FACE, info("more", ["n"])]), "not a network from any number"
    ),
    "two outputs": (
        make_network([*IDENTITY, helper.make_node("Identity", ["face"], ["more"])],
                     outputs=[UNIT, info("more", None)]),
        "not a network from any number",
    ),
    "whole numbers in": (
        make_network([helper.make_node("Identity", ["face"], ["unit"])],
                     given=[info("face", ["n", 64, 64, 1], TensorProto.UINT8)],
                     outputs=[info("unit", ["n", 8], TensorProto.UINT8)]),
        "not a network from any number",
    ),
    "another shape than it says": (
        make_network([FLAT, helper.make_node("Identity", ["flat"], ["unit"])]), "not a network|fail"
        "|gives an array"
    ),
    "one embedding for all": (
        ending(helper.make_node("ReduceMean", ["raw"], ["unit"], axes=[0])), "gives an array|fail"
    ),
    "longer vectors": (ending(helper.make_node("Identity", ["raw"], ["unit"])), "unit length"),
    "zeros": (ending(helper.make_node("Sub", ["raw", "raw"], ["unit"])), "unit length"),
    "no numbers": (ending(
        helper.make_node("Sub", ["raw", "raw"], ["zero"]),
        helper.make_node("Div", ["zero", "zero"], ["unit"]),
    ), "unit length"),
    "infinities": (ending(
        helper.make_node("Sub", ["raw", "raw"], ["zero"]),
        helper.make_node("Div", ["raw", "zero"], ["unit"]),
    ), "unit length"),
    "400 GB": (huge(10**11), "ONNX Runtime can run|fails on a face"),
    "4 GB": (huge(10**9), "ONNX Runtime can run|fails on a face"),
} | {
    what: (make_network(nodes, given=[info("face", given)], outputs=[info("unit", output)]),
           "not a network from any number|ONNX Runtime can run")
    for what, (nodes, given, output) in SHAPED.items()
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_network_of_faces_is_one_line(what, capfd):
    content, says = REFUSED[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=rf"^some.onnx: [^\n]*({says})[^\n]*$"):
        Embedder(content, name="some.onnx")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KB
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("trips", [3, 2**60])
def test_what_does_not_end_is_ended(trips, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    if trips == 3:
        assert Embedder(loop(trips), name="some.onnx")(FACES).shape == (5, DIM)
    else:
        with pytest.raises(InputError, match="too slow"):
            Embedder(loop(trips), name="some.onnx")


def test_memory_within_the_bounds_is_given():
    assert Embedder(huge(10**6), name="some.onnx")(FACES).shape == (5, DIM)


def test_a_face_without_a_unit_vector_has_no_embedding():
    """A face without light projects to zero, which no division makes a unit vector."""
    faces = FACES.copy()
    faces[2] = 0
    embeddings = Embedder(projection(), name="some.onnx")(faces)
    assert np.isnan(embeddings).all(axis=1).tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(np.linalg.norm(embeddings[[0, 1, 3, 4]], axis=1), 1, atol=1e-6)


def test_batches_give_what_single_faces_give(monkeypatch):
    embedder = Embedder(projection(), name="some.onnx")
    whole = embedder(FACES)
    monkeypatch.setattr(module, "MOST_PIXELS", 2 * SIZE * SIZE)
    np.testing.assert_array_equal(embedder(FACES), whole)
    np.testing.assert_allclose(embedder(FACES[3:4]), whole[3:4], atol=1e-6)


def test_a_file_that_is_gone_or_endless_is_not_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_onnx(tmp_path / "none.onnx")
    with (tmp_path / "endless.onnx").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="too large"):
        read_onnx(tmp_path / "endless.onnx")


def test_damaged_bytes_are_refused_or_a_network():
    """Bytes outside the weights changed at random, 300 times."""
    whole, random_, loaded, problems = projection(), random.Random(0), 0, []
    weights = whole.index(WEIGHTS.tobytes()[:64])
    outside = [*range(weights), *range(weights + WEIGHTS.nbytes, len(whole))]
    for _ in range(300):
        content = bytearray(whole)
        for place in random_.sample(outside, random_.randint(1, 3)):
            content[place] = random_.randrange(256)
        try:
            embeddings = Embedder(bytes(content), name="some.onnx")(FACES)
            loaded += embeddings.shape[0] == len(FACES)
        except InputError as error:
            problems.append(str(error))
    assert 0 < loaded < 300
    assert not any("\n" in one for one in problems)
