"""The exported network, run by ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tripletlab.errors import InputError

BATCH = 256


class Embedder:
    """Faces to unit embeddings in float32, on one thread: a face is too small to share out."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors alone
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a family of its own, without a common parent
            raise InputError(f"{path}: no network that ONNX Runtime can run") from error
        (given,), (answer,) = self._session.get_inputs(), self._session.get_outputs()
        self._input = given.name
        self.size, self.dim = int(given.shape[1]), int(answer.shape[1])

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (n, size, size) -> (n, dim)."""
        parts = [
            self._session.run(None, {self._input: part[..., None].astype(np.float32)})[0]
            for part in (faces[start : start + BATCH] for start in range(0, len(faces), BATCH))
        ]
        return np.concatenate([np.empty((0, self.dim), np.float32), *parts])
