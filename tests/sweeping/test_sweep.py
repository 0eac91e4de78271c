"""A small sweep from photos to a champion: stopped, killed, its worker killed, and run again."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient

from tests.imports import imported_by
from tests.stores import SMALL
from tests.tracking.projects import status, tracker_in
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import METRICS, SCORE
from tripletlab.experiment.data import Data
from tripletlab.sweeping import sweep as module
from tripletlab.sweeping.study import PARENT

TWO_CELLS = "axes.margin=[0.2]"


def sweep(folder, *more):
    """The command as a terminal starts it: a shell's `&` would have it ignore Ctrl-C."""
    command = [sys.executable, "-m", "tripletlab", "sweep", *SMALL, *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def runs(folder):
    """Name and status of every run but those of other tests."""
    uri = f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"
    client = MlflowClient(uri, uri)  # other tests of this process have registries of their own
    found = client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id])
    return [(run.info.run_name, run.info.status) for run in found], found, client


def wait_until(finished, folder, process):
    """So many cells are there, and the next one is at work."""
    while process.poll() is None:
        time.sleep(0.5)
        if list(folder.glob("mlruns/sweeps/*/*.log")):  # MLflow's tables are made by then
            statuses = [status for _, status in runs(folder)[0]]
            if statuses.count("RUNNING") == 2 and statuses.count("FINISHED") == finished:
                return
    pytest.fail(f"the sweep ended by itself: {process.stderr.read()}")


def kill_worker(folder, process):
    """SIGKILL for the process that trains, as soon as its trial prints."""
    begun = time.time()
    while not any(log.stat().st_mtime > begun for log in folder.glob("mlruns/sweeps/*/*.log")):
        assert process.poll() is None
        time.sleep(0.1)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_text()
            if parent == process.pid and "spawn_main" in command:
                os.kill(int(path.parent.name), signal.SIGKILL)


def wait_until_noted(folder, process):
    """The driver has noted the run of the trial at work."""
    noted = (
        "select count(*) from trial_user_attributes where key = 'run_id' and trial_id in"
        " (select trial_id from trials where state = 'RUNNING')"
    )
    while process.poll() is None:
        with contextlib.closing(sqlite3.connect(folder / "mlruns" / "optuna.db")) as database:
            if database.execute(noted).fetchone() == (1,):
                return
        time.sleep(0.1)
    pytest.fail(f"the sweep ended by itself: {process.stderr.read()}")


def forget_runs_at_work(folder):
    """As if the driver had died after its trials' runs began, and before it noted them."""
    with contextlib.closing(sqlite3.connect(folder / "mlruns" / "optuna.db")) as database, database:
        notes = database.execute(
            "delete from trial_user_attributes where key = 'run_id' and trial_id in"
            " (select trial_id from trials where state = 'RUNNING')"
        )
        assert notes.rowcount == 1


@pytest.mark.timeout(600)
def test_stopped_killed_completed_and_not_repeated(tmp_path):
    process = sweep(tmp_path, TWO_CELLS)
    wait_until(1, tmp_path, process)
    process.send_signal(signal.SIGINT)  # Keras forgets the first network at about this time
    err = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.endswith("tripletlab: stopped; the same command continues where it can\n")
    assert sorted(status for _, status in runs(tmp_path)[0]) == ["FINISHED", "KILLED", "KILLED"]

    process = sweep(tmp_path, TWO_CELLS)
    wait_until(1, tmp_path, process)
    wait_until_noted(tmp_path, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "RUNNING" in dict(runs(tmp_path)[0]).values()
    forget_runs_at_work(tmp_path)

    process = sweep(tmp_path, TWO_CELLS)
    kill_worker(tmp_path, process)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "worker ended by SIGKILL; it goes on from its last epoch" in " ".join(err.split())
    named, found, client = runs(tmp_path)
    cells = {"semihard 0.2", "hard 0.2"}
    on_data = {f"{cell} on synthetic people" for cell in cells}
    assert [status for _, status in named] == ["FINISHED"] * 3  # the parent, and each cell once
    finished = [name for name, _ in named]
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert sorted(finished) == sorted([*on_data, parents[0].info.run_name])
    for cell in cells:
        assert re.search(rf"│ {cell} ", out)
    best = next(run for run in found if run.info.status == "FINISHED" and run not in parents)
    artifacts = {one.path for one in client.list_artifacts(best.info.run_id)}
    assert {"roc.png", "umap.html", "config.yaml", "distances.npz"} <= artifacts
    for name in ("table.md", "report.html"):
        page = Path(client.download_artifacts(parents[0].info.run_id, name, tmp_path)).read_text()
        for text in (page, " ".join(out.split())):  # four validation people show nothing
            assert "which is not shown to be better than" in text
            assert "champion: tripletlab-synthetic-people-" in text
    parent = parents[0].data
    assert parent.tags["mlflow.note.content"].startswith("# margin_miner: synthetic people")
    assert parent.tags["winner"] in cells
    assert parent.metrics.keys() == {name for name, of in METRICS.items() if not of.every_epoch}
    names = [one.dataset.name for one in parents[0].inputs.dataset_inputs]
    assert sorted(names) == ["synthetic people, test pairs", "synthetic people, training faces"]
    assert {"card.json", "card.md", "card.html"} <= artifacts
    assert best.data.params["miner"] in ("semihard", "hard")
    assert best.data.tags["photos"] == "synthetic people"
    assert METRICS.keys() == best.data.metrics.keys()
    model = client.search_registered_models()[0]
    (version,) = client.search_model_versions(f"name = '{model.name}'")
    scores = {run.info.run_id: run.data.metrics.get(SCORE, 0) for run in found}
    assert scores[version.run_id] == max(scores.values())
    assert model.aliases == {"champion": version.version}

    again, err = sweep(tmp_path, TWO_CELLS).communicate()
    assert "2 of 2 runs are finished already" in err
    assert again == out
    assert len(runs(tmp_path)[0]) == len(named)
    assert len(client.search_model_versions(f"name = '{model.name}'")) == 1
    past = (["sweep", "status"], ["sweep", "best"], ["report"], ["clean"])
    assert imported_by(*past, folder=tmp_path) == set()


def test_two_sweeps_do_not_mix(tmp_path, monkeypatch, capfd):
    from tripletlab.cli import main
    from tripletlab.system.locks import held

    monkeypatch.chdir(tmp_path)
    with held(tmp_path / "mlruns" / "live" / "sweep") as free:
        assert free
        assert main(["sweep"]) == 2
    assert "another sweep is running in mlruns" in capfd.readouterr().err


def test_without_ray_it_leaves_neither_study_nor_run(tmp_path, monkeypatch):
    from tripletlab.sweeping.status import status
    from tripletlab.sweeping.sweep import sweep

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(InputError, match="ray"):
        sweep([*SMALL, "engine=ray"], fresh=False, dry_run=False)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    assert client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id]) == []
    with pytest.raises(InputError, match="no sweep has run here yet"):
        status([])


def test_a_complete_sweep_that_was_killed_before_its_end_ends_its_run(tmp_path, monkeypatch):
    tracker, concluded = tracker_in(tmp_path), []
    tracker.open()
    with pytest.raises(KeyboardInterrupt), tracker.run("all", params={}, tags={}) as run:
        raise KeyboardInterrupt
    assert status(run.run_id) == "KILLED"
    monkeypatch.setattr(module, "conclude", lambda *_, parent: concluded.append(parent))
    monkeypatch.setattr(module, "title_of", lambda *_: "all")
    queue = SimpleNamespace(note={PARENT: run.run_id}.get)
    for _ in range(2):
        module._conclude(queue, None, tracker)
    assert concluded == [run, None]
    assert status(run.run_id) == "FINISHED"


def test_a_fresh_sweep_has_no_checkpoint_of_the_one_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []

    def drive(plan, queue, engine, tracker, parent):
        place = module._files(tracker, queue.name)
        found.append(len(list(place.glob("*"))))
        place.mkdir(parents=True, exist_ok=True)
        for suffix in (".npz", ".log"):
            (place / f"0000-{'0' * 12}").with_suffix(suffix).touch()

    store = SimpleNamespace(path=tmp_path / "store.h5", fingerprint="f", title="faces")
    data = Data(store, store)
    monkeypatch.setattr(module, "prepare", lambda *_, **__: data)
    monkeypatch.setattr(module, "conclude", lambda *_, **__: None)
    monkeypatch.setattr(module, "_drive", drive)
    for fresh in (False, False, True):
        module.sweep(SMALL, fresh=fresh, dry_run=False)
    assert found == [0, 2, 0]


def test_a_tracking_folder_that_cannot_be_is_refused_before_photos_are_prepared(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(module, "prepare", lambda *_, **__: pytest.fail("prepared"))
    uri = "tracking.uri=sqlite:///file/mlflow.db"
    with pytest.raises(InputError, match=r"tracking|file"):
        module.sweep([*SMALL, uri], fresh=False, dry_run=False)
