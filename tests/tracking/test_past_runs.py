"""What runs have recorded, in a real SQLite database."""

import time
from urllib.parse import parse_qs

import pytest
from mlflow import MlflowClient
from sqlalchemy import Engine, event

from tripletlab.errors import Deleted


def test_metrics_by_epoch_are_the_last_of_an_epoch_that_was_repeated(tracker):
    with tracker.run("one", params={"margin": 0.2}, tags={"a": "b"}) as run:
        for epoch, loss in ((1, 0.5), (2, 0.25), (2, 0.2)):
            run.metrics({"loss": loss}, step=epoch)
            time.sleep(0.002)  # MLflow counts milliseconds
        run.metrics({"accuracy": 0.9})
    assert tracker.runs.history(run.run_id, "loss") == [(1, 0.5), (2, 0.2)]
    record = tracker.runs.record(run.run_id)
    assert (record.name, record.status) == ("one", "FINISHED")
    assert (record.metrics["accuracy"], record.params, record.tags["a"]) == (
        0.9,
        {"margin": "0.2"},
        "b",
    )


def test_the_latest_run_with_a_tag_is_found_unless_it_was_deleted(tracker):
    ids = []
    for _ in range(2):
        with tracker.run("one", params={}, tags={"recipe": "x"}) as run:
            ids.append(run.run_id)
    assert tracker.runs.tagged("recipe", "x").run_id == ids[1]
    MlflowClient().delete_run(ids[1])
    assert tracker.runs.tagged("recipe", "x").run_id == ids[0]
    assert tracker.runs.tagged("recipe", "y") is None
    assert [tracker.runs.exists(run_id) for run_id in (*ids, "0" * 32)] == [True, False, False]


def test_a_run_is_found_among_those_of_its_parent(tracker):
    of_trial = {"params": {}, "tags": {"trial": "0"}}
    with (
        tracker.run("sweep", params={}, tags={}) as parent,
        tracker.run("trial", **of_trial, parent=parent.run_id) as child,
    ):
        pass
    with tracker.run("another", **of_trial):
        pass
    assert tracker.runs.tagged("trial", "0", parent=parent.run_id).run_id == child.run_id
    assert tracker.runs.tagged("trial", "1", parent=parent.run_id) is None


def test_an_artifact_that_is_missing_is_one_line(tracker, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "card.json").write_text("{}")
    with tracker.run("one", params={}, tags={}) as run:
        run.files(tmp_path / "out", under="evaluations")
    assert tracker.runs.artifact(run.run_id, "evaluations/card.json").read_text() == "{}"
    assert tracker.runs.has(run.run_id, "evaluations")
    assert not tracker.runs.has(run.run_id, "card.json")
    with pytest.raises(Deleted, match=r"has no card\.json"):
        tracker.runs.artifact(run.run_id, "card.json")


def test_the_page_shows_the_runs_of_the_latest_sweep_the_best_first(tracker):
    assert "searchFilter" not in tracker.runs.page()  # without a sweep: all runs
    for _ in range(2):
        with tracker.run("sweep", params={"space": "a", "study": "a-1"}, tags={}) as parent:
            pass
    with tracker.run("train", params={}, tags={}):
        pass
    address, _, query = tracker.runs.page().partition("?")
    experiment = MlflowClient().get_experiment_by_name(tracker.experiment).experiment_id
    assert address == f"#/experiments/{experiment}/runs"
    assert parse_qs(query) == {
        "searchFilter": [f"tags.`mlflow.parentRunId` = '{parent.run_id}'"],
        "orderByKey": ["metrics.`val/best_auc`"],
        "orderByAsc": ["false"],
        "workflowType": ["machine_learning"],
    }


def test_an_artifact_of_many_runs_takes_no_more_queries_than_that_of_one(tracker, tmp_path):
    ids, statements = [], []
    for number in range(4):
        with tracker.run("one", params={}, tags={}) as run:
            (tmp_path / "out").mkdir(exist_ok=True)
            (tmp_path / "out" / f"{number % 3}.txt").write_text(str(number))
            run.files(tmp_path / "out")
        ids.append(run.run_id)
    MlflowClient().delete_run(ids[3])

    def listen(*_):
        statements.append(1)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        alone = tracker.runs.artifacts(ids[2:3], "2.txt")
        of_one = len(statements)
        both = tracker.runs.artifacts(ids, "1.txt")
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert alone[ids[2]].read_text() == "2"
    assert {run: file.read_text() for run, file in both.items()} == {ids[1]: "1", ids[2]: "1"}
    assert len(statements) == 2 * of_one > 0
    assert tracker.runs.artifacts([], "1.txt") == {}
