"""Studies in a real SQLite file."""

from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.trial_queue import TrialQueue

GRID = Space(
    name="grid",
    axes={"miner": Choice(values=["semihard", "hard"]), "margin": Choice(values=[0.2, 0.4])},
)


def open_study(folder, space=GRID, *, fresh=False, name="a"):
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    return TrialQueue.open(storage, name=name, space=space, fresh=fresh)


def finish(queue, taken, score=None):
    queue.note_trial(taken.number, RUN, f"run {taken.number}")
    queue.complete(taken.number, {SCORE: taken.point["margin"] if score is None else score})
