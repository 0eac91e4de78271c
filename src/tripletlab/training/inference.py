"""Faces to embeddings."""

import time

import keras
import numpy as np
from numpy.typing import NDArray

from tripletlab.errors import InputError
from tripletlab.training.backend import jit_compile

BATCH = 256
TIMED = 8  # batches: a second for nn4_small2_half on two cores


def embed(embedder: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Faces (n, size, size) uint8 -> unit embeddings (n, dim).

    `predict` costs three times as much; a compiled call on batches of one shape does not.
    InputError when the network reads faces of another size.
    """
    size = embedder.input_shape[1]
    if faces.shape[1] != size:
        raise InputError(
            f"the network reads faces of {size}×{size} pixels, and these have"
            f" {faces.shape[1]}×{faces.shape[2]}: prepare them with faces.size={size}"
        )
    if not len(faces):
        return np.empty((0, embedder.output_shape[-1]), np.float32)
    if not getattr(embedder, "compiled", False):
        embedder.compile(jit_compile=jit_compile())
    batches = []
    for start in range(0, len(faces), BATCH):
        batch = np.zeros((BATCH, *faces.shape[1:], 1), np.float32)
        part = faces[start : start + BATCH]
        batch[: len(part), ..., 0] = part
        batches.append(np.asarray(embedder.predict_on_batch(batch))[: len(part)])
    return np.concatenate(batches)


def copied(embedder: keras.Model, *, to: keras.Model) -> keras.Model:
    """The network `to` with the weights of another, which has the same layers in any dtype."""
    if to is not embedder:
        to.set_weights(embedder.get_weights())
    return to


def images_per_second(embedder: keras.Model, faces: NDArray[np.uint8]) -> float:
    """The speed of `embed` in full batches: the median of several, after one that compiles."""
    batch = np.resize(faces, (BATCH, *faces.shape[1:]))
    embed(embedder, batch)
    seconds = []
    for _ in range(TIMED):
        started = time.perf_counter()
        embed(embedder, batch)
        seconds.append(time.perf_counter() - started)
    return float(BATCH / np.median(seconds))
