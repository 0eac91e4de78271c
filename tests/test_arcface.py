"""examples/arcface: the loss against NumPy, and a run of the command in docs/extending.md."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.stores import SMALL
from tests.training.fits import decayed_network, settings
from tripletlab.training import backend
from tripletlab.triplets.miners import given

FOLDER = Path(__file__).parents[1] / "examples" / "arcface"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("arcface", FOLDER / "arcface.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def arcface(example):
    return example.arcface


def unit(rng, *shape):
    rows = rng.normal(size=shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def by_angles(embeddings, labels, directions, *, angle, scale):
    losses = []
    for row, label in zip(embeddings, labels, strict=True):
        angles = [np.arccos(row @ one / np.linalg.norm(one)) for one in directions.T]
        angles[label] += angle
        logits = scale * np.cos(angles)
        losses.append(np.log(np.exp(logits - logits[label]).sum()))
    return np.mean(losses)


@pytest.mark.parametrize(("angle", "scale"), [(0.5, 32.0), (0.0, 10.0), (0.3, 4.0)])
def test_the_loss_adds_the_margin_to_the_own_angle(arcface, angle, scale):
    rng = np.random.default_rng(0)
    embeddings, labels = unit(rng, 12, 8), rng.integers(0, 5, 12)
    directions = rng.normal(0, 3, (8, 5)).astype(np.float32)
    found = arcface(embeddings, labels, directions, angle=angle, scale=scale)
    wanted = by_angles(embeddings, labels, directions, angle=angle, scale=scale)
    assert float(found) == pytest.approx(wanted, rel=1e-4)


def test_an_embedding_on_its_direction_has_a_gradient(arcface):
    tensorflow = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tape of TensorFlow")
    directions = tensorflow.Variable(np.eye(4, dtype=np.float32))
    with tensorflow.GradientTape() as tape:
        loss = arcface(np.eye(4, dtype=np.float32), np.arange(4), directions, angle=0.5, scale=32.0)
    assert np.isfinite(tape.gradient(loss, directions)).all()


def test_the_networks_own_losses_are_part_of_the_loss(example):
    backend.start(seed=1)
    embedder = decayed_network()
    kernel = embedder.layers[0].get_layer("decayed").get_weights()[0]
    points, labels = unit(np.random.default_rng(1), 12, 8), np.arange(12, dtype=np.int32) % 4
    margin = {"angle": 0.2, "scale": 4.0}
    model = example.ArcFace(embedder, people=4, **margin, **settings(miner=given))
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    seen = model.train_on_batch(points, labels, return_dict=True)["loss"]
    named = by_angles(np.asarray(embedder(points)), labels, np.asarray(model.directions), **margin)
    decay, activity = 0.01 * (kernel**2).sum(), 0.01 * np.abs(points @ kernel).sum(axis=1).mean()
    assert min(decay, activity) > 0.02
    assert seen == pytest.approx(named + decay + activity, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "status"), [(50, 0), (2, 2)])
def test_a_run(people, status, tmp_path):
    conf = ["--config-dir", str(FOLDER / "conf")]
    words = ["train", "graph=arcface", f"graph.people={people}", *SMALL]
    done = subprocess.run(
        [sys.executable, "-m", "tripletlab", *conf, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    if status:
        assert "graph.people=2: the photos show more people; give 23 or more" in done.stderr
