"""Training with `tripletlab train`, compared with bare loops of the same step."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from harness import DATA, Result, dtypes, interleaved, ratios
from other_process import OtherProcess, pytorch

from tripletlab import config
from tripletlab.architectures.operations import flops
from tripletlab.experiment import run
from tripletlab.experiment.components import Components, build_components
from tripletlab.experiment.data import prepare
from tripletlab.training import backend
from tripletlab.training.fit import fit
from tripletlab.training.rates import scheduled

STEPS, SETTLING = 8, 2  # in a turn of the fit; the first are not timed: batches were ready
PRODUCTS, SIDE = 3, 2048  # matrix products in a turn, and the side of the matrices
PAPER = {448: 20.0, 896: 40.0}  # triplets of a step: pairs of 16 × 8, unordered and ordered; target
PEER = {"mixed_bfloat16": 1.2, "float32": 1.25}  # the targets against PyTorch
Step = Callable[[], object]


class EnoughError(Exception):
    """Ends a run after its fit."""


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
    with tempfile.TemporaryDirectory() as scratch:
        for dtype in dtypes():
            for people in (16, 32):
                words = [f"dtype={dtype}", f"batches.people={people}", "batches.photos=8"]
                words += [f"batches.steps={(rounds + 1) * STEPS}", "fit.epochs=1"]
                chosen = config.compose("train", overrides(*words, f"tracking.folder={scratch}"))
                yield from _through_train(chosen, f"train, {people} × 8, {dtype}", PEER[dtype])
    yield from _paper(min(rounds, 5))


def _through_train(chosen: config.RunConfig, name: str, least: float) -> Iterator[Result]:
    """A whole run, MLflow and callbacks included; in its pauses others do the same step."""
    data = prepare(chosen, fresh=False)
    backend.start(seed=chosen.seed)
    parts = build_components(chosen, data)
    batch, size = parts.batches[0], parts.batches.batch_size
    ways = {
        "bare": repeated(step_of(parts, chosen, batch)),
        "constant": constant_fit(parts, chosen, batch),
        "product": repeated(_product(chosen.dtype), count=PRODUCTS),
    }
    with suppress(ImportError):
        peer = _pytorch(parts, chosen, batch)
        ways["PyTorch"] = repeated(peer)
    turns = Turns(ways)
    timed = chosen.model_copy(update={"fit": dataclasses.replace(chosen.fit, target=turns.fit)})
    tracker = chosen.tracking.build()
    tracker.open()
    with suppress(EnoughError):
        run.run(timed, data, name="benchmark", tracker=tracker)
    if "PyTorch" in ways:
        peer.close()
    fitted = turns.spent["fit"]
    yield Result(name, "images/s", tuple(size / seconds for seconds in fitted))
    bare = ratios(fitted, base=turns.spent["bare"])
    yield Result(f"{name}: speed relative to a bare loop", "×", bare, least=0.95)
    keras_own = ratios(turns.spent["constant"], base=turns.spent["bare"])
    yield Result(
        f"{name}: speed of Keras' fit on one batch relative to a bare loop", "×", keras_own
    )
    title = f"{name}: speed relative to PyTorch with pytorch-metric-learning"
    if "PyTorch" in ways:
        theirs = ratios(fitted, base=turns.spent["PyTorch"])
        yield Result(title, "×", theirs, least=least)
    else:
        missing = "not installed: pip install -e '.[bench]'"
        yield Result(title, "×", least=least, note=missing)
    work = 3 * (flops(parts.embedder) or 0) * size / (2 * SIDE**3)
    shares = tuple(work * one for one in ratios(fitted, base=turns.spent["product"]))
    yield Result(f"{name}: operations/s relative to a matrix product", "×", shares, least=0.5)


class Turns:
    """Gives others their turn in the pauses of a fit, and keeps the seconds of a step of each.

    A way takes some steps, and returns how long one took.
    """

    def __init__(self, ways: Mapping[str, Callable[[], float]]) -> None:
        self.ways, self.count, self.started = ways, 0, 0.0
        self.spent: dict[str, list[float]] = {"fit": [], **{name: [] for name in ways}}
        self.first = 0.0  # when the first step was done

    def fit(self, *parts: Any, report: Any, **settings: Any) -> Any:
        """The product's own, with a report that takes the times; the run ends with it."""

        def step() -> None:
            report.step()
            self._turn()

        timed = SimpleNamespace(step=step, epoch=report.epoch, resumed=report.resumed)
        fit(*parts, report=timed, **settings)
        raise EnoughError

    def _turn(self) -> None:
        self.count += 1
        self.first = self.first or time.perf_counter()
        place = self.count % STEPS
        if place == SETTLING:
            self.started = time.perf_counter()
        if place:
            return
        fitted = (time.perf_counter() - self.started) / (STEPS - SETTLING)
        others = {name: way() for name, way in self.ways.items()}
        if self.count > STEPS:  # the first turn traces
            for name, seconds in {"fit": fitted, **others}.items():
                self.spent[name].append(seconds)


def repeated(step: Step, *, count: int = STEPS - SETTLING) -> Callable[[], float]:
    """A way of so many steps; the first, after another's, is not timed."""

    def seconds() -> float:
        step()
        started = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - started) / count

    return seconds


def constant_fit(parts: Components, chosen: config.RunConfig, batch: Any) -> Callable[[], float]:
    """Keras' own fit of the model on one constant batch, which nobody has to feed."""
    compiled(parts, chosen)
    steps = tf.data.Dataset.from_tensors(tuple(map(tf.constant, batch))).repeat(STEPS)
    clock: list[float] = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: clock.append(time.perf_counter())
    )

    def seconds() -> float:
        clock.clear()
        parts.model.fit(steps, verbose=0, callbacks=[note])
        return (clock[-1] - clock[SETTLING - 1]) / (STEPS - SETTLING)

    return seconds


def step_of(parts: Components, chosen: config.RunConfig, batch: Any) -> Step:
    """The step of the product's own model, as a bare loop on one constant batch would do it."""
    step = compiled(parts, chosen)
    constant = [tf.constant(part) for part in batch]
    return lambda: step(*constant)


def compiled(parts: Components, chosen: config.RunConfig) -> Callable[..., object]:
    """A step on any batch."""
    schedule = chosen.rate_schedule.build()
    optimizer = scheduled(chosen.optimizer.build(), schedule, steps=10_000)
    model = parts.model
    model.compile(optimizer=optimizer, jit_compile=backend.jit_compile())
    optimizer.build(model.trainable_variables)
    step: Callable[..., object] = tf.function(lambda *batch: model.train_step(batch))
    return step


def _product(dtype: str) -> Step:
    """A matrix product, the processor's best case."""
    matrix = tf.cast(tf.random.uniform((SIDE, SIDE)), dtype.removeprefix("mixed_"))
    multiply: Callable[..., Any] = tf.function(lambda one: tf.matmul(one, one))
    return lambda: multiply(matrix)


def _pytorch(parts: Components, chosen: config.RunConfig, batch: Any) -> OtherProcess:
    faces, labels = map(np.asarray, batch)
    return pytorch(
        "step",
        faces=faces,
        labels=labels,
        dtype=chosen.dtype,
        dim=parts.embedder.output_shape[-1],
        margin=chosen.margin,
        parameters=parts.embedder.count_params(),
        device="cpu",
    )


def _paper(rounds: int) -> Iterator[Result]:
    """The paper's way: embed, mine, then three inputs for as many triplets as one pass has."""
    ways = {
        dtype: _whole_step(f"dtype={dtype}", "batches.people=16", "batches.photos=8")
        for dtype in dtypes()
    }
    for triplets in PAPER:
        ways[str(triplets)] = _whole_step(
            "graph=three_inputs",
            "batches.photos=8",
            "batches.every=1",
            f"batches.triplets={triplets}",
        )
    spent = interleaved(ways, rounds=rounds, title="three inputs", warm=2)
    for dtype in dtypes():
        for triplets, least in PAPER.items():
            speeds = ratios(spent[dtype], base=spent[str(triplets)])
            name = f"step, 16 × 8, {dtype}: speed relative to three inputs with {triplets} triplets"
            target = least if dtype != "float32" else None
            yield Result(name, "×", speeds, least=target, note="theirs in float32")


def _whole_step(*words: str) -> Step:
    """A batch, mined where that is offline, and a step on it."""
    chosen = config.compose("train", overrides(*words))
    parts = build_components(chosen, prepare(chosen, fresh=False))
    step = compiled(parts, chosen)
    parts.batches.begin(1, parts.model)

    def whole() -> object:
        faces, labels = parts.batches[0]
        return step(tf.constant(faces), tf.constant(labels))

    return whole
