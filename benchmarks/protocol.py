"""How long the LFW protocol takes, against others, on distances drawn like a middling model's.

python benchmarks/protocol.py            6,000 pairs, all ways, interleaved
python benchmarks/protocol.py --pairs 1000000     ours alone, with the memory that it took
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from tripletlab.evaluation.card import make_card
from tripletlab.evaluation.protocol import evaluate

FOLDS = 10


def drawn(pairs: int, *, people: int):
    """Distances, flags, folds and identities; every set with as many pairs of both kinds."""
    rng = np.random.default_rng(0)
    matched = np.arange(pairs) % 2 == 0
    one = rng.integers(0, people, pairs)
    other = np.where(matched, one, (one + rng.integers(1, people, pairs)) % people)
    distances = np.abs(rng.normal(np.where(matched, 0.9, 1.4), 0.35))
    return distances, matched, np.arange(pairs) * FOLDS // pairs, np.stack([one, other], axis=1)


def by_loops(distances, matched, fold, candidates=None):
    """Every fold, every threshold: its accuracy on the other folds. The protocol as it reads."""
    accuracies = []
    for k in range(FOLDS):
        others, own = fold != k, fold == k
        tried = np.unique(distances[others]) if candidates is None else candidates
        scores = [np.mean((distances[others] <= t) == matched[others]) for t in tried]
        best = tried[int(np.argmax(scores))]
        accuracies.append(np.mean((distances[own] <= best) == matched[own]))
    return float(np.mean(accuracies))


def milliseconds(run: Callable[[], object], *, times: int) -> tuple[float, float]:
    """Median and best."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), min(taken)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6000)
    parser.add_argument("--people", type=int, default=4281)
    parser.add_argument("--loops", action="store_true", help="all distinct thresholds by loops too")
    given = parser.parse_args()
    case = drawn(given.pairs, people=given.people)
    grid = np.arange(0, 4, 0.01)
    ways: dict[str, tuple[Callable[[], float], int]] = {
        "ours, all distinct thresholds": (lambda: float(evaluate(*case[:3]).accuracy.mean()), 51),
    }
    if given.pairs <= 10_000:
        ways["loops, a grid of 400 thresholds"] = (lambda: by_loops(*case[:3], grid), 3)
    if given.loops:
        ways["loops, all distinct thresholds"] = (lambda: by_loops(*case[:3]), 1)
    print(f"{given.pairs:,} pairs{'':<26}{'median ms':>12}{'best ms':>12}{'accuracy':>12}")
    for name, (run, times) in ways.items():
        accuracy = run()
        median, best = milliseconds(run, times=times)
        print(f"{name:<38}{median:>12,.2f}{best:>12,.2f}{accuracy:>12.4f}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    card = milliseconds(lambda: make_card(*case, about={}, resamples=400, seed=0), times=1)[0]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'a card, 400 resamples':<38}{card:>12,.0f}")
    print(
        f"memory at most: {before / 1024:,.0f} MB before the card, {after / 1024:,.0f} MB with it"
    )


if __name__ == "__main__":
    main()
