"""The card against scikit-learn fold by fold, and its intervals against pairs that are copied."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from tripletlab.evaluation.card import make_card
from tripletlab.evaluation.operating_points import equal_error_rate, true_accept_rate
from tripletlab.evaluation.protocol import evaluate


def case(seed: int = 0):
    """640 pairs of 40 people in 10 folds: enough for a TAR at FAR 0.1, too few for one at 0.01."""
    rng = np.random.default_rng(seed)
    matched = np.tile([True, False], 320)
    one = rng.integers(0, 40, 640)
    other = np.where(matched, one, (one + rng.integers(1, 40, 640)) % 40)
    distances = rng.normal(np.where(matched, 1.0, 1.6), 0.5)
    return distances, matched, np.arange(640) // 64, np.stack([one, other], axis=1)


def card(seed: int = 0, **more):
    pairs = case(seed)
    result = evaluate(*pairs[:3])
    return make_card(result, *pairs, **{"about": {}, "resamples": 50, "seed": 0, **more})


@pytest.mark.parametrize("seed", range(3))
def test_every_fold_agrees_with_scikit_learn(seed: int) -> None:
    distances, matched, fold, _ = case(seed)
    scores = card(seed)["scores"]
    oracles = (accuracy_score, precision_score, recall_score, f1_score)
    for k in range(10):
        inside = fold == k
        same = distances[inside] <= scores["threshold"]["folds"][k]
        for name, oracle in zip(("accuracy", "precision", "recall", "f1"), oracles, strict=True):
            wanted = oracle(matched[inside], same)
            assert scores[name]["folds"][k] == pytest.approx(wanted, abs=1e-12)
        wanted = roc_auc_score(matched[inside], -distances[inside])
        assert scores["auc"]["folds"][k] == pytest.approx(wanted, abs=1e-12)


def test_std_and_standard_error_are_not_confused() -> None:
    accuracy = card()["scores"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(np.mean(accuracy["folds"]))
    assert accuracy["std"] == pytest.approx(np.std(accuracy["folds"], ddof=1))
    assert accuracy["standard_error"] == pytest.approx(accuracy["std"] / 10**0.5)


def test_the_intervals_agree_with_copying_the_pairs() -> None:
    distances, matched, fold, identities = case()
    made = card()
    thresholds = np.array(made["scores"]["threshold"]["folds"])
    same = distances <= thresholds[fold]
    people = np.unique(identities)
    drawn = np.random.default_rng(0).multinomial(
        len(people), np.ones(len(people)) / len(people), 50
    )
    oracles = {"accuracy": accuracy_score, "f1": f1_score}
    of_distances = {
        "auc_pooled": lambda kind, values: roc_auc_score(kind, -values),
        "eer": lambda kind, values: equal_error_rate(values, kind),
        "tar_at_far_0.1": lambda kind, values: true_accept_rate(values, kind, far=0.1).tar,
    }
    scores = {name: [] for name in (*oracles, *of_distances)}
    for times in drawn:
        often = dict(zip(people, times, strict=True))
        copies = [often[a] if a == b else often[a] * often[b] for a, b in identities.tolist()]
        for name, oracle in oracles.items():
            scores[name].append(oracle(np.repeat(matched, copies), np.repeat(same, copies)))
        for name, oracle in of_distances.items():
            scores[name].append(oracle(np.repeat(matched, copies), np.repeat(distances, copies)))
    for name, values in scores.items():
        assert made["intervals"][name] == pytest.approx(np.percentile(values, [2.5, 97.5]))
    assert made["intervals"].keys() - scores == {"method", "resamples", "seed"}


@pytest.mark.parametrize(("people", "method"), [(10, "Student's"), (6, "too few people")])
def test_the_intervals_of_few_people_are_student_s_or_none(people: int, method: str) -> None:
    distances, matched, fold, identities = case()
    pairs = distances, matched, fold, identities % people
    made = make_card(evaluate(*pairs[:3]), *pairs, about={}, resamples=50, seed=0)
    assert made["intervals"]["method"].startswith(method)
    assert ("accuracy" in made["intervals"]) == (people == 10)
    assert all(0 <= end <= 1 for end in made["intervals"].get("tar_at_far_0.1", []))


def test_a_card_is_json_and_keeps_what_it_is_about() -> None:
    made = card(about={"verification": "synthetic people"})
    assert json.loads(json.dumps(made)) == made
    assert made["about"] == {"verification": "synthetic people"}
    assert made["pairs"] == {"matched": 320, "mismatched": 320, "folds": 10, "people": 40}
