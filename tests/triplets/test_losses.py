"""The losses and their mean, against the formulas written out."""

import keras
import numpy as np

from tripletlab.triplets.losses import hinge, mean_where, softplus


def test_hinge():
    positive, negative = np.float32([0.5, 0.1, 0.2]), np.float32([0.4, 0.9, 0.4])
    np.testing.assert_allclose(hinge(positive, negative, margin=0.2), [0.3, 0, 0], atol=1e-7)


def test_softplus_is_the_hinge_without_its_corner():
    positive, negative = np.float32([0.5, 0.1, 3.9, 0]), np.float32([0.4, 0.9, 0, 3.9])
    expected = np.log1p(np.exp(np.float64(positive) - negative + 0.2))
    np.testing.assert_allclose(softplus(positive, negative, margin=0.2), expected, rtol=1e-5)
    assert (np.asarray(softplus(positive, negative, margin=0.2)) > 0).all()
    even = softplus(np.float32([0.3]), np.float32([0.5]), margin=0.2)
    np.testing.assert_allclose(even, [0.693147], rtol=1e-5)  # ln 2 where the hinge has its corner


def test_mean_of_the_chosen():
    values, chosen = np.float32([1, 2, 4]), np.array([True, False, True])
    assert float(mean_where(values, chosen)) == 2.5


def test_mean_of_none_is_zero_with_zero_gradient():
    import tensorflow

    values = keras.Variable([1.0, 2.0])
    with tensorflow.GradientTape() as tape:
        mean = mean_where(keras.ops.convert_to_tensor(values), np.array([False, False]))
    assert float(mean) == 0
    np.testing.assert_array_equal(tape.gradient(mean, values.value), [0, 0])
