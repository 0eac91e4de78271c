import keras
import numpy as np
import pytest
import tensorflow

from tripletlab.training.adam import Adam

SHAPES = [(3, 4), (5,), ()]
SETTINGS = {
    "plain": {},
    "decay": {"weight_decay": 0.1},
    "clipped": {"global_clipnorm": 0.5},
    "averages": {"use_ema": True, "ema_momentum": 0.9},
    "amsgrad": {"amsgrad": True},
}


def moved(kind, steps, **settings):
    """Variables after so many steps in a graph, and the optimizer."""
    rng = np.random.default_rng(0)
    variables = [keras.Variable(rng.normal(size=shape), dtype="float32") for shape in SHAPES]
    optimizer = kind(learning_rate=keras.optimizers.schedules.CosineDecay(0.1, 20), **settings)
    optimizer.build(variables)

    @tensorflow.function(jit_compile=False)
    def step(*gradients):
        optimizer.apply(gradients)

    for _ in range(steps):
        step(*[tensorflow.constant(rng.normal(size=shape), "float32") for shape in SHAPES])
    return [np.asarray(one) for one in variables], optimizer


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_it_steps_like_keras_own(settings):
    ours, optimizer = moved(Adam, 12, **settings)
    theirs, reference = moved(keras.optimizers.Adam, 12, **settings)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(optimizer.variables, reference.variables, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-4, atol=1e-6)


def test_a_step_of_a_variable_is_one_operation():
    def operations(kind):
        variable = keras.Variable(np.ones(3, np.float32))
        optimizer = kind(0.1)
        optimizer.build([variable])
        step = tensorflow.function(lambda gradient: optimizer.apply([gradient]), jit_compile=False)
        graph = step.get_concrete_function(tensorflow.TensorSpec((3,), "float32")).graph
        return [one.type for one in graph.get_operations()]

    assert operations(Adam).count("ResourceApplyAdam") == 1
    assert "ResourceApplyAdam" not in operations(keras.optimizers.Adam)
    assert len(operations(Adam)) < 0.7 * len(operations(keras.optimizers.Adam))
