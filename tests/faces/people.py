"""Six people, held-out shares, and a hygiene that excludes nobody."""

from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.sources import Heldout

PEOPLE = dict.fromkeys(("Ann", "Ben", "Cem", "Dan", "Eva", "Fay"), 4)  # photos of each
ALLOWING = Hygiene(exclude=[], shared="allow")


def held(fraction: float, folds: int = 0) -> Heldout:
    """A share of the people, with ten pairs of each kind in a fold."""
    return Heldout(fraction, folds=folds, per_fold=10, seed=0)
