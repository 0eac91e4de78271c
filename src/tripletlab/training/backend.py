"""The one place that knows which library computes: importing it, and making it repeatable."""

from collections.abc import Callable
from typing import Any

from tripletlab.system.progress import quiet_stderr


def load() -> None:
    """Import Keras and its backend, without the notes that the backend writes about itself."""
    with quiet_stderr():
        import keras

        keras.ops.ones(1)  # the backend looks for its devices now, and not in a progress bar


def start(*, seed: int) -> None:
    """Forget the last network and seed everything: the same seed then gives the same numbers."""
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()


def graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, compiled to a graph where the backend has one beside XLA's."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow

    return tensorflow.function(function, jit_compile=False)  # type: ignore[no-any-return]


def jit_compile() -> bool | str:
    """XLA halves TensorFlow's speed on a CPU; elsewhere Keras decides."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow

    return "auto" if tensorflow.config.list_physical_devices("GPU") else False
