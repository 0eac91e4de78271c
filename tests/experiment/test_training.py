"""The film of a training: a few moments, from the untrained network to the one that is kept."""

import numpy as np
import pytest

from tripletlab.experiment.evaluation import Moment
from tripletlab.experiment.training import FRAMES, _film


def moment(epoch):
    return Moment(epoch, np.full((2, 3), epoch, np.float32))


@pytest.mark.parametrize(
    ("seen", "best", "shown"),
    [
        ([1, 2, 3], 3, [0, 1, 2, 3]),
        ([1, 2, 3], 2, [0, 1, 2]),  # what came after the best epoch led elsewhere
        ([4, 5], 4, [0, 4]),  # a dead process saw the first three
        ([4, 5], 2, [0, 2]),
        ([], 1, [0, 1]),
    ],
)
def test_the_film_goes_from_untrained_to_the_best_epoch(seen, best, shown):
    film = _film(moment(0), [moment(epoch) for epoch in seen], moment(best))
    assert [one.epoch for one in film] == shown


def test_a_long_film_is_thinned_and_keeps_its_ends():
    film = _film(moment(0), [moment(epoch) for epoch in range(1, 61)], moment(50))
    epochs = [one.epoch for one in film]
    assert len(epochs) == FRAMES
    assert epochs[0] == 0
    assert epochs[-1] == 50
    assert max(np.diff(epochs)) - min(np.diff(epochs)) <= 1
