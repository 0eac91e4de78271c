"""The card of a model: its figures on some pairs, and what is needed to check them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import (
    FEWEST,
    PERCENTILES_FROM,
    TOO_FEW_PEOPLE,
    Identities,
    Statistic,
    interval,
    resampled,
    weighted_auc,
    weighted_ratio,
)
from tripletlab.evaluation.operating_points import (
    FARS,
    equal_error_rate,
    tar_name,
    true_accept_rate,
    weighted_points,
)
from tripletlab.evaluation.protocol import Distances, Flags, Folds, ProtocolResult

PERCENTILES = "the middle 95 % of a bootstrap over identities"
STUDENT = "Student's, from the standard error of a bootstrap over identities"
METHOD = "{}, for all pairs at once; the thresholds are kept fixed"
# precision and recall vary with the thresholds, so that with fixed ones theirs are too narrow
WITHOUT_INTERVAL = ("precision", "recall")


def make_card(
    result: ProtocolResult,
    distances: Distances,
    matched: Flags,
    fold: Folds,
    identities: Identities,
    *,
    about: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The figures of a result and of its pairs, as numbers, texts and lists for JSON.

    `result` is what `evaluate` made of the pairs. `distances`, `matched` and `fold` are (pairs,),
    `identities` (pairs, 2) those on both sides. `about` is kept as it is: what was evaluated, on
    what, and how that was prepared. Scores are rates from 0 to 1, thresholds squared distances.
    """
    ratios = _pooled_ratios(distances <= result.threshold[fold], matched)
    once = np.ones((1, len(distances)))
    pooled = {
        **{name: float(ratio(once)[0]) for name, ratio in ratios.items()},
        "auc": result.auc_pooled,
        "eer": equal_error_rate(distances, matched),
        "tar_at_far": [true_accept_rate(distances, matched, far=far)._asdict() for far in FARS],
    }
    people, draws = len(np.unique(identities)), {"resamples": resamples, "seed": seed}
    return {
        "about": dict(about),
        "pairs": {
            "matched": int(np.count_nonzero(matched)),
            "mismatched": int(np.count_nonzero(~matched)),
            "folds": len(result.threshold),
            "people": people,
        },
        "scores": _scores(result),
        "pooled": pooled,
        "intervals": {
            "method": METHOD.format(PERCENTILES if people >= PERCENTILES_FROM else STUDENT)
            if people >= FEWEST
            else TOO_FEW_PEOPLE,
            **draws,
            **_intervals(pooled, distances, matched, identities, ratios, **draws),
        },
    }


def _intervals(
    pooled: Mapping[str, Any],
    distances: Distances,
    matched: Flags,
    identities: Identities,
    ratios: Mapping[str, Statistic],
    **draws: int,
) -> dict[str, list[float]]:
    """The 95 % intervals of the pooled figures that have one, all from the same draws.

    A TAR that too few mismatched pairs support has none.
    """
    kept = {name: ratio for name, ratio in ratios.items() if name not in WITHOUT_INTERVAL}
    statistics = [
        *kept.values(),
        weighted_auc(distances, matched),
        weighted_points(distances, matched, fars=FARS),
    ]
    values = {
        **{name: pooled[name] for name in kept},
        "auc_pooled": pooled["auc"],
        "eer": pooled["eer"],
        **{tar_name(point["far"]): point["tar"] for point in pooled["tar_at_far"]},
    }
    drawn = resampled(statistics, matched, identities, **draws)
    people = len(np.unique(identities))
    few = {tar_name(point["far"]) for point in pooled["tar_at_far"] if not point["supported"]}
    found = {
        name: interval(value, own, people=people)
        for (name, value), own in zip(values.items(), drawn, strict=True)
        if name not in few
    }
    return {name: np.clip(ends, 0, 1).tolist() for name, ends in found.items() if ends}


def _scores(result: ProtocolResult) -> dict[str, Any]:
    """Every score: its mean over the folds, std (n - 1), standard error, and value in each fold."""
    scores = {
        "accuracy": result.accuracy,
        "precision": result.precision,
        "recall": result.recall,
        "f1": 2 * result.tp / (2 * result.tp + result.fp + result.fn),
        "auc": result.auc,
        "threshold": result.threshold,
    }
    counts = {name: getattr(result, name).tolist() for name in ("tp", "fp", "tn", "fn")}
    return {**{name: _over_folds(values) for name, values in scores.items()}, "counts": counts}


def _over_folds(values: NDArray[np.float64]) -> dict[str, Any]:
    std = float(values.std(ddof=1))
    error = std / float(np.sqrt(len(values)))
    return {
        "mean": float(values.mean()),
        "std": std,
        "standard_error": error,
        "folds": values.tolist(),
    }


def _pooled_ratios(same: Flags, matched: Flags) -> dict[str, Statistic]:
    """Scores over all pairs at once, from which are accepted as the same person."""
    hits = same & matched
    return {
        "accuracy": weighted_ratio(same == matched, np.ones(len(same))),
        "precision": weighted_ratio(hits, same),
        "recall": weighted_ratio(hits, matched),
        "f1": weighted_ratio(2 * hits, 1.0 * same + matched),
    }
