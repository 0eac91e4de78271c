"""Semi-hard mining in the graph against pytorch-metric-learning's, on the same embeddings."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from harness import Result, interleaved, ratios

from tripletlab.training import backend
from tripletlab.triplets.distances import squared_distances
from tripletlab.triplets.miners import semihard
from tripletlab.triplets.sorting import sorting

SIZES = {128: (8, 3), 512: (8, 25), 1800: (40, 50)}  # batch: faces of a person, target
DIM, MARGIN = 128, 0.2


def results(rounds: int) -> Iterator[Result]:
    """A line for each size of a batch."""
    for batch, (photos, target) in SIZES.items():
        rng = np.random.default_rng(0)
        points = rng.normal(size=(batch, DIM)).astype(np.float32)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        labels = np.repeat(np.arange(batch // photos), photos).astype(np.int32)
        name = f"semi-hard mining, batch of {batch:,}"
        ways = {"own": _own(points, labels)}
        try:
            ways["peer"] = _peer(points, labels)
        except ImportError:
            rounds_own = interleaved(ways, rounds=rounds, title=name)["own"]
            alone = tuple(1000 * seconds for seconds in rounds_own)
            yield Result(name, "ms", alone)
            missing = "pytorch-metric-learning is not installed: pip install 'tripletlab[bench]'"
            yield Result(f"{name}: speed, of the peer's", "×", least=target, note=missing)
            continue
        few = max(rounds // (10 if batch > 1000 else 1), 2)  # the peer takes seconds there
        spent = interleaved(ways, rounds=few, title=name)
        yield Result(name, "ms", tuple(1000 * seconds for seconds in spent["own"]))
        speeds = ratios(spent["own"], base=spent["peer"])
        yield Result(f"{name}: speed, of the peer's", "×", speeds, least=target)


def _own(points: Any, labels: Any) -> Callable[[], object]:
    embeddings, people = tf.constant(points), tf.constant(labels)
    draws = tf.random.uniform((len(points), len(points)))

    def mine() -> object:
        with sorting(backend.sort(xla=False)):
            return semihard(squared_distances(embeddings), people, margin=MARGIN, draws=draws)

    compiled: Callable[[], object] = tf.function(mine)
    return compiled


def _peer(points: Any, labels: Any) -> Callable[[], object]:
    import torch
    from pytorch_metric_learning.miners import TripletMarginMiner

    miner = TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard")
    embeddings, people = torch.from_numpy(points), torch.from_numpy(labels)
    return lambda: miner(embeddings, people)
