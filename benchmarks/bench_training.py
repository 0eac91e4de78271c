"""Training through `tripletlab train` against a bare loop of the same step, and its feeding."""

import dataclasses
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
from harness import Result, interleaved, ratios

from tripletlab import config
from tripletlab.experiment import run
from tripletlab.experiment.components import Components, build_components
from tripletlab.experiment.data import Data, prepare
from tripletlab.training import backend
from tripletlab.training.fit import fit
from tripletlab.training.rates import scheduled

STEPS, SETTLING = 16, 4  # in a turn of the fit; the first are not timed: batches were ready
TRIPLETS = 448  # pairs of a person in 16 × 8: what the one pass keeps at most
DATA = Path("data/bench")


def overrides(*more: str) -> list[str]:
    """Synthetic people, as few as a batch needs: what they look like changes no speed."""
    return [
        f"data={DATA}",
        "photos.people=48",
        "photos.photos=10",
        "verification.people=40",
        "verification.per_fold=10",
        *more,
    ]


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    for dtype in ("float32", "mixed_bfloat16"):
        for people in (16, 32):
            yield _through_train(dtype, people, rounds)
        for people in (16, 32):
            yield _peer(dtype, people, rounds)
    yield _three_inputs(rounds)
    yield from _roofline(rounds)
    for faces in (300_000, 3_300_000):
        yield from _feeding(faces, rounds)


def _through_train(dtype: str, people: int, rounds: int) -> Result:
    """A whole run, MLflow, validation and callbacks included; bare steps in its pauses."""
    words = overrides(f"dtype={dtype}", f"batches.people={people}", "batches.photos=8")
    words += [f"batches.steps={rounds * STEPS}", "fit.epochs=1"]
    with tempfile.TemporaryDirectory() as scratch:
        chosen = config.compose("train", [*words, f"tracking.folder={scratch}"])
        data = prepare(chosen, fresh=False)
        backend.start(seed=chosen.seed)
        turns = Turns(_bare(chosen, data))
        fitting = dataclasses.replace(chosen.fit, target=turns.fit)
        tracker = chosen.tracking.build()
        tracker.open()
        timed = chosen.model_copy(update={"fit": fitting})
        run.run(timed, data, name="benchmark", tracker=tracker)
    name = f"train, {people} × 8, {dtype}: of the bare loop's speed"
    speed = 8 * people * (STEPS - SETTLING) / min(turns.fitted)
    note = f"{speed:,.0f} images/s at best"
    return Result(name, "×", ratios(turns.fitted, base=turns.bare), least=0.95, note=note)


class Turns:
    """Runs bare steps in the pauses of a fit, and keeps the seconds of both."""

    def __init__(self, step: Callable[[], object]) -> None:
        self.step, self.count, self.started = step, 0, 0.0
        self.fitted: list[float] = []
        self.bare: list[float] = []

    def fit(self, *parts: Any, report: Any, **settings: Any) -> Any:
        """The product's own, with a report that takes the times."""

        def step() -> None:
            report.step()
            self._turn()

        return fit(*parts, report=SimpleNamespace(step=step, epoch=report.epoch), **settings)

    def _turn(self) -> None:
        self.count += 1
        place = self.count % STEPS
        if place == SETTLING:
            self.started = time.perf_counter()
        if place == 0:
            taken = time.perf_counter() - self.started
            self.step()
            started = time.perf_counter()
            for _ in range(STEPS - SETTLING):
                self.step()
            if self.count > STEPS:  # the first turn traces
                self.fitted.append(taken)
                self.bare.append(time.perf_counter() - started)


def _bare(chosen: config.RunConfig, data: Data) -> Callable[[], object]:
    """The step of the product's own model on one constant batch."""
    return _step(build_components(chosen, data), chosen)


def _step(parts: Components, chosen: config.RunConfig, batch: Any = None) -> Callable[[], object]:
    schedule = chosen.rate_schedule.build()
    optimizer = scheduled(chosen.optimizer.build(), schedule, steps=10_000)
    model = parts.model
    model.compile(optimizer=optimizer, jit_compile=backend.jit_compile())
    optimizer.build(model.trainable_variables)
    constant = [tf.constant(part) for part in (batch or parts.batches[0])]
    step: Callable[[], object] = tf.function(lambda: model.train_step(constant))
    return step


def _peer(dtype: str, people: int, rounds: int) -> Result:
    """The bare step against the same in PyTorch with pytorch-metric-learning."""
    name = f"bare step, {people} × 8, {dtype}: speed, of PyTorch's with pytorch-metric-learning"
    least = 1.2 if dtype == "mixed_bfloat16" else 1.25
    try:
        import torch_peer
    except ImportError:
        missing = "neither is installed: pip install 'tripletlab[bench]'"
        return Result(name, "×", least=least, note=missing)
    words = overrides(f"dtype={dtype}", f"batches.people={people}", "batches.photos=8")
    chosen = config.compose("train", words)
    parts = build_components(chosen, prepare(chosen, fresh=False))
    faces, labels = parts.batches[0]
    dim = parts.embedder.output_shape[-1]
    assert torch_peer.parameters(dim=dim) == parts.embedder.count_params()
    theirs = torch_peer.step(
        np.asarray(faces), np.asarray(labels), dtype=dtype, dim=dim, margin=chosen.margin
    )
    ways = {"own": _step(parts, chosen, (faces, labels)), "peer": theirs}
    spent = interleaved(ways, rounds=rounds, title=f"PyTorch, {people} × 8, {dtype}", warm=3)
    return Result(name, "×", ratios(spent["own"], base=spent["peer"]), least=least)


def _three_inputs(rounds: int) -> Result:
    """The paper's graph on as many triplets as the one pass has pairs; mining is left out."""
    steps = {}
    for name, words in {
        "one pass": ["batches.people=16", "batches.photos=8"],
        "three inputs": ["graph=three_inputs", f"batches.triplets={TRIPLETS}"],
    }.items():
        chosen = config.compose("train", overrides(*words))
        data = prepare(chosen, fresh=False)
        steps[name] = _step(build_components(chosen, data), chosen)
    spent = interleaved(steps, rounds=rounds, title="three inputs")
    speeds = ratios(spent["one pass"], base=spent["three inputs"])
    name = f"the paper's three inputs, {TRIPLETS} triplets: how much slower than one pass"
    return Result(name, "×", speeds, least=20, note="float32; its mining is not counted")


def _roofline(rounds: int) -> Iterator[Result]:
    """The step's operations a second against a matrix product's."""
    from tripletlab.architectures.operations import flops

    side = 2048
    for dtype in ("float32", "mixed_bfloat16"):
        words = overrides(f"dtype={dtype}", "batches.people=16", "batches.photos=8")
        chosen = config.compose("train", words)
        parts = build_components(chosen, prepare(chosen, fresh=False))
        matrix = tf.cast(tf.random.uniform((side, side)), dtype.removeprefix("mixed_"))
        product = tf.function(lambda matrix=matrix: tf.matmul(matrix, matrix))
        ways = {"step": _step(parts, chosen), "product": product}
        spent = interleaved(ways, rounds=rounds, title=f"roofline, {dtype}", warm=2)
        work = 3 * (flops(parts.embedder) or 0) * parts.batches.batch_size
        shares = tuple(
            work / step * product / (2 * side**3)
            for step, product in zip(spent["step"], spent["product"], strict=True)
        )
        name = f"bare step, 16 × 8, {dtype}: of a matrix product's operations a second"
        yield Result(name, "×", shares, least=0.5)


def _feeding(faces: int, rounds: int) -> Iterator[Result]:
    """A fit from a sparse file of so many faces, beside constant batches."""
    chosen = config.compose("train", overrides("batches.people=16", "batches.photos=8"))
    data = prepare(chosen, fresh=False)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        file = Path(scratch) / "faces"
        file.touch()
        os.truncate(file, faces * 64 * 64)
        store = _of_so_many(data.faces, file, faces)
        parts = build_components(chosen, data._replace(faces=store))
        turns = Turns(_bare(chosen, data))
        parts.batches.steps = rounds * STEPS
        started, steps = time.perf_counter(), []

        def step() -> None:
            steps.append(time.perf_counter() - started)

        turns.fit(
            parts.model,
            parts.batches,
            optimizer=scheduled(chosen.optimizer.build(), chosen.rate_schedule.build(), steps=9999),
            margin=chosen.margin_schedule.build(),
            guard=lambda distances: None,
            evaluate=lambda *_: {"auc": 0.5, "mean_distance": 1.0},
            report=SimpleNamespace(resumed=list, step=step, epoch=lambda *_: None),
            checkpoint=None,
            epochs=1,
            patience=1,
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slower = ratios(turns.bare, base=turns.fitted)
    note = f"{memory:,.0f} MB resident at most"
    yield Result(f"feeding from {faces:,} faces: a step's time", "×", slower, most=1.03, note=note)
    note = "its graph is traced in it"
    yield Result(f"feeding from {faces:,} faces: first step", "s", (steps[0],), most=2, note=note)


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
