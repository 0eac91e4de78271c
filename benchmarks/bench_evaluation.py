"""The LFW protocol compared with loops, cards of many pairs, and evaluation versus bare batches."""

import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from harness import Result, interleaved, ratios, timed
from numpy.typing import NDArray

from tripletlab import config
from tripletlab.evaluation.bootstrap import RESAMPLES
from tripletlab.evaluation.card import make_card
from tripletlab.evaluation.protocol import evaluate, pair_distances
from tripletlab.experiment.evaluation import evaluate_embeddings
from tripletlab.experiment.snapshots import Snapshot
from tripletlab.faces.store import Pairs, PairStore
from tripletlab.training.inference import BATCH, embed

PAIRS, PEOPLE, FACES, DIM = 6_000, 4_281, 8_006, 128  # as LFW has
MAPPED, EACH, EPOCHS = 400, 20, 12  # faces on the map, and of one person; snapshots of a fit
MANY, OF_PEOPLE, FOLDS = 1_000_000, 100_000, 10  # pairs
FEW = 20  # resamples, whose number changes no memory
REPEATED = 10  # evaluations in a turn: one is too short for the clock
GRID = np.arange(0, 4, 0.01)
FIRST_MAP = """
import sys, time
import numpy as np
from tripletlab.plots.projection import project
faces, dim = map(int, sys.argv[1:])
embeddings = np.random.default_rng(0).normal(size=(faces, dim)).astype(np.float32)
begun = time.perf_counter()
project(embeddings, seed=0)
print(time.perf_counter() - begun)
"""


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    rounds = min(rounds, 5)
    case = drawn(PAIRS, people=PEOPLE)
    yield from _protocol(case, rounds)
    yield from _cards(case, rounds)
    yield from _embedding(case, rounds)
    yield from _pictures(case)


def drawn(pairs: int, *, people: int) -> Any:
    """Distances like a middling model's, flags, folds and identities; both kinds in every fold."""
    rng = np.random.default_rng(0)
    matched = np.arange(pairs) % 2 == 0
    one = rng.integers(0, people, pairs)
    other = np.where(matched, one, (one + rng.integers(1, people, pairs)) % people)
    distances = np.abs(rng.normal(np.where(matched, 0.9, 1.4), 0.35))
    return distances, matched, np.arange(pairs) * FOLDS // pairs, np.stack([one, other], axis=1)


def carded(case: Any, *, resamples: int = RESAMPLES) -> object:
    """The card of such pairs."""
    return make_card(evaluate(*case[:3]), *case, about={}, resamples=resamples, seed=0)


def _protocol(case: Any, rounds: int) -> Iterator[Result]:
    """The protocol, as facenet computes it, and in loops as it reads."""
    distances, matched, fold, _ = case
    ways: dict[str, Callable[[], object]] = {
        "own": lambda: [evaluate(distances, matched, fold) for _ in range(REPEATED)],
        "facenet's loops": lambda: by_facenet(distances, matched, fold),
        f"loops over {len(GRID)} thresholds": lambda: by_loops(distances, matched, fold, GRID),
    }
    spent = interleaved(ways, rounds=rounds, title="protocol")
    own = tuple(seconds / REPEATED for seconds in spent.pop("own"))
    name = f"protocol, {PAIRS:,} pairs"
    yield Result(name, "ms", tuple(1000 * seconds for seconds in own))
    for other, seconds in spent.items():
        least = 100 if other == "facenet's loops" else None
        yield Result(
            f"{name}: speed relative to {other}", "×", ratios(own, base=seconds), least=least
        )
    all_of_them = timed(lambda: by_loops(distances, matched, fold))
    speeds = tuple(all_of_them / seconds for seconds in own)
    title = f"{name}: speed relative to loops over all distinct thresholds"
    yield Result(title, "×", speeds, note="they ran once")


def by_loops(distances: Any, matched: Any, fold: Any, candidates: Any = None) -> float:
    """The accuracy: of every fold, by the best of the thresholds on the others."""
    accuracies = []
    for k in range(FOLDS):
        others, own = fold != k, fold == k
        tried = np.unique(distances[others]) if candidates is None else candidates
        scores = [np.mean((distances[others] <= t) == matched[others]) for t in tried]
        best = tried[int(np.argmax(scores))]
        accuracies.append(np.mean((distances[own] <= best) == matched[own]))
    return float(np.mean(accuracies))


def _cards(case: Any, rounds: int) -> Iterator[Result]:
    """Cards, whose time the intervals take, and a million pairs."""
    note = f"{RESAMPLES} resamples of the identities"
    card = interleaved({"card": lambda: carded(case)}, rounds=rounds, title="cards")["card"]
    yield Result(f"card, {PAIRS:,} pairs", "s", tuple(card), note=note)
    many = drawn(MANY, people=OF_PEOPLE)
    own = interleaved({"own": lambda: evaluate(*many[:3])}, rounds=rounds, title="pairs")["own"]
    yield Result(f"protocol, {MANY:,} pairs", "s", tuple(own))
    tracemalloc.start()
    carded(many, resamples=FEW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = sum(one.nbytes for one in many)
    note += f"; {most / 1e6:,.0f} MB of memory beside the pairs' {held / 1e6:,.0f}"
    yield Result(f"card, {MANY:,} pairs", "s", (timed(lambda: carded(many)),), note=note)


def by_facenet(
    distances: NDArray[np.float64], matched: NDArray[np.bool_], fold: NDArray[np.int64]
) -> float:
    """The accuracy by facenet's `calculate_roc` (lfw.py): a loop over folds and thresholds."""
    accuracies = []
    for k in range(FOLDS):
        others, own = fold != k, fold == k
        scores = [_by_facenet(one, distances[others], matched[others])[2] for one in GRID]
        best = GRID[int(np.argmax(scores))]
        for threshold in GRID:  # the fold's ROC curve
            _by_facenet(threshold, distances[own], matched[own])
        accuracies.append(_by_facenet(best, distances[own], matched[own])[2])
    return float(np.mean(accuracies))


def _by_facenet(threshold: float, distances: Any, matched: Any) -> tuple[float, float, float]:
    same = np.less(distances, threshold)
    tp = np.sum(np.logical_and(same, matched))
    fp = np.sum(np.logical_and(same, np.logical_not(matched)))
    tn = np.sum(np.logical_and(np.logical_not(same), np.logical_not(matched)))
    fn = np.sum(np.logical_and(np.logical_not(same), matched))
    tpr = 0 if tp + fn == 0 else float(tp) / float(tp + fn)
    fpr = 0 if fp + tn == 0 else float(fp) / float(fp + tn)
    return tpr, fpr, float(tp + tn) / distances.size


def _embedding(case: Any, rounds: int) -> Iterator[Result]:
    """Faces, protocol and card, against the network in batches alone."""
    network = config.compose("train", []).architecture.build(input_size=64)
    faces = np.random.default_rng(0).integers(0, 256, (FACES, 64, 64), np.uint8)
    compiled = tf.function(lambda batch: network(batch, training=False))
    batch = tf.constant(faces[:BATCH, ..., None].astype(np.float32))
    first, second = np.random.default_rng(1).integers(0, FACES, (2, PAIRS))

    def bare() -> None:
        for _ in range(-(-FACES // BATCH)):
            compiled(batch)

    def whole() -> None:
        distances = pair_distances(embed(network, faces), first, second)
        carded((distances, *case[1:]))

    ways = {"embed": lambda: embed(network, faces), "whole": whole, "bare": bare}
    spent = interleaved(ways, rounds=rounds, title="embedding")
    yield Result(f"{FACES:,} faces embedded", "s", tuple(spent["embed"]))
    speeds = ratios(spent["embed"], base=spent["bare"])
    yield Result(f"{FACES:,} faces embedded: speed relative to bare batches", "×", speeds)
    speeds = ratios(spent["whole"], base=spent["bare"])
    name = f"{FACES:,} faces embedded, protocol and card: speed relative to bare batches"
    yield Result(name, "×", speeds, least=0.9)


def _pictures(case: Any) -> Iterator[Result]:
    """What is drawn at the end of a run; the first time UMAP is imported and compiled."""
    _, matched, fold, _ = case
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, FACES, (2, PAIRS))
    mapped = [f"person {number // EACH}" for number in range(MAPPED)]
    names = (*mapped, *(f"person {number % PEOPLE}" for number in range(MAPPED, FACES)))
    store = PairStore(
        title="drawn",
        images=rng.integers(0, 256, (FACES, 64, 64), np.uint8),
        names=names,
        display_names=names,
        sources=names,
        fallback=np.zeros(FACES, bool),
        pairs=Pairs(first, second, matched, fold),
        map_rows=np.arange(MAPPED),
        settings={},
        fingerprint="0",
        notes={},
    )
    points = rng.normal(size=(EPOCHS + 1, FACES, DIM)).astype(np.float32)
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    snapshots = [Snapshot(epoch, one[:MAPPED]) for epoch, one in enumerate(points)][-9:]

    def draw() -> None:
        with tempfile.TemporaryDirectory() as scratch:
            evaluate_embeddings(
                points[-1],
                store,
                snapshots=snapshots,
                name="benchmark",
                about={},
                flip=False,
                folder=Path(scratch),
            )

    spent = interleaved({"draw": draw}, rounds=2, title="pictures")["draw"]
    yield Result("protocol, card, animation and pictures of a run", "s", tuple(spent))
    process = [sys.executable, "-c", FIRST_MAP, str(MAPPED), str(DIM)]
    first = [float(subprocess.check_output(process, text=True)) for _ in range(3)]
    note = "UMAP is imported; what it compiled is on disk after the first time"
    yield Result("first map of a process", "s", tuple(first), note=note)
