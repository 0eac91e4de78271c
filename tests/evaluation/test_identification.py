"""The search against plain loops, its figures against counting, and its edges."""

import numpy as np
import pytest

from tripletlab.evaluation.identification import (
    SearchResult,
    Split,
    cmc,
    identify,
    search,
    summary,
    tpir,
    two_galleries,
)

SEEDS = range(6)


def case(seed: int):
    """A gallery of 30 faces of 12 people, and 80 probes of 20: eight people are unknown."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, 4))
    enrolled = np.append(np.arange(12), rng.integers(0, 12, 18))
    shown = np.append(np.arange(20), rng.integers(0, 20, 60))

    def faces(labels):
        made = centres[labels] + 0.8 * rng.normal(size=(len(labels), 4))
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

    return faces(enrolled), enrolled, faces(shown), shown


def by_loops(gallery, enrolled, probes, shown):
    rank, nearest = [], []
    for probe, person in zip(probes.astype(float), shown, strict=True):
        distances: dict[int, float] = {}
        for face, who in zip(gallery.astype(float), enrolled, strict=True):
            distances[who] = min(distances.get(who, np.inf), float(((face - probe) ** 2).sum()))
        nearest.append(min(distances.values()))
        rank.append(
            sum(d <= distances[person] for d in distances.values()) if person in distances else 0
        )
    return rank, nearest


@pytest.mark.parametrize("seed", SEEDS)
def test_the_search_agrees_with_loops(seed: int, monkeypatch) -> None:
    monkeypatch.setattr("tripletlab.evaluation.identification.BLOCK", 100)  # three probes at once
    found = search(*case(seed))
    rank, nearest = by_loops(*case(seed))
    assert found.rank.tolist() == rank
    np.testing.assert_allclose(found.nearest, nearest, atol=1e-12)


@pytest.mark.parametrize("where", [0, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_embeddings_that_are_no_numbers_are_refused(where: int, value: float) -> None:
    given = case(0)
    given[where][3, 1] = value
    with pytest.raises(ValueError, match="finite"):
        search(*given)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cmc_counts_and_ends_at_one(seed: int) -> None:
    found = search(*case(seed))
    known = [rank for rank in found.rank.tolist() if rank]
    curve = cmc(found, people=12)
    for k in range(1, 13):
        assert curve[k - 1] == pytest.approx(sum(rank <= k for rank in known) / len(known))
    assert curve[-1] == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fpir", [0.0, 0.1, 0.5, 1.0])
def test_tpir_is_the_best_of_all_thresholds(seed: int, fpir: float) -> None:
    """With every other seed rounded, so that many distances are equal."""
    rank, nearest = search(*case(seed))
    nearest = np.round(nearest, 1 if seed % 2 else 12)
    known = rank > 0
    wanted = 0.0
    for threshold in [-1.0, *nearest.tolist()]:
        below = nearest <= threshold
        if below[~known].sum() <= fpir * (~known).sum() + 1e-9:
            wanted = max(wanted, (below & (rank == 1))[known].mean())
    assert tpir(SearchResult(rank, nearest), fpir=fpir) == pytest.approx(wanted)


def test_a_collapsed_network_finds_nobody() -> None:
    gallery, enrolled, probes, shown = case(0)
    found = search(np.ones_like(gallery), enrolled, np.ones_like(probes), shown)
    assert set(found.rank[found.rank > 0]) == {12}
    assert tpir(found, fpir=0.1) == 0


def test_two_galleries_share_nobody_and_every_other_face_is_a_probe_of_both() -> None:
    labels = np.array([5, 5, 5, 1, 2, 2, 7, 7, 9, 9])
    one, other = two_galleries(labels, seed=0)
    assert sorted([*one.gallery, *other.gallery]) == [0, 4, 6, 8]  # the first face of each
    assert not set(labels[one.gallery]) & set(labels[other.gallery])
    assert one.probes.tolist() == other.probes.tolist() == [1, 2, 3, 5, 7, 9]
    assert two_galleries(labels, seed=0)[0].gallery.tolist() == one.gallery.tolist()
    dealt = {tuple(two_galleries(labels, seed=seed)[0].gallery) for seed in range(20)}
    assert len(dealt) > 3  # of six ways


def test_galleries_of_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="two people with two faces"):
        two_galleries(np.array([1, 1, 2, 3]), seed=0)


def test_identify_puts_all_searches_together() -> None:
    gallery, enrolled, probes, shown = case(1)
    embeddings = np.concatenate([gallery, probes])
    labels = np.concatenate([enrolled, shown])
    split = Split(np.arange(30), np.arange(30, 110))
    found = search(gallery, enrolled, probes, shown)
    once, twice = (summary(identify(embeddings, labels, [split] * times)) for times in (1, 2))
    assert once["cmc"]["1"] == pytest.approx(cmc(found, people=12)[0])
    assert list(once["cmc"]) == ["1", "5", "10"]  # among 20 are all 12
    assert once["cmc"] == twice["cmc"]
    assert once["tpir_at_fpir"][0]["tpir"] == pytest.approx(tpir(found, fpir=0.1))
    assert [2 * once[kind] for kind in ("searches_for_enrolled", "searches_for_unknown")] == [
        twice["searches_for_enrolled"],
        twice["searches_for_unknown"],
    ]
    assert not once["tpir_at_fpir"][0]["supported"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rates_without_enrolled_or_without_unknown_probes() -> None:
    unknown = SearchResult(np.zeros(3, np.int64), np.array([0.1, 0.2, 0.3]))
    assert np.isnan(cmc(unknown, people=2)).all()
    assert np.isnan(tpir(unknown, fpir=0.1))
    enrolled = SearchResult(np.array([1, 2, 1, 1]), np.array([0.1, 0.2, 0.3, 4.0]))
    assert tpir(enrolled, fpir=0.0) == 0.75  # whatever the distance


def test_a_set_of_enrolled_people_alone_has_no_tpir() -> None:
    gallery, enrolled, probes, shown = case(2)
    known = shown < 12
    embeddings = np.concatenate([gallery, probes[known]])
    labels = np.concatenate([enrolled, shown[known]])
    split = Split(np.arange(30), np.arange(30, len(labels)))
    assert summary(identify(embeddings, labels, [split]))["tpir_at_fpir"] == []
    nobody = Split(np.arange(12), np.flatnonzero(labels == -1))
    with pytest.raises(ValueError, match="no probe"):
        identify(embeddings, labels, [nobody])
