"""Identification, one to many: which of the enrolled people is this, if any?

The distance of a probe to a person is that to the nearest of the person's gallery faces.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripletlab.evaluation.operating_points import RULE_OF_30, largest_count

Embeddings = NDArray[np.float32]  # (faces, dim)
Labels = NDArray[np.int64]  # (faces,) the identity of each
Rows = NDArray[np.int64]

BLOCK = 1 << 21  # distances at once, 16 MB
TIE = 1e-9  # rounding of the matrix product; squared distances are 0 to 4
RANKS = (1, 5, 10, 20)
FPIRS = (0.1, 0.01)


class Split(NamedTuple):
    """The rows of the enrolled faces, and of those searched for."""

    gallery: Rows
    probes: Rows


class SearchResult(NamedTuple):
    """The result of every probe's search; both (probes,)."""

    rank: NDArray[np.int64]  # of the probe's own person, from 1; 0 if not enrolled
    nearest: NDArray[np.float64]  # squared distance to the nearest person


class Identified(NamedTuple):
    """The searches of all splits in a row, and the number of people and faces in each gallery."""

    found: SearchResult
    people: list[int]
    faces: list[int]


def two_galleries(labels: Labels, *, seed: int) -> list[Split]:
    """Deal the people with two or more faces into two galleries, with one face of each person.

    All other faces are probes of both; the people of one gallery are unknown to the other, and
    people with a single face are unknown to both, as in IJB-C (Maze et al., ICB 2018).
    ValueError where fewer than two people have two faces.
    """
    _, first, counts = np.unique(labels, return_index=True, return_counts=True)
    several = np.flatnonzero(counts > 1)
    if len(several) < 2:
        raise ValueError("two galleries need two people with two faces or more")
    dealt = np.random.default_rng(seed).permutation(several)
    enrolled = first[several]
    probes = np.setdiff1d(np.arange(len(labels)), enrolled)
    return [Split(np.sort(first[dealt[half::2]]), probes) for half in (0, 1)]


def search(
    gallery: Embeddings, enrolled: Labels, probes: Embeddings, labels: Labels
) -> SearchResult:
    """Search the gallery's people for every probe.

    `gallery` (faces, dim) shows the people `enrolled` (faces,), `probes` (probes, dim) those of
    `labels` (probes,). People at the same distance as the probe's own rank before it, so that a
    network that maps all faces to one point finds nobody. Memory grows with gallery + probes.
    ValueError where an embedding is not finite.
    """
    if not (np.isfinite(gallery).all() and np.isfinite(probes).all()):
        raise ValueError("embeddings must be finite")
    order = np.argsort(enrolled, kind="stable")
    people, starts = np.unique(enrolled[order], return_index=True)
    faces = gallery[order].astype(np.float64)
    lengths = np.einsum("gd,gd->g", faces, faces)
    place = np.searchsorted(people, labels).clip(max=len(people) - 1)
    known = people[place] == labels
    rank, nearest = np.zeros(len(probes), np.int64), np.empty(len(probes))
    step = max(1, BLOCK // len(faces))
    for start in range(0, len(probes), step):
        rows = slice(start, start + step)
        batch = probes[rows].astype(np.float64)
        own = np.einsum("pd,pd->p", batch, batch)[:, None]
        distances = np.minimum.reduceat(own + lengths - 2 * batch @ faces.T, starts, axis=1)
        mate = np.take_along_axis(distances, place[rows, None], axis=1)
        rank[rows] = np.where(known[rows], np.count_nonzero(distances <= mate + TIE, axis=1), 0)
        nearest[rows] = distances.min(axis=1)
    return SearchResult(rank, nearest)


def cmc(found: SearchResult, *, people: int) -> NDArray[np.float64]:
    """The cumulative match characteristic over the probes whose person is enrolled.

    Returns (people,), rising to 1: the share whose own person is among the first 1, 2, … people.
    NaN where no probe's person is enrolled.
    """
    ranks = found.rank[found.rank > 0]
    return np.cumsum(np.bincount(ranks, minlength=people + 1)[1:]) / len(ranks)


def tpir(found: SearchResult, *, fpir: float) -> float:
    """The true positive identification rate at a false positive identification rate, 0 to 1.

    That is the share of enrolled probes whose own person is nearest, and below the threshold that
    at most the fraction `fpir` of the probes of unknown people stay below; nothing is
    interpolated. Without unknown probes there is no threshold; NaN without enrolled ones.
    """
    known = found.rank > 0
    strangers = np.append(np.sort(found.nearest[~known]), np.inf)
    allowed = largest_count(fpir, of=len(strangers) - 1)
    return float(np.mean((found.rank == 1)[known] & (found.nearest < strangers[allowed])[known]))


def identify(embeddings: Embeddings, labels: Labels, splits: Sequence[Split]) -> Identified:
    """Search in all splits of the faces `embeddings` (faces, dim) with `labels` (faces,).

    ValueError where no probe's person is enrolled, or an embedding is not finite.
    """
    searches = [
        search(
            embeddings[split.gallery],
            labels[split.gallery],
            embeddings[split.probes],
            labels[split.probes],
        )
        for split in splits
    ]
    found = SearchResult(*map(np.concatenate, zip(*searches, strict=True)))
    if not found.rank.any():
        raise ValueError("no probe shows a person of the gallery")
    enrolled = [labels[split.gallery] for split in splits]
    return Identified(found, [len(np.unique(one)) for one in enrolled], list(map(len, enrolled)))


def summary(identified: Identified) -> dict[str, Any]:
    """The CMC at some ranks and TPIR at FPIR over all splits at once, as values for JSON.

    A rank is left out where the galleries have no more people: everybody is among them.
    `tpir_at_fpir` is empty without searches for unknown people.
    """
    found, people, faces = identified
    known, unknown = int(np.count_nonzero(found.rank)), int(np.count_nonzero(found.rank == 0))
    curve = cmc(found, people=max(people))
    return {
        "enrolled_people": people,
        "enrolled_faces": faces,
        "searches_for_enrolled": known,
        "searches_for_unknown": unknown,
        "cmc": {
            str(rank): float(curve[rank - 1]) for rank in RANKS if rank == 1 or rank < len(curve)
        },
        "tpir_at_fpir": [
            {
                "fpir": fpir,
                "tpir": tpir(found, fpir=fpir),
                "supported": fpir * unknown >= RULE_OF_30,
            }
            for fpir in FPIRS
            if unknown
        ],
    }


def searches(figures: Mapping[str, Any]) -> str:
    """Of a `summary`: how many are enrolled, and how many searches there were."""
    galleries = " and ".join(
        f"{people:,} people ({faces:,} faces)"
        for people, faces in zip(figures["enrolled_people"], figures["enrolled_faces"], strict=True)
    )
    several = len(figures["enrolled_people"]) > 1
    return (
        f"{'Two galleries' if several else 'Enrolled'}: {galleries};"
        f" {figures['searches_for_enrolled']:,} searches for people who are enrolled,"
        f" {figures['searches_for_unknown']:,} for people who are not."
    )
