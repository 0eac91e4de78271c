"""The gradients of every network at every width, with TensorFlow's oneDNN against without it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.architectures.networks import DISTINCT, build

pytestmark = pytest.mark.timeout(600)
WIDTHS = (0.25, 0.5, 1.0)
NETWORKS = {f"{name}, width {width}": (name, width) for name in DISTINCT for width in WIDTHS}
FACES = 3
# Where rounding decides between two equal maxima of a pooling, a pixel's gradient goes another way:
# .006 of the layers below it were measured. A wrong gradient is not near to the right one at all.
ROUNDED, ROUTED = 1e-3, 0.02
WRITE = """
import sys
from tests.architectures.test_gradients import write_gradients
write_gradients(sys.argv[1])
"""


def gradients(name, width):
    """Those of every weight, for weights and faces that depend on no library's generator."""
    import tensorflow

    from tripletlab.training.unsafe_layers import refuse_unsafe

    network = build(name, size=64, width=width)
    refuse_unsafe(network)
    rng = np.random.default_rng(0)
    network.set_weights([scaled(rng, one.shape) for one in network.get_weights()])
    faces = rng.integers(0, 256, (FACES, 64, 64, 1)).astype(np.float32)
    wanted = rng.normal(size=(FACES, 128)).astype(np.float32)
    weights = [one.value for one in network.trainable_variables]
    with tensorflow.GradientTape() as tape:
        total = tensorflow.reduce_sum(network(faces, training=True) * wanted)
    return [one.numpy() for one in tape.gradient(total, weights)]


def scaled(rng, shape):
    """As He draws a kernel; a bias is small. No residual block begins at zero."""
    deviation = np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.01
    return (deviation * rng.normal(size=shape)).astype(np.float32)


def write_gradients(path):
    found = {}
    for title, (name, width) in NETWORKS.items():
        for place, values in enumerate(gradients(name, width)):
            found[f"{title}/{place:03}"] = values
    np.savez(path, **found)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The gradients with oneDNN and without, each from a process of its own."""
    folder = tmp_path_factory.mktemp("gradients")
    processes = {
        switch: subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder / f"{switch}.npz")],
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": switch},
            stderr=subprocess.PIPE,
            text=True,
        )
        for switch in "10"
    }
    for switch, process in processes.items():
        said = process.communicate()[1]
        assert process.returncode == 0, f"oneDNN={switch} ended by {process.returncode}: {said}"
    return [dict(np.load(folder / f"{switch}.npz")) for switch in "10"]


@pytest.mark.parametrize("title", NETWORKS)
def test_gradients_do_not_depend_on_who_computes_them(title, both):
    one, other = both
    names = [name for name in one if name.startswith(f"{title}/")]
    sizes = {name: np.linalg.norm(other[name]) for name in names}
    for name, size in sizes.items():
        assert np.linalg.norm(one[name] - other[name]) <= ROUTED * size, name
    apart = [np.linalg.norm(one[name] - other[name]) - ROUNDED * sizes[name] for name in names]
    assert np.median(apart) <= 0
    assert sum(size > 0 for size in sizes.values()) > 0.9 * len(names) > 7  # few dead ReLUs
    assert any((one[name] != other[name]).any() for name in names)  # two ways, really
