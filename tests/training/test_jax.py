"""The training path on another backend; install jax, and this test no longer skips."""

import importlib.util
import os
import subprocess
import sys

import pytest

FIT = """
import sys, keras, numpy as np
from tests.stores import make_store
from tripletlab import config
from tripletlab.training.augmentation import none
from tripletlab.training.batches import PeopleByPhotos
from tripletlab.training.fit import fit
from tripletlab.training.inference import embed
from tripletlab.training.model import TripletModel
from tripletlab.training import backend

CHOICES = sys.argv[1:]
assert keras.backend.backend() == "jax"
backend.start(seed=1)
store = make_store(entries=12, photos=6)
plain = config.compose("train", ["architecture=simple_cnn", "regularizer=none", *CHOICES]).config
miner = config.build(plain, "miner")
batches = PeopleByPhotos(
    store, people=4, photos=4, steps=4, augmentation=none, miner=miner, seed=1
)
embedder = config.build(plain, "architecture", input_size=32)
nouns = {noun: config.build(plain, noun) for noun in ("loss", "regularizer")}
model = TripletModel(embedder, miner=miner, **nouns, batch_size=16, seed=1)

class Report:
    losses = []
    def step(self): pass
    def epoch(self, epoch, metrics): self.losses.append(metrics["loss"])

rates = config.build(plain, "rate_schedule")
fit(model, batches,
    optimizer=config.build(plain, "optimizer", schedule=rates, steps=32),
    margin=config.build(plain, "margin_schedule"),
    judge=lambda network, margin: {"validation_auc": len(Report.losses) / 100, "mean_distance": 1},
    guard=config.build(plain, "guard"), report=Report(), checkpoint=None, epochs=8, patience=8)
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
        ["miner=batch_all", "margin_schedule=linear"],
    ],
)
def test_the_training_path_runs_unchanged_on_jax(choices):
    done = subprocess.run(
        [sys.executable, "-c", FIT, *choices],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, last = map(float, done.stdout.split()[-2:])
    assert last < first
