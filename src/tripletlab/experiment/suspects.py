"""`tripletlab suspects`: photos that may lie in the wrong person's folder, the likeliest first."""

from collections.abc import Sequence

import numpy as np

from tripletlab.evaluation.mislabels import suspicion
from tripletlab.experiment.data import prepare
from tripletlab.experiment.target import run_config, tracker_of
from tripletlab.training import backend


def suspects(which: str, overrides: Sequence[str], *, share: float) -> None:
    """Print the `share` of the faces that a network most likely takes for somebody else's.

    The faces are those that the network's run was prepared from, or those of the overrides. Only
    faces closer to another person than to their own are listed. The lines are a list for
    hygiene.exclude: nothing is dropped unless that is given.
    """
    tracker = tracker_of(overrides, writable=False)
    tracker.open_existing()
    chosen = tracker.models.find(which)
    faces = prepare(run_config(chosen.run_id, overrides, tracker), fresh=False).faces
    backend.load()
    from tripletlab.training.inference import embed

    found = suspicion(embed(tracker.models.load(chosen), faces.images), faces.labels)
    people = sorted(set(faces.names))
    first = np.argsort(-found.score, kind="stable")[: round(share * len(found.score))]
    print(f"# by {chosen}; for hygiene.exclude=[this file] once inspected")
    for face in first[found.score[first] > 0]:
        print(
            f"{faces.sources[face]}  # {found.own[face]:.2f} from the person's other photos,"
            f" {found.other[face]:.2f} from {people[found.nearest[face]]}"
        )
