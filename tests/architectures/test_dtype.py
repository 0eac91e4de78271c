"""The dtype of layers created in its context, and that nothing of it is left behind."""

import keras
import pytest

from tripletlab.architectures.dtype import computing_in


def state():
    return keras.config.dtype_policy().name, keras.config.image_data_format()


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_layers_compute_in_it_and_keep_float32_weights(dtype):
    before = state()
    with computing_in(dtype):
        layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert layer.compute_dtype == dtype.removeprefix("mixed_")
    assert layer.kernel.dtype == "float32"
    assert state() == before


def fail():
    assert state() == ("mixed_bfloat16", "channels_last")
    raise ValueError("inside")


def test_what_was_set_before_comes_back_even_after_an_error():
    before = state()
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="inside"), computing_in("mixed_bfloat16"):
            fail()
        assert state() == (before[0], "channels_first")
    finally:
        keras.config.set_image_data_format(before[1])
