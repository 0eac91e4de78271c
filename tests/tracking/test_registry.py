"""Which version is meant, in a real SQLite store."""

import pytest
from mlflow import MlflowClient

from tripletlab.errors import InputError
from tripletlab.tracking import registry
from tripletlab.tracking.runs import CHAMPION, Tracker


@pytest.fixture
def tracker(tmp_path):
    made = Tracker(str(tmp_path), "test", f"sqlite:///{tmp_path / 'mlflow.db'}")
    made.open()
    return made


def register(tracker, score, *, name):
    """A version without a network."""
    client = MlflowClient()
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"auc": score})
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    client.create_model_version(name, source=tracker.folder, run_id=run.run_id)
    return run.run_id


def found(which, tracker):
    return registry.find(which, uri=tracker.uri)


def test_the_champion_is_that_of_the_last_sweep_and_it_is_said_which(tracker, capsys):
    one, other = register(tracker, 0.8, name="one"), register(tracker, 0.7, name="other")
    tracker.promote("one", run_id=one, metric="auc")
    assert found("champion", tracker).run_id == one
    assert capsys.readouterr().err == ""
    tracker.promote("other", run_id=other, metric="auc")
    assert found("champion", tracker).run_id == other
    said = " ".join(capsys.readouterr().err.split())
    assert "champion: that of other, trained last; there are also one@champion" in said
    assert found("one@champion", tracker).run_id == one
    worse = register(tracker, 0.6, name="one")  # a sweep on the first data that changes nothing
    assert not tracker.promote("one", run_id=worse, metric="auc")
    assert found("champion", tracker).run_id == one


def test_a_version_is_found_among_more_than_a_thousand(tracker):
    """As rows: MLflow takes minutes to make so many."""
    first = register(tracker, 0.8, name="one")
    import sqlite3

    with sqlite3.connect(tracker.uri.removeprefix("sqlite:///")) as store:
        columns = [row[1] for row in store.execute("pragma table_info(model_versions)")]
        taken = ", ".join("?" if name == "version" else name for name in columns)
        store.executemany(
            f"insert into model_versions ({', '.join(columns)})"
            f" select {taken} from model_versions where version = 1",
            [(version,) for version in range(2, 1102)],
        )
        store.execute("update model_versions set run_id = 'x' || version where version > 1")
    assert found("one/1", tracker).run_id == first
    assert found(first, tracker).version == "1"
    assert found("one/1101", tracker).version == "1101"
    assert found("1050", tracker).version == "1050"


@pytest.mark.parametrize("which", ["nothing", "other/1", "7", "0" * 32, "a' or '1", "one/²"])
def test_what_is_not_there_is_told_with_what_is(tracker, which):
    register(tracker, 0.8, name="one")
    with pytest.raises(InputError, match="no model is meant by that; there are one/1"):
        found(which, tracker)


def test_two_of_one_number_are_ambiguous(tracker):
    register(tracker, 0.8, name="one")
    register(tracker, 0.8, name="two")
    with pytest.raises(InputError, match="2 models are meant by that"):
        found("1", tracker)


def test_a_champion_that_nobody_promoted(tracker):
    with pytest.raises(InputError, match=r"no such model in .*run `tripletlab sweep` first"):
        found(CHAMPION, tracker)
