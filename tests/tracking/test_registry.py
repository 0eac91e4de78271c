"""Which version is meant, and who is champion, in a real SQLite store."""

import sqlite3

import keras
import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from tripletlab.errors import InputError
from tripletlab.tracking.registry import CHAMPION


def register(tracker, score, *, name="model"):
    """A version without a network."""
    client = MlflowClient()
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"auc": score})
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    client.create_model_version(name, source=tracker.folder, run_id=run.run_id)
    return run.run_id


def found(which, tracker):
    return tracker.models.find(which)


def test_the_champion_is_that_of_the_last_promotion_and_a_message_names_it(tracker, capsys):
    one, other = register(tracker, 0.8, name="one"), register(tracker, 0.7, name="other")
    tracker.models.promote("one", run_id=one, metric="auc")
    assert found("champion", tracker).run_id == one
    assert capsys.readouterr().err == ""
    tracker.models.promote("other", run_id=other, metric="auc")
    assert found("champion", tracker).run_id == other
    said = " ".join(capsys.readouterr().err.split())
    assert "champion: that of other, trained last; there are also one@champion" in said
    assert found("one@champion", tracker).run_id == one
    worse = register(tracker, 0.6, name="one")  # a sweep on the first data that changes nothing
    assert not tracker.models.promote("one", run_id=worse, metric="auc")
    assert found("champion", tracker).run_id == one


def test_a_champion_without_the_metric_is_replaced_with_a_message(tracker, capsys):
    """As of a run that logged it under another name."""
    tracker.models.promote("one", run_id=register(tracker, 0.8, name="one"), metric="auc")
    with tracker.run("one", params={}, tags={}) as run:
        run.metrics({"val/best_auc": 0.7})
    MlflowClient().create_model_version("one", source=tracker.folder, run_id=run.run_id)
    assert tracker.models.promote("one", run_id=run.run_id, metric="val/best_auc")
    assert found("one@champion", tracker).run_id == run.run_id
    said = " ".join(capsys.readouterr().err.split())
    assert "has no val/best_auc: replaced without comparison" in said


def test_a_version_is_found_among_more_than_a_thousand(tracker):
    """As rows: MLflow takes minutes to make so many."""
    first = register(tracker, 0.8, name="one")

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
def test_an_unknown_version_is_an_error_that_lists_the_known_ones(tracker, which):
    register(tracker, 0.8, name="one")
    with pytest.raises(InputError, match="no model is meant by that; there are one/1"):
        found(which, tracker)


def test_a_number_of_two_versions_is_ambiguous(tracker):
    register(tracker, 0.8, name="one")
    register(tracker, 0.8, name="two")
    with pytest.raises(InputError, match="2 models are meant by that"):
        found("1", tracker)


def test_without_a_champion_the_error_says_how_to_get_one(tracker):
    with pytest.raises(InputError, match=r"no such model in .*run `tripletlab sweep` first"):
        found(CHAMPION, tracker)


def champion(name="model"):
    return MlflowClient().get_model_version_by_alias(name, CHAMPION).run_id


def test_only_a_better_run_replaces_the_champion_of_its_own_model(tracker):
    middling, worse, better = (register(tracker, score) for score in (0.8, 0.7, 0.9))
    elsewhere = register(tracker, 0.99, name="other")
    assert tracker.models.promote("model", run_id=middling, metric="auc")
    assert not tracker.models.promote("model", run_id=worse, metric="auc")
    assert champion() == middling
    assert tracker.models.promote("model", run_id=better, metric="auc")
    assert tracker.models.promote("model", run_id=better, metric="auc")
    assert champion() == better
    assert tracker.models.promote("other", run_id=elsewhere, metric="auc")
    assert champion() == better


def test_the_champion_is_loaded_with_its_signature(tracker):

    embedder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with tracker.run("one", params={}, tags={}) as run:
        run.model(embedder, registered_as="model")
    run_id = run.run_id
    tracker.models.promote("model", run_id=run_id, metric="auc")
    model = mlflow.pyfunc.load_model(f"models:/model@{CHAMPION}")
    assert model.metadata.signature.inputs.inputs[0].shape == (-1, 2)
    assert np.asarray(model.predict(np.ones((4, 2), np.float32))).shape == (4, 3)
