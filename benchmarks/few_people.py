"""How much an evaluation on few people depends on who they are: one network, many draws of people.

    tripletlab export champion bundle
    python benchmarks/few_people.py bundle FACES.h5 [--held-out 4 8 20]

FACES.h5 is below data/. People are drawn from its validation and calibration people, on whom the
network was not trained.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.protocol import evaluate, pair_distances
from tripletlab.faces.store import CALIBRATION, VALIDATION, FaceStore
from tripletlab.photos.pairs import draw_pairs
from tripletlab.recognition.bundle import load

DRAWS, PER_FOLD, MOST_FOLDS = 100, 60, 10


def main() -> None:
    """Embed once, draw people, evaluate, and print a table."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("bundle", type=Path)
    given.add_argument("faces", type=Path)
    given.add_argument("--held-out", type=int, nargs="+", default=[4, 8, 20])
    arguments = given.parse_args()
    store = FaceStore.open(arguments.faces)
    people = np.flatnonzero(np.isin(store.split, (VALIDATION, CALIBRATION)))
    slices = [store.images[slice(*store.offsets[one : one + 2])] for one in people]
    ends = np.cumsum([len(images) for images in slices])
    groups = [np.arange(end - len(images), end) for end, images in zip(ends, slices, strict=True)]
    embeddings = load(arguments.bundle).embedder(np.concatenate(slices))
    print(f"{len(groups)} people, {len(embeddings)} photos")
    print("| held out | folds | accuracy | 95 % of the draws | AUC | 95 % of the draws |")
    print("|---:|---:|---:|---|---:|---|")
    for count in arguments.held_out:
        folds = min(MOST_FOLDS, count // 2)
        drawn = [figures(embeddings, groups, count, folds, seed) for seed in range(DRAWS)]
        accuracy, auc = (spread(values) for values in zip(*drawn, strict=True))
        print(f"| {count} | {folds} | {accuracy} | {auc} |")


def figures(
    embeddings: NDArray[np.float32],
    groups: list[NDArray[np.int64]],
    count: int,
    folds: int,
    seed: int,
) -> tuple[float, float]:
    """Accuracy and AUC over all pairs, on so many people drawn by the seed."""
    rng = np.random.default_rng(seed)
    chosen = [groups[one] for one in rng.choice(len(groups), count, replace=False)]
    pairs = draw_pairs(chosen, np.zeros(count, np.int64), folds=folds, per_fold=PER_FOLD, seed=seed)
    distances = pair_distances(embeddings, pairs.first, pairs.second)
    summary = evaluate(distances, pairs.matched, pairs.fold).summary()
    return summary["accuracy"], summary["auc_pooled"]


def spread(values: tuple[float, ...]) -> str:
    """Mean, standard deviation, and the range of 95 % of the values."""
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f} | {low:.3f} to {high:.3f}"


if __name__ == "__main__":
    main()
