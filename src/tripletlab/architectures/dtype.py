"""The dtype that a network computes in during training."""

from collections.abc import Iterator
from contextlib import contextmanager

from tripletlab.system.processor import DType, resolve_dtype


@contextmanager
def computing_in(dtype: DType) -> Iterator[None]:
    """Layers created in this context compute in `dtype`; their weights are always float32.

    Channels are last, whatever a personal keras.json says.
    """
    import keras

    before = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy(resolve_dtype(dtype))
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[1])
