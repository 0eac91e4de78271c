"""What can be compared: models on the same pairs, under names that differ."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.stores import make_pairs
from tripletlab.errors import InputError
from tripletlab.evaluation.comparison import decide
from tripletlab.experiment import comparison
from tripletlab.experiment.comparison import (
    _different,
    _draw_differing,
    _Model,
    _model,
    _store,
    _without_data,
    compare_models,
)


def test_a_name_that_comes_twice_is_numbered():
    assert _different(["hard", "semihard", "hard"]) == ["hard #1", "semihard", "hard #2"]
    assert _different(["a", "b"]) == ["a", "b"]


def test_names_leave_out_photos_that_are_the_same():
    assert _without_data(["hard on lfw", "soft on lfw"]) == ["hard", "soft"]
    for names in (["hard on lfw", "hard on mine"], ["hard on lfw", "theirs"], ["a", "b"]):
        assert _without_data(names) == names


def test_models_on_different_pairs_are_not_compared(tmp_path):
    models = [_Model(name, np.zeros(4), pairs) for name, pairs in (("a", "1"), ("b", "2"))]
    with pytest.raises(InputError, match="a and b were evaluated on different pairs"):
        _store(models, ["a", "b"], tmp_path)
    with pytest.raises(InputError, match="two models or more"):
        _store(models[:1], ["a"], tmp_path)


def test_a_folder_of_evaluate_is_read_without_a_tracker(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps({"about": {"pairs_fingerprint": "ab"}}))
    np.savez(folder / "distances.npz", verification=np.array([0.5, 1.5]))
    model = _model(str(folder), None)
    assert (model.name, model.pairs_fingerprint) == ("theirs", "ab")
    assert model.distances.tolist() == [0.5, 1.5]


def test_the_pairs_that_one_model_gets_right_and_the_other_wrong_are_shown(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(comparison, "draw_montage", lambda panels, **_: drawn.extend(panels))
    store = make_pairs(people=30, photos=2)
    pairs = store.pairs
    rng = np.random.default_rng(0)
    distances = [rng.random(60) + np.where(pairs.matched, 0.0, gap) for gap in (0.3, 0.6)]
    one, other = (decide(values, pairs.matched, pairs.fold) for values in distances)
    _draw_differing(store, (one, other), ("a", "b"), tmp_path / "x.png")
    gap = np.abs(one.excess - other.excess)
    for panel, name, wins, loses in zip(drawn, "ab", (one, other), (other, one), strict=True):
        right = [k for k in range(60) if wins.correct[k] and not loses.correct[k]]
        assert right
        assert panel.heading == f"only {name} is correct ({len(right)})"
        expected = [
            f"{'one person' if pairs.matched[k] else 'two people'}"
            f" {one.distances[k]:.2f} | {other.distances[k]:.2f}"
            for k in sorted(right, key=lambda k: -gap[k])
        ]
        assert [pair.lines[0] for pair in panel.pairs] == expected[:20]


def test_models_that_never_differ_have_no_picture_of_nothing(monkeypatch, tmp_path):
    store = make_pairs(people=30, photos=2)
    rng = np.random.default_rng(0)
    one, other = (rng.random(60) + np.where(store.pairs.matched, 0.0, 0.5) for _ in range(2))
    distances = {"a": one, "twin": one, "b": other}
    monkeypatch.setattr(comparison, "_model", lambda what, _: _Model(what, distances[what], ""))
    monkeypatch.setattr(comparison, "_store", lambda *_: store)
    config = SimpleNamespace(tracking=SimpleNamespace(build=lambda: None), data=tmp_path)
    page = (
        compare_models(list(distances), config, folder=tmp_path) / "comparison.html"
    ).read_text()
    for names, drawn in (("a and b", True), ("twin and b", True), ("a and twin", False)):
        assert (f"Pairs on which {names} differ" in page) == drawn
