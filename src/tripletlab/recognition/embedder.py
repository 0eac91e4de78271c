"""The exported network, run by ONNX Runtime; it is not trusted, as it may come from anybody."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.recognition.search import is_unit

MOST_BYTES = 1 << 29  # of a network's file
MOST_MEMORY = 1 << 31  # bytes that networks may allocate in this process
MOST_PIXELS = 1 << 20  # of the faces in one batch
PATIENCE = 20.0  # seconds for the trial run
SIZES = range(16, 513)  # pixels along the side of a face


class Embedder:
    """Faces to unit embeddings in float32, on one thread: a face is too small for more."""

    def __init__(self, content: bytes, *, name: str | Path) -> None:
        """Load a network from the bytes of its file; InputError, with its `name`, if unusable.

        It is tried on a few faces before ONNX Runtime may optimise it, since optimisation folds
        constants and cannot be interrupted. Loading from bytes keeps it from reading other files.
        """
        self._name = name
        self._session = _load(content, name, optimised=False)
        self._input, self.size, self.dim = _signature(self._session, name)
        self._try_out()
        self._session = _load(content, name, optimised=True)

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (n, size, size), 0 to 255 -> (n, dim); NaN where the result is no unit vector."""
        step = max(1, MOST_PIXELS // self.size**2)
        parts = [faces[start : start + step] for start in range(0, len(faces), step)]
        embeddings = np.concatenate(
            [np.empty((0, self.dim), np.float32), *(self._run(part, _options()) for part in parts)]
        )
        return np.where(is_unit(embeddings)[:, None], embeddings, np.float32(np.nan))

    def _run(
        self, faces: NDArray[np.uint8], options: onnxruntime.RunOptions
    ) -> NDArray[np.float32]:
        given = {self._input: faces[..., None].astype(np.float32)}
        try:
            (embeddings,) = self._session.run(None, given, options)
        except Exception as error:  # ONNX Runtime's exceptions have no common base class
            raise InputError(f"{self._name}: the network fails on a face") from error
        if embeddings.shape != (len(faces), self.dim):
            raise InputError(
                f"{self._name}: the network gives an array of shape {embeddings.shape} for"
                f" {len(faces)} faces, not one embedding for each"
            )
        return np.asarray(embeddings, np.float32)

    def _try_out(self) -> None:
        """InputError unless a few random faces get unit embeddings in time."""
        rng = np.random.default_rng(0)
        faces = rng.integers(0, 256, (3, self.size, self.size), np.uint8)
        with _in_time(self._name) as options:
            embeddings = self._run(faces, options)
        if not is_unit(embeddings).all():
            raise InputError(f"{self._name}: the network's embeddings are not of unit length")


def read_onnx(path: Path) -> bytes:
    """The bytes of a network's file; InputError if it is missing or far too large."""
    try:
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            return path.read_bytes()
        reason = "too large to be one" if path.is_file() else "no such file"
    except OSError as error:
        reason = str(error.strerror)
    raise InputError(f"{path}: no network that can be read ({reason})")


def check_detector(content: bytes, *, name: str | Path) -> None:
    """InputError unless a network runs on a small photo within the limits of memory and time.

    It is checked before OpenCV loads it, which has no such limits.
    """
    session, photo = _load(content, name, optimised=False), np.zeros((1, 3, 96, 96), np.float32)
    with _in_time(name) as options:
        try:
            session.run(None, {session.get_inputs()[0].name: photo}, options)
        except Exception as error:  # as in Embedder
            raise InputError(f"{name}: the network fails on a photo") from error


def _load(content: bytes, name: str | Path, *, optimised: bool) -> onnxruntime.InferenceSession:
    _limit_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal errors only; others are raised
    options.add_session_config_entry("session.use_env_allocators", "1")
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise InputError(f"{name}: no network that ONNX Runtime can run") from error


@functools.cache
def _limit_memory() -> None:
    """All networks of this process share one bounded pool; a network that needs more fails."""
    pool = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(
        pool, onnxruntime.OrtArenaCfg(MOST_MEMORY, -1, -1, -1)
    )


@contextlib.contextmanager
def _in_time(name: str | Path) -> Iterator[onnxruntime.RunOptions]:
    """Options of a run that is stopped when it takes too long; InputError then."""
    options, late = _options(), threading.Event()

    def stop() -> None:
        late.set()
        options.terminate = True

    timer = threading.Timer(PATIENCE, stop)
    timer.start()
    try:
        yield options
    except InputError:
        if late.is_set():
            raise InputError(f"{name}: too slow: no result in {PATIENCE:g} s") from None
        raise
    finally:
        timer.cancel()


def _options() -> onnxruntime.RunOptions:
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    return options


def _signature(session: onnxruntime.InferenceSession, name: str | Path) -> tuple[str, int, int]:
    """The input's name, the faces' size and the embeddings' dimension."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shapes = [[*one.shape] for one in (*inputs, *outputs)]
    if [one.type for one in (*inputs, *outputs)] == ["tensor(float)"] * 2:
        match shapes:
            case [[count, int(size), int(width), 1], [_, int(dim)]] if (
                not isinstance(count, int) and size == width and size in SIZES and dim > 0
            ):
                return str(inputs[0].name), size, dim
    raise InputError(
        f"{name}: not a network from any number of grey faces (n, size, size, 1) to embeddings"
        " (n, dim), all in float32"
    )
