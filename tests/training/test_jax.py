"""The training path on another backend; install jax, and this test no longer skips."""

import importlib.util
import os
import subprocess
import sys

import pytest

FIT = """
import sys, keras, numpy as np
from types import SimpleNamespace
from tests.stores import make_store
from tripletlab import config
from tripletlab.training import backend
from tripletlab.training.fit import fit
from tripletlab.training.inference import embed

assert keras.backend.backend() == "jax"
backend.start(seed=1)
from tripletlab.experiment.components import build_components

store = make_store(entries=12, photos=6)
small = ["architecture=simple_cnn", "batches.people=4", "batches.photos=4", "batches.steps=4"]
plain = config.compose("train", [*small, "regularizer=none", *sys.argv[1:]])
model, embedder, batches = build_components(plain, SimpleNamespace(faces=store))

class Report:
    losses = []
    def step(self): pass
    def epoch(self, epoch, metrics): self.losses.append(metrics["loss"])

rates = plain.rate_schedule.build()
fit(model, batches,
    optimizer=plain.optimizer.build(schedule=rates, steps=32),
    margin=plain.margin_schedule.build(),
    judge=lambda network, margin: {"validation_auc": len(Report.losses) / 100, "mean_distance": 1},
    guard=plain.guard.build(), report=Report(), checkpoint=None, epochs=8, patience=8)
embeddings = embed(embedder, store.images)
assert np.allclose((embeddings ** 2).sum(axis=1), 1, atol=1e-5)
print(Report.losses[0], Report.losses[-1])
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.parametrize(
    "choices",
    [
        [],
        ["miner=distance_weighted", "loss=softplus", "regularizer=spread"],
        ["miner=batch_all", "margin_schedule=linear", "margin_schedule.start=0.2"],
    ],
)
def test_the_training_path_runs_unchanged_on_jax(choices):
    done = on_jax(*choices)
    assert done.returncode == 0, done.stderr[-2000:]
    first, last = map(float, done.stdout.split()[-2:])
    assert last < first


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_offline_mining_is_refused_there():
    assert "only TensorFlow shows them during a fit" in on_jax("batches=offline").stderr


def on_jax(*choices):
    return subprocess.run(
        [sys.executable, "-c", FIT, *choices],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
