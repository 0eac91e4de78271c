"""The one place that knows which library computes: importing it, and making it repeatable."""

import ctypes
import gc
import importlib.util
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.system.paths import expanded
from tripletlab.system.progress import quiet_stderr

BACKENDS = ("tensorflow", "jax")
# glibc's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, in bytes
MALLOC = {-1: 2**26, -2: 2**22, -3: 2**25}
LIMITS = {  # of Keras' own, which would end a fit early without a word
    "KERAS_MAX_EPOCHS": "fit.epochs",
    "KERAS_MAX_STEPS_PER_EPOCH": "batches.steps",
}


def load(*, training: bool = True) -> None:
    """Import Keras and its backend, without the notes that the backend writes about itself.

    The settings are those of `settle`. Without `training` Keras comes on its NumPy backend where
    JAX is installed, which that needs: enough to validate a config, in half the time of
    TensorFlow. InputError where the environment asks for a backend or a limit that cannot be had.
    """
    _check_environment()
    with quiet_stderr():
        try:
            keras = _import_keras(training=training)
        except ValueError as error:
            raise InputError(f"{_personal_settings()}: Keras cannot use it ({error})") from error
        settle()
        if training:
            if keras.backend.backend() not in BACKENDS:
                raise RuntimeError("this process loaded Keras to validate; it cannot train")
            if not gc.get_freeze_count():
                gc.freeze()  # what the libraries made stays: collections need not look through it
                _keep_freed_memory()
            keras.ops.ones(1)  # the backend looks for its devices now, and not in a progress bar


def _import_keras(*, training: bool) -> Any:
    wanted = os.environ["KERAS_BACKEND"]
    if not training and importlib.util.find_spec("jax"):
        os.environ["KERAS_BACKEND"] = "numpy"  # without effect where Keras is imported already
    try:
        import keras
    finally:
        os.environ["KERAS_BACKEND"] = wanted  # for processes that this one starts
    return keras


def settle() -> None:
    """Set all that a personal keras.json or the library's defaults would decide otherwise.

    Arithmetic in float32 is float32: GPUs since Ampere would round its factors to TF32's 10 bits.
    """
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    if tensorflow := _tensorflow():
        tensorflow.config.experimental.enable_tensor_float_32_execution(False)
    elif keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def start(*, seed: int) -> None:
    """Forget the last network and seed everything: the same seed then gives the same numbers."""
    import keras

    settle()
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    if tensorflow := _tensorflow():
        tensorflow.config.experimental.enable_op_determinism()


def require_tensorflow() -> None:
    """InputError for another backend, on which Keras writes no ONNX, SavedModel or LiteRT file."""
    import keras

    if (name := keras.backend.backend()) != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={name}: networks are exported by TensorFlow; export again with"
            " KERAS_BACKEND=tensorflow"
        )


def description() -> dict[str, Any]:
    """The backend, its devices, and whether TensorFlow computes with oneDNN (None: not known)."""
    import keras

    name = keras.backend.backend()
    if name == "jax":
        import jax

        return {"backend": name, "devices": [str(one) for one in jax.devices()], "onednn": None}
    import tensorflow

    known = tensorflow.config.experimental.get_device_details
    gpus = tensorflow.config.list_physical_devices("GPU")
    devices = [str(known(gpu).get("device_name", gpu.name)) for gpu in gpus] or ["CPU"]
    return {"backend": name, "devices": devices, "onednn": _onednn()}


def on_cpu_with_onednn() -> bool:
    """TensorFlow computes on a CPU, and with oneDNN as far as it can be known."""
    return _on_cpu() and _onednn() is not False


def graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, compiled to a graph where the backend has one beside XLA's."""
    tensorflow = _tensorflow()
    return tensorflow.function(function, jit_compile=False) if tensorflow else function


def jit_compile() -> bool | str:
    """XLA halves TensorFlow's speed on a CPU; elsewhere Keras decides."""
    return False if _on_cpu() else "auto"


def sort(*, xla: bool) -> Callable[..., Any]:
    """How miners sort: by NumPy where TensorFlow computes on a CPU, and the graph is not XLA's."""
    from tripletlab.triplets.sorting import by_keras

    return _by_numpy if _on_cpu() and not xla else by_keras


def _by_numpy(values: Any) -> tuple[Any, Any]:
    import tensorflow

    from tripletlab.triplets.sorting import by_numpy

    kinds = tensorflow.float32, tensorflow.int32
    increasing, order = tensorflow.numpy_function(by_numpy, [values], kinds, stateful=False)
    for one in (increasing, order):
        one.set_shape(values.shape)
    return increasing, order


def apply_adam(variable: Any, momentum: Any, velocity: Any, **numbers: Any) -> None:
    """One step of Adam, TensorFlow's own operation, on a variable of its and two of Keras'."""
    import tensorflow

    handles = {"var": variable.handle, "m": momentum.value.handle, "v": velocity.value.handle}
    tensorflow.raw_ops.ResourceApplyAdam(**handles, **numbers)


def litert(model: Any) -> tuple[bytes, Callable[[NDArray[np.uint8]], NDArray[np.float32]]]:
    """A model of grey faces as LiteRT's file, and a function that runs it on one thread.

    The function takes faces (n, size, size), uint8, and returns embeddings (n, dim).
    """
    import tensorflow

    with tempfile.TemporaryDirectory() as scratch:
        model.export(scratch, format="tf_saved_model", verbose=False)
        content = tensorflow.lite.TFLiteConverter.from_saved_model(scratch).convert()
    interpreter = tensorflow.lite.Interpreter(model_content=content, num_threads=1)
    (given,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        interpreter.resize_tensor_input(given["index"], (len(faces), *faces.shape[1:], 1))
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], faces[..., None].astype(np.float32))
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output["index"]))

    return content, run


def _tensorflow() -> Any:
    """The module where Keras computes by it, else None."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow

    return tensorflow


def _on_cpu() -> bool:
    """TensorFlow computes, and without a GPU."""
    tensorflow = _tensorflow()
    return tensorflow is not None and not tensorflow.config.list_physical_devices("GPU")


def _check_environment() -> None:
    wanted = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if wanted not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND={wanted}: the backends are {' and '.join(BACKENDS)}; unset it"
        )
    if importlib.util.find_spec(wanted) is None:
        if not os.environ.get("KERAS_BACKEND"):
            raise ModuleNotFoundError(f"No module named {wanted!r}", name=wanted)
        raise InputError(f"KERAS_BACKEND={wanted}: {wanted} is not installed; unset it")
    os.environ["KERAS_BACKEND"] = wanted  # else a personal keras.json decides
    for variable, key in LIMITS.items():
        if variable in os.environ:
            raise InputError(f"{variable} would end a fit early: unset it, and give {key}=…")


def _keep_freed_memory() -> None:
    """Let every thread keep some of the memory that it frees, where the C library is glibc.

    Threads other than the first give it back to the kernel at once. The one that makes batches
    would have every page of each batch anew, for which it takes longer than for all else.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in MALLOC.items():
            mallopt(parameter, value)


def _personal_settings() -> Path:
    return expanded(os.environ.get("KERAS_HOME", "~/.keras")) / "keras.json"


def _onednn() -> bool | None:
    """By default it depends on the processor, and TensorFlow has no public question for it."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())
