"""Which network is meant, what is registered, and who is champion, in a real SQLite store."""

import re
import sqlite3
from types import SimpleNamespace
from uuid import UUID

import keras
import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.store.tracking import sqlalchemy_store

from tests.tracking.projects import FACES, NAME, logged_run, network, versions
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import SCORE, SCORE_BEFORE
from tripletlab.tracking.logged_network import NETWORK, logged_model
from tripletlab.tracking.registry import CHAMPION, RunModel, read_network

OTHER = {"photos": "others", "faces_fingerprint": "cd" * 32}


def registered(tracker, score, *, faces=FACES):
    return tracker.models.register(logged_run(tracker, score, faces=faces))


def test_the_champion_is_that_of_the_last_promotion_and_a_message_names_it(tracker, capsys):
    one, other = registered(tracker, 0.8), registered(tracker, 0.7, faces=OTHER)
    tracker.models.promote(one)
    assert tracker.models.find("champion") == one
    message = " ".join(capsys.readouterr().err.split())
    assert f"champion: {NAME}/1 (run {one.run_id[:8]})" in message
    assert "promoted last" not in message
    tracker.models.promote(other)
    assert tracker.models.find("champion") == other
    message = " ".join(capsys.readouterr().err.split())
    assert f"champion: {other.name}/1 (run {other.run_id[:8]}), promoted last;" in message
    assert f"there are also {NAME}@champion" in message
    assert tracker.models.find(f"{NAME}@champion") == one
    worse = registered(tracker, 0.6)  # a sweep on the first data that changes nothing
    assert not tracker.models.promote(worse)
    registered(tracker, 0.5, faces=OTHER)  # an export of another run promotes nothing
    assert tracker.models.find("champion") == one
    assert set(tracker.models.champions()) == {one.run_id, other.run_id}


def test_a_run_is_found_by_the_first_digits_of_its_id(tracker, monkeypatch):
    drawn = (UUID(f"ab12{number:02x}{0:026}") for number in range(0x100))
    monkeypatch.setattr(sqlalchemy_store, "uuid", SimpleNamespace(uuid4=drawn.__next__))
    one = registered(tracker, 0.8)
    MlflowClient().delete_run(logged_run(tracker, 0.7))
    assert tracker.models.find("ab12") == one
    logged_run(tracker, 0.6)
    with pytest.raises(InputError, match=rf"ab12: .*{one.run_id}.*; give more digits"):
        tracker.models.find("ab12")
    assert tracker.models.find("ab1200") == one


def test_a_version_is_found_among_more_than_a_thousand(tracker):
    """As rows: MLflow takes minutes to make so many."""
    first = registered(tracker, 0.8)
    with sqlite3.connect(tracker.uri.removeprefix("sqlite:///")) as store:
        columns = [row[1] for row in store.execute("pragma table_info(model_versions)")]
        taken = ", ".join("?" if name == "version" else name for name in columns)
        store.executemany(
            f"insert into model_versions ({', '.join(columns)})"
            f" select {taken} from model_versions where version = 1",
            [(version,) for version in range(2, 1102)],
        )
        store.execute("update model_versions set run_id = 'x' || version where version > 1")
    assert tracker.models.find(f"{NAME}/1") == tracker.models.find(first.run_id) == first
    assert tracker.models.find(f"{NAME}/1101").version == "1101"
    assert tracker.models.find("1050").version == "1050"


def test_digits_that_no_run_begins_with_are_an_error(tracker):
    run_id = logged_run(tracker, 0.8)
    with pytest.raises(InputError, match="no run has an id that begins so; `tripletlab ui`"):
        tracker.models.find("0123" if not run_id.startswith("0123") else "4567")


@pytest.mark.parametrize("which", ["nothing", "other/1", "7", "0" * 32, "a' or '1", f"{NAME}/²"])
def test_an_unknown_version_is_an_error_that_lists_the_known_ones(tracker, which):
    registered(tracker, 0.8)
    with pytest.raises(InputError, match=f"no model is meant by that; there are {NAME}/1"):
        tracker.models.find(which)


def test_too_few_digits_of_a_runs_id_are_an_error_that_asks_for_more(tracker):
    run_id = registered(tracker, 0.8).run_id
    with pytest.raises(InputError, match="of a run's id, give 4 digits or more"):
        tracker.models.find(run_id[:3])
    assert tracker.models.find(run_id[:4]).run_id == run_id


def test_a_number_of_two_versions_is_ambiguous(tracker):
    registered(tracker, 0.8)
    registered(tracker, 0.8, faces=OTHER)
    with pytest.raises(InputError, match="2 models are meant by that"):
        tracker.models.find("1")


@pytest.mark.parametrize("any_registered", [False, True])
def test_without_a_champion_the_error_says_how_to_get_one(tracker, any_registered):
    run_id = logged_run(tracker, 0.8)
    if any_registered:
        tracker.models.register(run_id)
    advice = "run `tripletlab sweep` or `tripletlab train --register`, or give the id of a run"
    with pytest.raises(InputError, match=f"there is no champion in .*; {re.escape(advice)}"):
        tracker.models.find(CHAMPION)


def test_only_a_better_run_replaces_the_champion_of_its_own_model(tracker):
    middling, worse, better = (registered(tracker, score) for score in (0.8, 0.7, 0.9))
    elsewhere = registered(tracker, 0.99, faces=OTHER)
    champion = f"{NAME}@champion"
    assert tracker.models.promote(middling)
    assert not tracker.models.promote(worse)
    assert tracker.models.find(champion) == middling
    assert tracker.models.promote(better)
    assert tracker.models.promote(better)
    assert tracker.models.find(champion) == better
    assert tracker.models.promote(elsewhere)
    assert tracker.models.find(champion) == better


def test_a_champion_of_an_earlier_version_is_compared_by_the_metric_of_its_time(tracker):
    earlier = registered(tracker, 0.9)
    with sqlite3.connect(tracker.uri.removeprefix("sqlite:///")) as store:
        for table in ("metrics", "latest_metrics"):
            store.execute(f"update {table} set key = ? where key = ?", (SCORE_BEFORE, SCORE))
    tracker.models.promote(earlier)
    assert not tracker.models.promote(registered(tracker, 0.8))
    assert tracker.models.promote(registered(tracker, 0.95))


def test_models_of_other_projects_are_neither_champions_nor_counted(tracker):
    client, one = MlflowClient(), registered(tracker, 0.8)
    tracker.models.promote(one)
    with tracker.run("of others", params={}, tags={}) as run:
        pass
    for run_id in (None, run.run_id):
        client.create_registered_model(name := f"fraud {run_id}")
        client.create_model_version(name, "s3://other/model", run_id=run_id)
        client.set_registered_model_alias(name, CHAMPION, "1")
        with pytest.raises(InputError, match=f"no model is meant by that; there are {NAME}/1$"):
            tracker.models.find(f"{name}/1")
    assert tracker.models.find("champion") == tracker.models.find("1") == one
    assert tracker.models.champions() == [one.run_id]

    by_hand = client.create_model_version(NAME, "s3://other/model")
    client.set_registered_model_alias(NAME, CHAMPION, by_hand.version)
    with pytest.raises(InputError, match="there is no champion"):
        tracker.models.find("champion")
    assert tracker.models.promote(one)
    assert tracker.models.find("champion") == one


def test_a_run_that_is_not_registered_is_found_by_its_id_and_loaded(tracker):
    with tracker.run("one", params={}, tags=FACES) as run:
        run.model(network())
    chosen = tracker.models.find(run.run_id)
    assert chosen == RunModel(run.run_id)
    assert str(chosen) == f"run {run.run_id}"
    assert tracker.models.load(chosen).output_shape == (None, 3)
    assert versions() == []


def test_a_network_that_a_killed_process_was_logging_is_replaced(tracker):
    client = MlflowClient()
    with tracker.run("one", params={}, tags=FACES) as run:
        experiment = client.get_run(run.run_id).info.experiment_id
        client.create_logged_model(experiment, name=NETWORK, source_run_id=run.run_id)
        assert logged_model(run.run_id) is None
        run.model(network())
        run.model(network())  # a continued run
    (kept,) = client.search_logged_models([experiment])
    assert kept.status == "READY"


def test_a_registered_version_describes_itself_and_can_be_tried(tracker):
    params = {"architecture": "simple_cnn", "margin": 0.2, "miner": "semihard"}
    tags = {**FACES, "verification": "LFW", "pairs_fingerprint": "ef" * 32}
    with tracker.run("one", params=params, tags=tags) as run:
        run.metrics({SCORE: 0.87654, "train/identities": 1200})
        run.model(network())
    model = tracker.models.register(run.run_id)
    tracker.models.promote(model)
    assert tracker.models.register(run.run_id) == model == RunModel(run.run_id, NAME, "1")
    version = MlflowClient().get_model_version(NAME, "1")
    assert version.description == (
        "simple_cnn, margin 0.2, miner semihard; trained on 1,200 identities of synthetic people;"
        " chosen by a validation AUC of 0.8765."
    )
    assert version.tags == {**tags, "git_commit": version.tags["git_commit"]}
    assert version.run_id == run.run_id
    metrics = logged_model(run.run_id).metrics
    assert {one.key: one.value for one in metrics}[SCORE] == 0.87654
    served = mlflow.pyfunc.load_model(f"models:/{NAME}@{CHAMPION}")
    assert served.metadata.signature.inputs.inputs[0].shape == (-1, 32, 32, 1)
    assert served.input_example.shape == (1, 32, 32, 1)
    assert np.ptp(served.input_example) > 50  # a picture
    assert np.asarray(served.predict(served.input_example)).shape == (1, 3)


def test_a_network_that_brings_code_is_refused_and_runs_none_of_it(tmp_path):
    layers = [keras.Input((4,)), keras.layers.Lambda(lambda x: print("ran") or x)]
    keras.Sequential(layers).save(tmp_path / "code.keras")
    with pytest.raises(InputError, match=r"^[^\n]*code.keras: no network that Keras can load"):
        read_network(tmp_path / "code.keras")
    network().save(tmp_path / "plain.keras")
    assert read_network(tmp_path / "plain.keras").output_shape == (None, 3)
