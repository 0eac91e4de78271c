"""Embeddings to a folder: every file, what the card says, and embeddings that are not all there."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.stores import make_pairs
from tripletlab.evaluation.metrics import METRICS
from tripletlab.evaluation.operating_points import equal_error_rate, true_accept_rate
from tripletlab.evaluation.protocol import evaluate, pair_distances
from tripletlab.experiment.evaluation import (
    CAPTIONS,
    NOT_CHECKABLE,
    _identified,
    about_training,
    evaluate_embeddings,
)
from tripletlab.experiment.snapshots import Snapshot
from tripletlab.faces.store import PEOPLE_UNKNOWN


def embeddings_of(store, *, noise, seed=0):
    """A direction a person, and a noise."""
    rng = np.random.default_rng(seed)
    names = np.unique(store.names, return_inverse=True)[1]
    made = rng.normal(size=(names.max() + 1, 8))[names] + noise * rng.normal(size=(len(names), 8))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An evaluation on the pairs of 24 people, with three snapshots."""
    folder, store = tmp_path_factory.mktemp("evaluated"), make_pairs(people=24, photos=4)
    after = embeddings_of(store, noise=0.8)
    rows = store.map_rows
    snapshots = [
        Snapshot(epoch, embeddings_of(store, noise=noise)[rows])
        for epoch, noise in ((0, 9.0), (1, 2.0))
    ]
    (folder / "learning.png").write_bytes(b"png")
    distances, summary = evaluate_embeddings(
        after,
        store,
        snapshots=[*snapshots, Snapshot(2, after[rows])],
        name="a run",
        about=about_training(
            dict.fromkeys(("Person 1", "PERSON_2", "Nobody"), ""), store, faces_fingerprint="0"
        ),
        flip=True,
        folder=folder,
    )
    return folder, store, after, distances, summary


def test_every_file_is_there_and_every_picture_on_the_card(written):
    folder = written[0]
    pages = {"card.json", "card.md", "card.html", "umap.html"}
    assert {path.name for path in folder.iterdir()} == {*pages, *CAPTIONS}
    assert (folder / "card.html").read_text().count("<img ") == len(CAPTIONS)


def test_the_figures_are_those_of_the_protocol(written):
    folder, store, after, distances, summary = written
    pairs = store.pairs
    np.testing.assert_array_equal(distances, pair_distances(after, pairs.first, pairs.second))
    result = evaluate(distances, pairs.matched, pairs.fold)
    assert {f"test/{name}" for name in summary} == {
        name for name in METRICS if name.startswith("test/") and "untrained" not in name
    }
    points = {name for name in summary if name == "eer" or name.startswith("tar_at_far")}
    assert {name: summary[name] for name in summary.keys() - points} == result.summary()
    assert summary["eer"] == pytest.approx(equal_error_rate(distances, store.pairs.matched))
    tar = true_accept_rate(distances, store.pairs.matched, far=0.1).tar
    assert summary["tar_at_far_0.1"] == pytest.approx(tar)
    card = json.loads((folder / "card.json").read_text())
    assert card["scores"]["accuracy"]["folds"] == result.accuracy.tolist()
    assert card["identification"]["enrolled_people"] == [12, 12]
    assert card["identification"]["cmc"]["1"] > 0.3


def test_the_card_says_how_it_was_evaluated_and_whom_the_network_was_trained_on(written):
    folder, store, *_ = written
    about = json.loads((folder / "card.json").read_text())["about"]
    assert about["test_time_flip"] is True
    assert about["alignment"] == "none: the box of the detector"
    assert about["pairs_with_a_missing_face"] == np.sum(
        store.fallback[store.pairs.first] | store.fallback[store.pairs.second]
    )
    assert about["training_identities"] == 3
    assert about["training_names_in_the_test"] == ["person 1", "person 2"]
    assert about["pairs_fingerprint"] == store.fingerprint


def test_the_film_ends_in_the_kept_epoch(written):
    page = (written[0] / "umap.html").read_text()
    for title in ("before training", "untrained", "after epoch 1", "after epoch 2, the one"):
        assert title in page


def test_faces_without_an_embedding_are_left_out_of_the_map_and_the_galleries(
    tmp_path, monkeypatch
):
    store = make_pairs(people=24, photos=4)
    embeddings = embeddings_of(store, noise=0.8)
    unused = np.setdiff1d(
        np.arange(len(embeddings)), np.union1d(store.pairs.first, store.pairs.second)
    )
    assert len(unused)
    embeddings[unused] = np.nan
    settings = {"snapshots": [], "name": "a file", "about": {}, "flip": False, "folder": tmp_path}
    titles = []
    monkeypatch.setattr(
        "tripletlab.experiment.evaluation.draw_identification",
        lambda _found, *, title, path: titles.append((title, path)),
    )
    evaluate_embeddings(embeddings, store, **settings)
    assert titles[0][0].endswith(f" {len(embeddings) - len(unused)} faces")
    card = json.loads((tmp_path / "card.json").read_text())
    searched = card["identification"]["searches_for_enrolled"]
    there = len(embeddings) - len(unused)
    assert 0 < searched <= there - sum(card["identification"]["enrolled_people"])
    assert "before training" not in (tmp_path / "umap.html").read_text()


def test_where_people_are_not_known_apart_nobody_is_searched_for(tmp_path):
    store = make_pairs(people=6, photos=2)
    embeddings = embeddings_of(store, noise=0.8)
    assert _identified(embeddings, store) is not None
    unknown = replace(store, notes={PEOPLE_UNKNOWN: True})
    assert _identified(embeddings, unknown) is None
    settings = {"snapshots": [], "name": "a file", "about": {}, "flip": False, "folder": tmp_path}
    evaluate_embeddings(embeddings, unknown, **settings)
    pairs = json.loads((tmp_path / "card.json").read_text())["pairs"]
    assert pairs["people_at_most"] == 6
    assert "people" not in pairs


def test_overlap_is_by_name_and_never_none_where_names_are_missing():
    store = replace(make_pairs(people=4, photos=2), display_names=("Zoë Kravitz",) * 2 + ("",) * 6)

    def overlap(trained_on, fingerprint="0"):
        about = about_training(trained_on, store, faces_fingerprint=fingerprint)
        return about["training_people_in_the_test"], about["training_names_in_the_test"]

    assert overlap({"n000001": "Zoe_Kravitz"}) == (1, ["Zoë Kravitz"])
    assert overlap({"n000001": ""}) == (NOT_CHECKABLE, NOT_CHECKABLE)
    assert overlap({"n000001": "Ann"}) == (
        NOT_CHECKABLE,
        NOT_CHECKABLE,
    )  # tested people are unnamed
    store = replace(store, notes={**store.notes, "held_out_of": "faces"})
    assert overlap({"n000001": ""}, "faces") == (0, [])
    assert overlap({"person 1": ""}, "faces") == (1, ["person 1"])


def test_where_nobody_has_many_photos_there_is_no_map(tmp_path, capsys):
    """As with pairs of one's own: everything else is there, and why it is not is said."""
    store = replace(make_pairs(people=6, photos=2), map_rows=np.array([], np.int64))
    after, none = embeddings_of(store, noise=0.8), np.empty((0, 8), np.float32)
    evaluate_embeddings(
        after,
        store,
        snapshots=[Snapshot(0, none), Snapshot(1, none)],
        name="a run",
        about={},
        flip=False,
        folder=tmp_path,
    )
    assert (tmp_path / "card.html").is_file()
    assert not list(tmp_path.glob("umap*"))
    assert "no map of the embeddings" in " ".join(capsys.readouterr().err.split())
