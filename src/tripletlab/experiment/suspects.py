"""`tripletlab suspects`: photos that may lie in the wrong person's folder, the likeliest first."""

import numpy as np

from tripletlab.config import EvaluateConfig
from tripletlab.experiment.data import prepare
from tripletlab.faces.mislabels import suspicion
from tripletlab.tracking import Tracker


def suspects(config: EvaluateConfig, which: str, *, share: float) -> None:
    """Print the `share` of the faces that a registered network holds for somebody else's.

    Only those that are nearer to another person than to their own are listed. The lines are a list
    for hygiene.exclude: nothing is dropped unless that is given.
    """
    from tripletlab.training import backend

    tracker: Tracker = config.tracking.build()
    tracker.open_existing()
    chosen = tracker.models.find(which)
    faces = prepare(config, fresh=False).faces
    backend.load()
    from tripletlab.training.inference import embed

    found = suspicion(embed(tracker.models.load(chosen), faces.images), faces.labels)
    people = sorted(set(faces.names))
    first = np.argsort(-found.score, kind="stable")[: round(share * len(found.score))]
    print(f"# by {chosen}; for hygiene.exclude=[this file] once looked at")
    for face in first[found.score[first] > 0]:
        print(
            f"{faces.sources[face]}  # {found.own[face]:.2f} from the person's other photos,"
            f" {found.other[face]:.2f} from {people[found.nearest[face]]}"
        )
