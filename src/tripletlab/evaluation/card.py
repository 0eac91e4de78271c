"""The card of a model: its figures on one set of pairs, with all that is needed to doubt them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.bootstrap import (
    Identities,
    Statistic,
    resampled,
    weighted_auc,
    weighted_ratio,
)
from tripletlab.evaluation.operating_points import (
    equal_error_rate,
    true_accept_rate,
    weighted_points,
)
from tripletlab.evaluation.protocol import Distances, Flags, Folds, ProtocolResult, evaluate

FARS = (0.1, 0.01, 0.001)
METHOD = (
    "the middle 95 % of a bootstrap that draws identities, over all pairs at once; the thresholds"
    " stay as they are"
)


def make_card(
    distances: Distances,
    matched: Flags,
    fold: Folds,
    identities: Identities,
    *,
    about: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Plain numbers, texts and lists, fit for JSON.

    `identities` (pairs, 2) says who is on both sides; `about` is kept as it is: what was judged,
    on what, and how it was prepared.
    """
    result = evaluate(distances, matched, fold)
    ratios = _pooled_ratios(distances <= result.threshold[fold], matched)
    once = np.ones((1, len(distances)))
    statistics = [
        *ratios.values(),
        weighted_auc(distances, matched),
        weighted_points(distances, matched, fars=FARS),
    ]
    figures = [*ratios, "auc_pooled", "eer", *(f"tar_at_far_{far:g}" for far in FARS)]
    drawn = resampled(statistics, matched, identities, resamples=resamples, seed=seed)
    return {
        "about": dict(about),
        "pairs": {
            "matched": int(np.count_nonzero(matched)),
            "mismatched": int(np.count_nonzero(~matched)),
            "sets": len(result.threshold),
            "people": len(np.unique(identities)),
        },
        "scores": _scores(result),
        "pooled": {
            **{name: float(ratio(once)[0]) for name, ratio in ratios.items()},
            "auc": result.auc_pooled,
            "eer": equal_error_rate(distances, matched),
            "tar_at_far": [true_accept_rate(distances, matched, far=far)._asdict() for far in FARS],
        },
        "intervals": {
            "method": METHOD,
            "resamples": resamples,
            "seed": seed,
            **{name: _interval(one) for name, one in zip(figures, drawn, strict=True)},
        },
    }


def _scores(result: ProtocolResult) -> dict[str, Any]:
    """Every score of the sets: one for each, mean, std (n - 1), and the standard error."""
    scores = {
        "accuracy": result.accuracy,
        "precision": result.precision,
        "recall": result.recall,
        "f1": 2 * result.tp / (2 * result.tp + result.fp + result.fn),
        "auc": result.auc,
        "threshold": result.threshold,
    }
    counts = {name: getattr(result, name).tolist() for name in ("tp", "fp", "tn", "fn")}
    return {**{name: _spread(values) for name, values in scores.items()}, "counts": counts}


def _spread(values: NDArray[np.float64]) -> dict[str, Any]:
    std = float(values.std(ddof=1))
    error = std / float(np.sqrt(len(values)))
    return {
        "mean": float(values.mean()),
        "std": std,
        "standard_error": error,
        "sets": values.tolist(),
    }


def _pooled_ratios(same: Flags, matched: Flags) -> dict[str, Statistic]:
    """Scores over all pairs at once, of pairs that are called the same person or not."""
    hits = same & matched
    return {
        "accuracy": weighted_ratio(same == matched, np.ones(len(same))),
        "precision": weighted_ratio(hits, same),
        "recall": weighted_ratio(hits, matched),
        "f1": weighted_ratio(2 * hits, 1.0 * same + matched),
    }


def _interval(resampled: NDArray[np.float64]) -> list[float]:
    """The middle 95 %."""
    return [float(end) for end in np.percentile(resampled, [2.5, 97.5])]
