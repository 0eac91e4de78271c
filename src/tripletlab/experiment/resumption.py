"""`tripletlab train` given again: the run that it continues, or that is finished already."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tripletlab.config import RunConfig, own_code
from tripletlab.errors import InputError
from tripletlab.experiment.data import Data
from tripletlab.system.locks import held
from tripletlab.system.progress import say
from tripletlab.system.provenance import code_fingerprint, json_digest
from tripletlab.tracking import RunRecord, Tracker
from tripletlab.training import backend

RECIPE = "tripletlab.recipe"  # the tag by which a run of the same recipe is found
ELSEWHERE = ("tracking", "preparation", "data")  # config keys that decide no number of a run


class Earlier(NamedTuple):
    """What an earlier run of the same recipe left behind."""

    run: RunRecord | None  # the run itself; None where there is none
    tags: dict[str, str]  # that a run of this recipe carries
    checkpoint: Path


@contextmanager
def earlier(config: RunConfig, data: Data, tracker: Tracker, *, fresh: bool) -> Iterator[Earlier]:
    """The earlier run of the same config, data and code; none if `fresh`, or others are at it.

    One process at a time trains a recipe: InputError for a second. The checkpoint is deleted when
    the block ends well.
    """
    recipe = _recipe(config, data)
    folder = Path(tracker.folder).resolve()
    checkpoint = folder / "train" / f"{code_fingerprint()}-{recipe}.npz"
    lock = folder / "live" / f"train-{recipe}"
    with held(lock) as free:
        if not free:
            raise InputError("another process is training the same network; let it end first")
        run = None if fresh else tracker.runs.tagged(RECIPE, recipe)
        if run is None:
            checkpoint.unlink(missing_ok=True)
        elif tracker.at_work_elsewhere(run.run_id):
            say(f"the run {run.run_id} of the same recipe is open elsewhere: a new one begins")
            run = None
        try:
            yield Earlier(run, {RECIPE: recipe}, checkpoint)
            checkpoint.unlink(missing_ok=True)
        finally:
            lock.unlink(missing_ok=True)


def _recipe(config: RunConfig, data: Data) -> str:
    """16 hex digits of what decides a run's numbers: config, data, code and backend."""
    own = {key: value for key, value in config.tree.items() if key not in ELSEWHERE}
    code = code_fingerprint(own_code()), backend.description()["backend"]
    return json_digest(own, data.faces.fingerprint, data.pairs.fingerprint, code, digits=16)
