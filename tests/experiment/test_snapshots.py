"""The snapshots of a training: a few, from the untrained network to the one that is kept."""

import numpy as np
import pytest

from tripletlab.experiment.snapshots import FRAMES, Snapshot, animation


def snapshot(epoch):
    return Snapshot(epoch, np.full((2, 3), epoch, np.float32))


@pytest.mark.parametrize(
    ("epochs", "best", "kept"),
    [
        ([1, 2, 3], 3, [0, 1, 2, 3]),
        ([1, 2, 3], 2, [0, 1, 2]),  # what came after the best epoch led elsewhere
        ([4, 5], 4, [0, 4]),  # another process trained the first three
        ([4, 5], 2, [0, 2]),
        ([], 1, [0, 1]),
    ],
)
def test_the_animation_goes_from_untrained_to_the_best_epoch(epochs, best, kept):
    chosen = animation(snapshot(0), [snapshot(epoch) for epoch in epochs], snapshot(best))
    assert [one.epoch for one in chosen] == kept


def test_a_long_animation_is_thinned_and_keeps_its_ends():
    chosen = animation(snapshot(0), [snapshot(epoch) for epoch in range(1, 61)], snapshot(50))
    epochs = [one.epoch for one in chosen]
    assert len(epochs) == FRAMES
    assert epochs[0] == 0
    assert epochs[-1] == 50
    assert max(np.diff(epochs)) - min(np.diff(epochs)) <= 1
