"""What must hold of a folder after a fault: each state is the old one or the new, never between."""

import contextlib
import json
import sqlite3

import numpy as np

from tripletlab.faces.store_writing import damage
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery_file import FILE

READY = 2  # of a logged model
FAR = [0.05, 0.1]  # of the bundle that was there, and of the one that is exported
RUNS = "select run_uuid, status from runs"
NETWORKS = """select source_run_id, status from logged_models
    where name = 'embedder' and lifecycle_stage = 'active'"""
MODELS = """select run_id, alias from model_versions left join registered_model_aliases
    using (name, version) where model_versions.name not like '%-photos'"""
TRIALS = """select state, value_json from trials left join trial_user_attributes
    on trials.trial_id = trial_user_attributes.trial_id and key = 'run_id'"""


def require_whole_faces(folder):
    """Every store is as it was written, if it is there."""
    for path in folder.glob("data/**/*.h5"):
        assert damage(path) == []


def require_prepared(folder):
    require_whole_faces(folder)
    assert len(list(folder.glob("data/**/*.h5"))) == 2


def require_whole_runs(folder):
    """A finished run has its network, its card and its metrics; checkpoints can be read."""
    require_whole_faces(folder)
    for path in folder.glob("mlruns/**/*.npz"):
        with np.load(path) as arrays:
            assert all(arrays[name] is not None for name in arrays.files)
    tables = dict(_rows(folder, "mlflow", "select name, 1 from sqlite_master"))
    if "logged_models" not in tables:  # killed while MLflow made its tables
        return
    networks = _rows(folder, "mlflow", NETWORKS)
    for run, status in _rows(folder, "mlflow", RUNS):
        if status == "FINISHED" and run not in _parents(folder):
            assert (run, READY) in networks
            card = folder / "mlruns" / "artifacts" / run / "artifacts" / "card.json"
            assert json.loads(card.read_text())
            metrics = _rows(folder, "mlflow", f"select key from metrics where run_uuid = '{run}'")
            assert ("test/auc",) in metrics


def require_finished(folder, *, runs, failures=False):
    """So many runs, all finished, the best of them registered; the trials agree with them.

    With `failures`, trials may have failed, on a full disk say: they stay so, and others have done
    their work. A kill must not make a trial fail.
    """
    require_whole_runs(folder)
    found = _rows(folder, "mlflow", RUNS)
    assert [status for _, status in found] == ["FINISHED"] * runs
    finished = {run for run, _ in found}
    ((run, alias),) = _rows(folder, "mlflow", MODELS)
    assert run in finished
    assert alias == "champion"
    networks = _rows(folder, "mlflow", NETWORKS)
    assert sorted(networks) == sorted((one, READY) for one in finished - _parents(folder))
    trials = _rows(folder, "optuna", TRIALS)
    assert {state for state, _ in trials} <= {"COMPLETE", *(["FAIL"] if failures else [])}
    complete = [json.loads(run) for state, run in trials if state == "COMPLETE"]
    assert sorted(complete) == sorted(finished - _parents(folder) if trials else [])


def require_whole_card(folder):
    """A card is there once all it shows is."""
    for card in folder.glob("mlruns/evaluations/*/card.json"):
        assert json.loads(card.read_text())
        assert {"card.html", "card.md", "roc.png", "distances.npz"} <= {
            path.name for path in card.parent.iterdir()
        }


def require_evaluated(folder):
    require_whole_card(folder)
    (card,) = folder.glob("mlruns/evaluations/*/card.json")
    (run,) = [run for run, _ in _rows(folder, "mlflow", RUNS)]
    logged = folder / "mlruns" / "artifacts" / run / "artifacts" / "evaluations"
    (copy,) = logged.glob("*/card.json")
    assert json.loads(copy.read_text()) == json.loads(card.read_text())
    keys = {key for (key,) in _rows(folder, "mlflow", "select distinct key from metrics")}
    assert any(key.endswith("-flip/auc") for key in keys)


def require_bundle(folder, *, far=FAR):
    """The bundle can be used, and is the old one or the new."""
    assert Bundle.open(folder / "bundle").card.far in far


def require_gallery(folder, *, all_there=False, **photos):
    """Ann has her two photos; each of the others has all of theirs, or is not there.

    Who was enrolled by a command that was killed then, and by the next, has them twice.
    """
    query = "select name, count(*) from person join photo on person.id = person group by name"
    path = folder / "gallery" / FILE
    with contextlib.closing(sqlite3.connect(path)) as base:
        people = dict(base.execute(query))
    assert people.pop("Ann") == 2
    assert {name: count % photos[name] for name, count in people.items()} == dict.fromkeys(
        people, 0
    )
    assert not all_there or people.keys() == photos.keys()


def require_nothing_left(folder):
    """No temporary file, lock, checkpoint or unfinished file remains but the lock of all sweeps."""
    left = [*folder.glob("tmp/*"), *folder.glob("mlruns/live/*"), *folder.glob("mlruns/**/*.npz")]
    left += [path for path in folder.rglob("*") if "unfinished" in path.name]
    left += [*folder.rglob("*-journal"), *folder.rglob("*-wal")]
    kept, results = folder / "mlruns" / "artifacts", ("distances.npz", "sweep")
    assert [one for one in left if one.name not in results and not one.is_relative_to(kept)] == []


def _parents(folder):
    query = "select value from tags where key = 'mlflow.parentRunId'"
    return {run for (run,) in _rows(folder, "mlflow", query)}


def _rows(folder, name, query):
    """The answer of one of the databases, which must not be damaged; nothing where it is not."""
    path = folder / "mlruns" / f"{name}.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as base:
        assert base.execute("pragma quick_check(1)").fetchone() == ("ok",)
        return base.execute(query).fetchall()
