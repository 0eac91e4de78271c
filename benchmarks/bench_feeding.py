"""Whether a fit has to wait for its batches when the file of faces is large."""

import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from bench_training import STEPS, EnoughError, Turns, constant_fit, overrides
from harness import DATA, Result, ratios

from tripletlab import config
from tripletlab.experiment.components import build_components
from tripletlab.experiment.data import prepare
from tripletlab.training.rates import scheduled

FACES = (300_000, 3_300_000)
PAGE = os.sysconf("SC_PAGE_SIZE")


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    for faces in FACES:
        yield from _feeding(faces, rounds)


def _feeding(faces: int, rounds: int) -> Iterator[Result]:
    """A fit from a sparse file of so many faces; in its pauses, a fit on a constant batch."""
    words = ["dtype=auto", "batches.people=16", "batches.photos=8"]
    chosen = config.compose("train", overrides(*words, f"batches.steps={(rounds + 1) * STEPS}"))
    data = prepare(chosen, fresh=False)
    bare = build_components(chosen, data)
    turns = Turns({"constant": constant_fit(bare, chosen, bare.batches[0])})
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        file = Path(scratch) / "faces"
        file.touch()
        os.truncate(file, faces * 64 * 64)
        before = _resident()
        store = _of_so_many(data.faces, file, faces)
        parts = build_components(chosen, data._replace(faces=store))
        started = time.perf_counter()
        with suppress(EnoughError):
            turns.fit(
                parts.model,
                parts.batches,
                optimizer=scheduled(
                    chosen.optimizer.build(), chosen.rate_schedule.build(), steps=9999
                ),
                margin=chosen.margin_schedule.build(),
                guard=lambda distances: None,
                evaluate=lambda *_: {"auc": 0.5, "mean_distance": 1.0},
                report=SimpleNamespace(resumed=list, step=lambda: None, epoch=lambda *_: None),
                checkpoint=None,
                epochs=1,
                patience=1,
            )
        more = (_resident() - before) / 2**20
    slower = ratios(turns.spent["constant"], base=turns.spent["fit"])
    name = f"feeding from {faces:,} faces"
    note = f"{more:,.0f} MB of memory more than before, with the network and its graph"
    yield Result(
        f"{name}: a step's time relative to a constant batch's", "×", slower, most=1.03, note=note
    )
    note = "tracing the graph included"
    yield Result(f"{name}: first step", "s", (turns.first - started,), most=2, note=note)


def _resident() -> int:
    """Bytes of memory of this process, pages of mapped files included (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _of_so_many(store: Any, file: Path, faces: int) -> Any:
    """The store with other faces: 40 of each person, mapped from the file."""
    people = faces // 40
    names = tuple(f"person {number}" for number in range(people))
    return dataclasses.replace(
        store,
        images=np.memmap(file, np.uint8, mode="r", shape=(faces, 64, 64)),
        offsets=np.arange(people + 1) * 40,
        names=names,
        display_names=names,
        trees=np.zeros(people, np.int64),
        split=np.zeros(people, np.int64),
    )
