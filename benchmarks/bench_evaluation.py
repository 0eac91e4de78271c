"""The LFW protocol against loops over thresholds, and embedding against bare batches."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from harness import Result, interleaved, ratios
from protocol import by_loops, drawn

from tripletlab import config
from tripletlab.evaluation.protocol import evaluate
from tripletlab.training.inference import BATCH, embed

PAIRS, PEOPLE, FACES = 6_000, 4_281, 8_006  # as LFW has


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    case = drawn(PAIRS, people=PEOPLE)[:3]
    grid = np.arange(0, 4, 0.01)
    ways = {"own": lambda: evaluate(*case), "loops": lambda: by_loops(*case, grid)}
    spent = interleaved(ways, rounds=min(rounds, 5), title="protocol")
    speeds = ratios(spent["own"], base=spent["loops"])
    yield Result(
        f"protocol, {PAIRS:,} pairs: speed, of loops over 400 thresholds", "×", speeds, least=100
    )
    network = config.compose("train", []).architecture.build(input_size=64)
    faces = np.random.default_rng(0).integers(0, 256, (FACES, 64, 64), np.uint8)
    compiled = tf.function(lambda batch: network(batch, training=False))
    batch = tf.constant(faces[:BATCH, ..., None].astype(np.float32))

    def bare() -> None:
        for _ in range(-(-FACES // BATCH)):
            compiled(batch)

    ways = {"embed": lambda: embed(network, faces), "bare": bare}
    spent = interleaved(ways, rounds=min(rounds, 5), title="embedding")
    speeds = ratios(spent["embed"], base=spent["bare"])
    yield Result(f"{FACES:,} faces embedded: speed, of bare batches", "×", speeds, least=0.9)
