import numpy as np
import pytest
import tensorflow
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab.training import backend
from tripletlab.triplets.sorting import ascending, by_keras, sorting


def sorts():
    return {"Keras": by_keras, "the backend": backend.sort(xla=False)}


@pytest.mark.parametrize("name", sorts())
@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 4),
    length=st.integers(1, 40),
    levels=st.sampled_from([1, 3, 1000]),
    seed=st.integers(0, 999),
)
def test_rows_are_sorted_and_the_first_of_equal_values_stays_first(
    name, rows, length, levels, seed
):
    rng = np.random.default_rng(seed)
    values = (rng.integers(0, levels, (rows, length)) / levels).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.inf
    values[rng.random(values.shape) < 0.1] = -0.0
    with sorting(sorts()[name]):
        increasing, order = map(np.asarray, ascending(values))
    np.testing.assert_array_equal(order, np.argsort(values, axis=1, kind="stable"))
    np.testing.assert_array_equal(increasing, np.sort(values, axis=1))


def test_numpy_sorts_in_tensorflows_graph_on_a_cpu_alone(monkeypatch):
    with sorting(backend.sort(xla=False)):
        graph = tensorflow.function(ascending, jit_compile=False)
        graph = graph.get_concrete_function(tensorflow.TensorSpec((3, 5), "float32"))
    assert "PyFuncStateless" in {one.type for one in graph.graph.get_operations()}
    assert [one.shape for one in graph.outputs] == [(3, 5), (3, 5)]
    assert backend.sort(xla=True) is by_keras
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda kind: ["one"])
    assert backend.sort(xla=False) is by_keras


def test_the_choice_ends_with_its_block():
    values = np.float32([[2, 1]])
    with pytest.raises(ZeroDivisionError), sorting(lambda values: 1 / 0):
        ascending(values)
    assert np.asarray(ascending(values)[1]).tolist() == [[1, 0]]
