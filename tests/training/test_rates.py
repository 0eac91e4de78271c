"""Learning rates against their formulas, and the optimizer that takes them."""

from functools import partial

import keras
import numpy as np
import pytest

from tripletlab.training.rates import Rate, constant, cosine, scheduled, step

STEPS = 101  # progress in hundredths


def rates(schedule, **settings):
    rate = Rate(0.5, lambda progress: schedule(progress, **settings), steps=STEPS)
    return np.array([float(rate(step)) for step in range(STEPS)])


def test_constant():
    np.testing.assert_array_equal(rates(constant, warm_up=0.0), 0.5)
    warmed = rates(constant, warm_up=0.2)
    np.testing.assert_allclose(warmed[:21], np.linspace(0, 0.5, 21), atol=1e-6)
    np.testing.assert_allclose(warmed[20:], 0.5)


def test_cosine():
    seen = rates(cosine, warm_up=0.0, end=0.1)
    # A half cosine by hand: cos 60° is a half, cos 90° nothing, cos 120° minus a half.
    thirds = np.interp([0, 100 / 3, 50, 200 / 3, 100], np.arange(STEPS), seen)
    np.testing.assert_allclose(thirds, [0.5, 0.3875, 0.275, 0.1625, 0.05], rtol=1e-3)
    assert (np.diff(seen) < 0).all()
    warmed = rates(cosine, warm_up=0.5, end=0.1)
    assert warmed.argmax() == 50
    assert warmed[-1] == pytest.approx(0.05, abs=1e-6)
    assert warmed[75] == pytest.approx(0.5 * (0.1 + 0.9 / 2), abs=1e-5)


def test_stairs():
    seen = rates(step, warm_up=0.0, stairs=3, factor=0.1)
    assert [round(float(one), 6) for one in sorted(set(seen), reverse=True)] == [0.5, 0.05, 0.005]
    assert (np.diff(seen) <= 0).all()
    assert {int((seen == one).sum()) for one in set(seen)} <= {33, 34}
    warmed = rates(step, warm_up=0.4, stairs=2, factor=0.1)
    np.testing.assert_allclose(warmed[:41], np.linspace(0, 0.5, 41), atol=1e-6)
    np.testing.assert_allclose(warmed[41:70], 0.5)  # at 70, floats round either way
    np.testing.assert_allclose(warmed[71:], 0.05)


def test_after_the_last_step_the_rate_stays():
    rate = Rate(0.5, lambda progress: cosine(progress, warm_up=0.0, end=0.1), steps=10)
    assert float(rate(500)) == pytest.approx(0.05)


def plain(progress):
    return constant(progress, warm_up=0.0)


def moved(optimizer, gradients):
    weights = [keras.Variable([1.0, 2.0]), keras.Variable([3.0])]
    for one in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(part) for part in one], weights)
    return [np.asarray(one) for one in weights]


GRADIENTS = [([3.0, 0.0], [4.0]), ([0.1, 0.1], [0.1])]


def test_a_constant_rate_is_kerass_adam_to_the_last_bit():
    ours = moved(
        scheduled(partial(keras.optimizers.Adam, learning_rate=1e-3), plain, steps=2), GRADIENTS
    )
    for one, other in zip(ours, moved(keras.optimizers.Adam(1e-3), GRADIENTS), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_long_gradient_is_scaled_down_as_a_whole():
    """(3, 0, 4) measures 5: clipped to 1 it is a fifth of itself."""
    clipped = scheduled(
        partial(keras.optimizers.Adam, learning_rate=1e-3, global_clipnorm=1.0), plain, steps=2
    )
    fifth = [([0.6, 0.0], [0.8]), GRADIENTS[1]]
    for one, other in zip(
        moved(clipped, GRADIENTS), moved(keras.optimizers.Adam(1e-3), fifth), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
