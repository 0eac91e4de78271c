"""Semi-hard mining in the graph compared with pytorch-metric-learning, on the same embeddings."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf
from harness import Result, interleaved, ratios
from other_process import pytorch

from tripletlab.training import backend
from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.miners import semihard
from tripletlab.triplets.sorting import sorting

SIZES = {128: (8, 3), 512: (8, 25), 1800: (40, 50)}  # batch: faces of a person, target
TIMES = {128: 10, 512: 3, 1800: 1}  # in a turn: a small batch is too short for the clock
DIM, MARGIN = 128, 0.2


def results(rounds: int) -> Iterator[Result]:
    """Two lines for each size of a batch."""
    for batch, (photos, target) in SIZES.items():
        rng = np.random.default_rng(0)
        points = rng.normal(size=(batch, DIM)).astype(np.float32)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        labels = np.repeat(np.arange(batch // photos), photos).astype(np.int32)
        name, times = f"semi-hard mining, batch of {batch:,}", TIMES[batch]
        ways: dict[str, Callable[[], object]] = {"own": _own(points, labels, times=times)}
        with suppress(ImportError):
            peer = pytorch("mining", points=points, labels=labels, margin=MARGIN, times=times)
            ways["peer"] = peer
        spent = interleaved(ways, rounds=min(rounds, 5) if batch > 1000 else rounds, title=name)
        alone = tuple(1000 * seconds / times for seconds in spent["own"])
        yield Result(name, "ms", alone)
        if "peer" in ways:
            peer.close()
            speeds = ratios(spent["own"], base=spent["peer"])
            yield Result(
                f"{name}: speed relative to pytorch-metric-learning", "×", speeds, least=target
            )
        else:
            missing = "pytorch-metric-learning is not installed: pip install -e '.[bench]'"
            yield Result(
                f"{name}: speed relative to pytorch-metric-learning",
                "×",
                least=target,
                note=missing,
            )


def _own(points: Any, labels: Any, *, times: int) -> Callable[[], object]:
    embeddings, people = tf.constant(points), tf.constant(labels)
    draws = tf.random.uniform((len(points), len(points)))

    def mine() -> object:
        with sorting(backend.sort(xla=False)):
            return semihard(squared_distances(embeddings), people, margin=MARGIN, draws=draws)

    compiled = tf.function(mine)
    return lambda: [compiled() for _ in range(times)]
