"""The summary of a sweep, from a real study and real runs without a network."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from tests.stores import make_store
from tests.sweeping.studies import GRID, open_study
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import SCORE
from tripletlab.photos.pairs import Pairs
from tripletlab.sweeping import result
from tripletlab.sweeping.report import Summary
from tripletlab.sweeping.result import Promoted, _current, _write_report, conclude, summarise
from tripletlab.sweeping.study import RUN
from tripletlab.sweeping.table import PAPER_COLUMNS, ModelRow
from tripletlab.tracking.tracker import Tracker


@pytest.fixture
def tracker(tmp_path):
    made = Tracker(str(tmp_path), "test", f"sqlite:///{tmp_path / 'mlflow.db'}")
    made.open()
    return made


@pytest.fixture
def faces():
    """Two validation pairs a person: of two of their photos, and of one and the next person's."""
    store, people = make_store(entries=12, photos=4), np.arange(10)
    first = np.concatenate([people, people]) * 4
    second = np.concatenate([people * 4 + 1, (people + 1) % 10 * 4])
    pairs = Pairs(first, second, np.arange(20) < 10, np.zeros(20, np.int64))
    return dataclasses.replace(store, validation=pairs)


def distances(faces, quality):
    """Those of a model that is right about pairs with this probability."""
    matched = faces.validation.matched
    right = np.random.default_rng(int(100 * quality)).random(len(matched)) < quality
    return np.where(matched == right, 0.5, 1.5)


def train(queue, tracker, faces, folder, quality):
    """A trial with its run."""
    taken = queue.take()
    (folder / "out").mkdir(exist_ok=True)
    np.savez(folder / "out" / "distances.npz", validation=distances(faces, quality))
    with tracker.run("one", params={}, tags={}) as run:
        run.files(folder / "out")
    queue.note_trial(taken.number, RUN, run.run_id)
    queue.complete(taken.number, {SCORE: quality})
    return run.run_id


def test_rows_are_in_the_order_of_the_space_and_the_rest_is_counted(tracker, faces, tmp_path):
    queue = open_study(tmp_path)
    ids = [train(queue, tracker, faces, tmp_path, quality) for quality in (0.6, 0.9)]
    queue.prune(queue.take().number, "no hope")
    rows, text, *_ = summarise(queue, faces, tracker)
    assert [row.name for row in rows] == [GRID.title(cell) for cell in GRID.cells()[:2]]
    assert [row.best_run for row in rows] == ids
    assert [row.score for row in rows] == [0.6, 0.9]
    assert rows[1].name in text
    assert text.splitlines()[-1].startswith("Of 4 runs: 1 pruned, 1 waiting")  # a line of its own


def test_seeds_that_ended_early_are_named_with_their_models(tracker, faces, tmp_path):
    """A model whose weak seeds collapsed has the mean of the others."""
    queue = open_study(tmp_path, GRID.model_copy(update={"seeds": [1, 2]}))
    text = summarise_after(queue, tracker, faces, tmp_path, [0.6, 0.7, 0.8, 0.9])
    assert "Left out" not in text
    for ends in (queue.prune, queue.fail):
        ends(queue.take().number, "collapsed")
    text = summarise_after(queue, tracker, faces, tmp_path, [0.6])
    assert (
        "Left out of the means, as they ended early or failed: semihard 0.2 (1 of 2 seeds) and"
        " semihard 0.4 (1 of 2 seeds). The seeds that remain may be the better ones." in text
    )


def summarise_after(queue, tracker, faces, folder, qualities):
    for quality in qualities:
        train(queue, tracker, faces, folder, quality)
    return summarise(queue, faces, tracker).conclusion


def test_a_study_without_a_finished_run_says_why(tracker, faces, tmp_path):
    queue = open_study(tmp_path)
    with pytest.raises(InputError, match="no run was completed: none began"):
        summarise(queue, faces, tracker)
    queue.fail(queue.take().number, "ValueError: no")
    with pytest.raises(InputError, match=r"no run was completed: ValueError: no$"):
        summarise(queue, faces, tracker)
    queue.fail(queue.take().number, "ValueError: never")
    others = rf"ValueError: never; the others' reasons: tripletlab sweep status {queue.name}$"
    with pytest.raises(InputError, match=f"no run was completed: {others}"):
        summarise(queue, faces, tracker)


def test_the_note_of_a_large_sweep_fits_into_a_tag(monkeypatch):
    names = [*PAPER_COLUMNS, "test/accuracy_std"]
    rows = [
        ModelRow(f"semihard, margin {number / 100}", {}, ("",), (dict.fromkeys(names, number),))
        for number in range(100)
    ]
    notes, pages = [], []
    for name, value in {
        "summarise": Summary(rows, "Nothing is shown.", [], [], []),
        "title_of": "grid",
        "report": "",
        "_promoted": Promoted("no champion"),
    }.items():
        monkeypatch.setattr(result, name, lambda *_, value=value, **__: value)
    monkeypatch.setattr(result, "_record", lambda parent, page, content, *_: pages.append(content))
    data = SimpleNamespace(faces=None, pairs=None)
    study, parent = SimpleNamespace(space=GRID, name="a"), SimpleNamespace(note=notes.append)
    conclude(study, data, None, parent=parent)
    assert "margin 0.0 |" in pages[0]
    assert "margin 0.99 |" in notes[0]
    assert "Nothing is shown.\\\nno champion." in notes[0]
    assert len(notes[0]) < 8000  # what MLflow keeps of a tag


def test_runs_of_an_earlier_version_are_one_line(tracker, faces, tmp_path):
    queue = open_study(tmp_path)
    taken = queue.take()
    queue.note_trial(taken.number, RUN, "a")
    queue.note_trial(taken.number, "metrics", {"best_validation_auc": 0.5})
    queue.study.tell(taken.number, [0.5])
    with pytest.raises(InputError, match="of an earlier version, have no val/best_auc"):
        summarise(queue, faces, tracker)


def test_a_store_is_found_where_the_project_is_now(tmp_path):
    recorded = tmp_path / "before" / "data" / "synthetic" / "ab" / "pairs.h5"
    now = tmp_path / "now" / "data"
    assert _current(recorded, now) == recorded
    (now / "ab").mkdir(parents=True)
    (now / "ab" / "pairs.h5").touch()
    assert _current(recorded, now) == now / "ab" / "pairs.h5"


def test_a_report_that_cannot_be_written_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = SimpleNamespace(folder="runs", writable=True)
    assert _write_report("page", "grid-abc", kept).read_text() == "page"
    kept.writable = False
    assert _write_report("page", "grid-abc", kept) == tmp_path / "grid-abc.html"
    (tmp_path / "grid-def.html").mkdir()  # as in a folder that is read-only, for root too
    with pytest.raises(InputError, match=r"def\.html: cannot be written .*: cd to a folder that"):
        _write_report("page", "grid-def", kept)
