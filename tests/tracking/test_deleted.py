"""What people delete or rename in MLflow's pages, in a real SQLite store."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from mlflow import MlflowClient

from tests.tracking.projects import NAME, delete_network, logged_run, versions
from tripletlab.errors import Deleted, InputError, NoRuns
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.result import _kept, _promoted
from tripletlab.sweeping.table import ModelRow


def row(tracker, folder, score):
    """A finished run with its distances and a network."""
    run_id = logged_run(tracker, score)
    (folder / "out").mkdir(exist_ok=True)
    np.savez(folder / "out" / "distances.npz", validation=np.full(3, score))
    tracker.reopened(run_id).files(folder / "out")
    return ModelRow(f"of {score}", {}, (run_id,), ({SCORE: score},))


def delete(run_id, tracker, for_good):
    """Into MLflow's trash, which keeps the run's files, or out of it, too."""
    MlflowClient().delete_run(run_id)
    if for_good:
        command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", tracker.uri]
        subprocess.run([*command, "--run-ids", run_id], check=True, capture_output=True)


@pytest.mark.parametrize("for_good", [False, True])
def test_a_deleted_run_is_begun_anew_with_a_message(tracker, tmp_path, capsys, for_good):
    (run_id,) = row(tracker, tmp_path, 0.5).run_ids
    delete(run_id, tracker, for_good)
    with tracker.run("again", params={}, tags={}, resume=run_id, parent=run_id) as run:
        assert run.run_id != run_id
    assert f"the run {run_id} was deleted in MLflow" in " ".join(capsys.readouterr().err.split())
    assert tracker.runs.history(run_id, SCORE) == []
    tracker.close_run(run_id, "x")


def test_a_deleted_experiment_is_one_line_with_the_command_that_restores_it(tracker):
    client = MlflowClient()
    client.delete_experiment(client.get_experiment_by_name("test").experiment_id)
    for enter in (tracker.open, tracker.open_existing, tracker.connect):
        with pytest.raises(InputError, match="mlflow experiments restore --experiment-id 1"):
            enter()


def test_a_run_that_is_deleted_while_it_is_written_ends_in_one_line(tracker):
    def delete_and_log():
        with tracker.run("one", params={}, tags={}) as run:
            MlflowClient().delete_run(run.run_id)
            run.metrics({SCORE: 0.5}, step=1)

    with pytest.raises(InputError, match=r"the run \w+ was deleted in MLflow while it was being"):
        delete_and_log()


def test_runs_of_a_renamed_experiment_are_not_called_deleted(tracker, tmp_path):
    only, client = row(tracker, tmp_path, 0.5), MlflowClient()
    client.rename_experiment(client.get_experiment_by_name("test").experiment_id, "older")
    with pytest.raises(NoRuns, match=r"has no experiment test; there are older, Default"):
        tracker.open_existing()
    tracker.open()
    advice = f"the run {only.best_run} is in the experiment older, not in test: give .*=older$"
    with pytest.raises(InputError, match=advice):
        _kept([only], tracker)
    with (
        pytest.raises(InputError, match=advice),
        tracker.run("one", params={}, tags={}, resume=only.best_run),
    ):
        pass
    earlier = replace(tracker, experiment="older")
    earlier.open()
    assert _kept([only], earlier)[0] == [only]


@pytest.mark.parametrize("for_good", [False, True])
def test_the_best_remaining_row_is_promoted_and_the_deleted_ones_are_named(
    tracker, tmp_path, for_good
):
    best, second, third = rows = [row(tracker, tmp_path, score) for score in (0.9, 0.8, 0.7)]
    for _ in range(2):
        assert _promoted(rows, tracker).text == f"champion: {NAME}, from the run of 0.9"
        assert versions() == [(NAME, best.best_run)]
    delete(best.best_run, tracker, for_good)
    kept, models, gone = _kept(rows, tracker)
    assert (kept, gone) == ([second, third], ["of 0.9"])
    assert [float(one[0][0]) for one in models] == [0.8, 0.7]
    # the champion's run is gone, so that the best that is left takes its place
    assert _promoted(kept, tracker).text == f"champion: {NAME}, from the run of 0.8"

    client = MlflowClient()
    client.delete_model_version(NAME, tracker.models.find(second.best_run).version)
    assert _promoted(kept, tracker).text == f"champion: {NAME}, from the run of 0.8"
    client.delete_model_version(NAME, tracker.models.find(second.best_run).version)
    delete_network(second.best_run)
    assert _promoted(kept, tracker).text == (
        f"champion: {NAME}, from the run of 0.7 (deleted in MLflow: the model of of 0.8)"
    )
    client.delete_registered_model(NAME)
    assert _promoted(kept, tracker).text.startswith(f"champion: {NAME}, from the run of 0.7")
    client.delete_registered_model(NAME)
    delete_network(third.best_run)
    assert (
        _promoted(kept, tracker).text
        == "no champion: the models of these runs were deleted in MLflow"
    )


def test_a_renamed_model_keeps_its_champion_and_gets_the_next_winner(tracker, tmp_path):
    worse, best = (row(tracker, tmp_path, score) for score in (0.8, 0.9))
    _promoted([worse], tracker)
    MlflowClient().rename_registered_model(NAME, "mine")
    assert _promoted([worse, best], tracker).text == "champion: mine, from the run of 0.9"
    assert sorted(versions()) == sorted([("mine", worse.best_run), ("mine", best.best_run)])


@pytest.mark.parametrize("for_good", [False, True])
def test_a_champion_whose_run_is_gone_is_one_line(tracker, tmp_path, for_good):
    (run_id,) = row(tracker, tmp_path, 0.9).run_ids
    tracker.models.promote(tracker.models.register(run_id))
    delete(run_id, tracker, for_good)
    chosen = tracker.models.find("champion")
    with pytest.raises(Deleted, match=re.escape(f"the run {run_id} was deleted in MLflow")):
        tracker.runs.record(chosen.run_id)
    with pytest.raises(Deleted, match=re.escape(f"the run {run_id} was deleted in MLflow")):
        tracker.runs.artifact(chosen.run_id, "distances.npz")
    if not for_good:
        return
    with pytest.raises(Deleted, match=f"{NAME}/1: its files are missing"):
        tracker.models.load(chosen)
