"""The training path on another backend, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

FIT = """
import json, sys
from tripletlab.training import backend
backend.load()

import jax, keras, numpy as np
from types import SimpleNamespace
from tests.stores import make_store
from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.components import build_components
from tripletlab.training.fit import fit
from tripletlab.training.inference import embed
from tripletlab.training.rates import scheduled

assert keras.backend.backend() == backend.description()["backend"] == "jax"
assert jax.config.jax_default_matmul_precision == "highest"
store = make_store(entries=12, photos=6)
small = ["architecture=simple_cnn", "architecture.width=0.25"]
small += ["batches.people=4", "batches.photos=4", "batches.steps=4"]

class Report:
    def __init__(self): self.losses = []
    def resumed(self, epochs): pass
    def step(self): pass
    def epoch(self, epoch, metrics): self.losses.append(metrics["train/loss"])

def learn(choices):
    backend.start(seed=1)
    run = config.compose("train", [*small, "regularizer=none", *choices])
    parts = build_components(run, SimpleNamespace(faces=store))
    model, embedder, batches = parts.model, parts.embedder, parts.batches
    rates, report = run.rate_schedule.build(), Report()
    fit(model, batches,
        optimizer=scheduled(run.optimizer.build(), rates, steps=32),
        margin=run.margin_schedule.build(),
        evaluate=lambda network, margin: {
            "auc": len(report.losses) / 100, "mean_distance": 1},
        guard=run.guard.build(), report=report, checkpoint=None, epochs=8, patience=8)
    embeddings = embed(embedder, store.images)
    assert np.allclose((embeddings ** 2).sum(axis=1), 1, atol=1e-5)
    return report.losses

def answer(choices):
    try:
        return learn(choices)
    except InputError as error:
        return str(error)

def own_losses():
    from tests.training.fits import decayed_network, settings, unit
    from tripletlab.training.model import TripletModel
    from tripletlab.triplets.miners import semihard
    embedder = decayed_network()
    kernel = embedder.layers[0].get_layer("decayed").get_weights()[0]
    model = TripletModel(embedder, **settings(miner=semihard))
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    seen = model.train_on_batch(unit(1), np.repeat(np.arange(4), 3), return_dict=True)
    activity = 0.01 * np.abs(unit(1) @ kernel).sum(axis=1).mean()
    own = 0.01 * (kernel ** 2).sum() + activity
    assert own > 0.05 and abs(seen["loss"] - seen["triplet_loss"] - own) < 1e-4, (seen, own)

own_losses()
print(json.dumps([answer(choices) for choices in json.loads(sys.argv[1])]))
"""
CHOICES = [
    [],
    ["miner=distance_weighted", "loss=softplus", "regularizer=spread"],
    ["miner=batch_all", "margin_schedule=linear", "margin_schedule.start=0.2"],
]
OFFLINE = ["batches=offline"]
QUICKLY = "--xla_backend_optimization_level=0"  # to compile takes longer than to compute


@pytest.fixture(scope="module")
def answers():
    """The losses of every fit, or why there was none."""
    done = subprocess.run(
        [sys.executable, "-c", FIT, json.dumps([*CHOICES, OFFLINE])],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": QUICKLY},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("place", range(len(CHOICES)))
def test_the_training_path_runs_unchanged_on_jax(place, answers):
    assert len(answers[place]) == 8
    assert answers[place][-1] < answers[place][0]


def test_offline_mining_is_refused_there(answers):
    assert "only TensorFlow shows them during a fit" in answers[-1]
