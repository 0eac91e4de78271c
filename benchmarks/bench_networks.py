"""How fast each network of conf/architecture trains and embeds, relative to the default one."""

import logging
import statistics
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from harness import Result, interleaved, number, ratios
from own_step import SIZE, model_of

from tripletlab import config
from tripletlab.architectures.operations import flops
from tripletlab.training import backend
from tripletlab.training.inference import BATCH, embed

BASE = "nn4_small2_half"
FACES, EACH = 64, 4  # of a step, and of a person in it


class Ways(NamedTuple):
    """A step of a network's training, a batch that it embeds, and its operations for a face."""

    training: Callable[[], object]
    inference: Callable[[], object]
    operations: float


def results(rounds: int) -> Iterator[Result]:
    """Two lines for each network, the cheapest first; weights and faces change no speed."""
    backend.start(seed=1)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of ten networks' graphs
    made = {name: _ways(name) for name in config.groups()["architecture"]}
    images = {"training": FACES, "inference": BATCH}
    turns = {f"{name}, {what}": getattr(made[name], what) for name in made for what in images}
    spent = interleaved(turns, rounds=min(rounds, 7), title="networks", warm=2)  # the first traces
    for name in sorted(made, key=lambda one: made[one].operations):
        for what, count in images.items():
            title, base = f"{name}, {what}", f"{BASE}, {what}"
            speeds = tuple(count / seconds for seconds in spent[title])
            note = f"{made[name].operations / 1e6:.1f} MFLOP"
            if name == BASE:
                yield Result(title, "images/s", speeds, note=note)
                continue
            note += f", {number(statistics.median(speeds))} images/s"
            faster = ratios(spent[title], base=spent[base])
            yield Result(f"{title}: speed relative to {BASE}", "×", faster, note=note)


def _ways(name: str) -> Ways:
    """A network, compiled; mining is a part of its step."""
    chosen = config.compose("train", [f"architecture={name}"])
    model = model_of(chosen, batch_size=FACES)
    embedder = model.embedder
    faces = np.random.default_rng(0).integers(0, 256, (BATCH, SIZE, SIZE), np.uint8)
    labels = np.repeat(np.arange(FACES // EACH, dtype=np.int32), EACH)
    return Ways(
        lambda: model.train_on_batch(faces[:FACES, ..., None], labels),
        lambda: embed(embedder, faces),
        flops(embedder) or 0,
    )
