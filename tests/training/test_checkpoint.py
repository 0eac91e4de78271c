"""A fit that is killed with kill -9 goes on and ends as the one that was not, to the last bit."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.training.fits import Silent, small_network
from tripletlab.errors import InputError

EPOCHS = 4
FIT = """
import sys, time
from pathlib import Path
import numpy as np
from tests.training.test_checkpoint import learn
pause = float(sys.argv[2])
progress, weights, epochs = learn(Path(sys.argv[1]), pause=pause)
np.savez(sys.argv[3], *weights, best=progress.best_epoch, epochs=epochs)
"""


class Slow(Silent):
    def __init__(self, pause):
        super().__init__()
        self.pause = pause

    def step(self):
        time.sleep(self.pause)


def learn(checkpoint, *, pause=0.0):
    """Four epochs whose scores come from the embeddings, so the fit finds the best.

    Its progress, the weights, and how many epochs this process trained.
    """
    import keras

    from tests.stores import make_store
    from tripletlab.training import backend
    from tripletlab.training.augmentation import none
    from tripletlab.training.batches import PeopleByPhotos
    from tripletlab.training.fit import fit
    from tripletlab.training.guard import none as unguarded
    from tripletlab.training.inference import embed
    from tripletlab.training.model import TripletModel
    from tripletlab.triplets.losses import hinge
    from tripletlab.triplets.miners import semihard
    from tripletlab.triplets.regularizers import none as none_added

    backend.start(seed=1)
    store = make_store(entries=12, photos=6)
    batches = PeopleByPhotos(
        store, people=4, photos=4, steps=5, augmentation=none, miner=semihard, seed=1
    )
    embedder = small_network()
    model = TripletModel(
        embedder,
        miner=semihard,
        loss=hinge,
        regularizer=none_added,
        margin=0.2,
        batch_size=16,
        seed=1,
    )

    def evaluate(network, margin):
        spread = float(embed(network, store.images).var(axis=0).sum())
        return {"auc": 1 - spread, "mean_distance": 2 * spread}

    seen = Slow(pause)
    progress = fit(
        model,
        batches,
        optimizer=keras.optimizers.Adam(1e-3),
        margin=lambda progress, distance: 0.2 + progress / 10,
        guard=unguarded,
        evaluate=evaluate,
        report=seen,
        checkpoint=checkpoint,
        epochs=EPOCHS,
        patience=EPOCHS,
    )
    weights = [*model.get_weights(), *(np.asarray(v) for v in model.optimizer.variables)]
    return progress, weights, len(seen.losses)


def start(checkpoint, result, *, pause):
    command = [sys.executable, "-c", FIT, str(checkpoint), str(pause), str(result)]
    return subprocess.Popen(command)


def test_killed_and_resumed_is_bit_for_bit_the_uninterrupted(tmp_path):
    whole, progress = tmp_path / "whole.npz", tmp_path / "cut.checkpoint"
    uninterrupted = start(tmp_path / "whole.checkpoint", whole, pause=0)
    cut = start(progress, tmp_path / "never.npz", pause=1.0)
    while not progress.is_file():
        assert cut.poll() is None
        time.sleep(0.05)
    time.sleep(1.5)  # into the next epoch
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    assert uninterrupted.wait() == 0
    assert not (tmp_path / "never.npz").exists()
    resumed = tmp_path / "resumed.npz"
    assert start(progress, resumed, pause=0).wait() == 0
    with np.load(whole) as one, np.load(resumed) as other:
        assert one.files == other.files
        for name in set(one.files) - {"epochs"}:
            np.testing.assert_array_equal(one[name], other[name])
        assert one["epochs"] == EPOCHS
        assert 0 < other["epochs"] < EPOCHS  # it goes on, and not from the start


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The checkpoint of a fit that has ended, and what `learn` returned."""
    path = tmp_path_factory.mktemp("finished") / "fit.checkpoint"
    return path, learn(path)


def test_a_finished_fit_is_not_repeated(finished):
    path, (first, weights, epochs) = finished
    assert len(first.speeds) == EPOCHS
    assert sum(80 / speed for speed in first.speeds) == pytest.approx(first.seconds)  # 80 faces
    again, same, more = learn(path)
    assert (epochs, more) == (EPOCHS, 0)
    assert (again.epoch, again.best_epoch, again.distances) == (
        EPOCHS,
        first.best_epoch,
        first.distances,
    )
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list(path.parent.glob(".*"))


def test_the_checkpoint_of_another_network_is_named(finished, tmp_path):
    with np.load(finished[0]) as stored:
        arrays = dict(stored)
    path = tmp_path / "fit.checkpoint"
    arrays["model/00000"] = arrays["model/00000"][None]
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(InputError, match=r"fit.checkpoint: the checkpoint of another network"):
        learn(path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "fit.checkpoint"
    path.write_bytes(b"PK half a file")
    with pytest.raises(InputError, match=r"fit.checkpoint: not a checkpoint"):
        learn(path)
