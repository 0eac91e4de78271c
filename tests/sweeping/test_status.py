"""Past sweeps: their status, their best run, and the checkpoints that clean deletes."""

from datetime import datetime

import pytest

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.result import open_report, summarise
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.status import best, clean, list_sweeps, status
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import CONF, DATA, OVERRIDES, RUN
from tripletlab.sweeping.trial_queue import TrialQueue
from tripletlab.system.locks import held
from tripletlab.system.provenance import code_fingerprint

GRID = Space(name="grid", axes={"margin": Choice(values=[0.2, 0.3, 0.4])}, seeds=[7])


@pytest.fixture
def study(tmp_path, monkeypatch):
    """One trial complete, one failed, one that waits."""
    monkeypatch.chdir(tmp_path)
    storage = open_storage("sqlite:///mlruns/optuna.db")
    study = TrialQueue.open(storage, name="grid-abc", space=GRID, fresh=False)
    study.add_note(OVERRIDES, "fit.epochs=2")
    study.add_note(DATA, "faces, evaluated on pairs")
    done, failed = study.take(), study.take()
    study.note_trial(done.number, RUN, "r1")
    study.report(done.number, 1, 0.7)
    study.complete(done.number, {SCORE: 0.75})
    study.fail(failed.number, "ValueError: no")
    return study


def test_status_lists_every_trial(study, capsys):
    status(["grid"])
    shown = " ".join(capsys.readouterr().out.split())
    began = f"{study.trial(0).datetime_start:%F %R}"
    assert f"grid-abc, {began}: faces, evaluated on pairs" in shown
    assert "margin 0.2, seed 7 │ r1" in shown
    assert "0.75" in shown
    assert "failed:" in shown
    assert "3 runs: 1 complete, 1 failed, 1 waiting" in shown


def test_every_sweep_is_listed_with_its_date_data_trials_and_champion(study, capsys, monkeypatch):
    other = GRID.model_copy(update={"name": "other"})
    TrialQueue.open(study.storage, name="other-def", space=other, fresh=False)
    monkeypatch.setattr("tripletlab.sweeping.status._champions", lambda _: ["r1", "r9"])
    monkeypatch.setenv("COLUMNS", "120")
    list_sweeps([])
    first, second = capsys.readouterr().out.split("┩")[1].splitlines()[1:3]
    cells = [cell.strip() for cell in first.split("│")[1:-1]]
    began = f"{datetime.now():%Y-%m-%d}"
    assert cells[0] == "grid-abc"
    assert cells[1].startswith(began)
    assert cells[2:] == ["faces, evaluated on pairs", "1 of 3", "margin 0.2, seed 7"]
    assert [cell.strip() for cell in second.split("│")[1:-1]] == ["other-def", "", "", "0 of 3", ""]


def test_a_sweeps_name_is_never_broken(study, capsys, monkeypatch):
    name = "margin_miner_of_many_seeds-0123456789abcdef"
    TrialQueue.open(study.storage, name=name, space=GRID, fresh=False)
    monkeypatch.setattr("tripletlab.sweeping.status._champions", lambda _: [])
    for columns in ("60", "80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        list_sweeps([])
        assert name in capsys.readouterr().out


def test_options_may_follow_the_name_of_the_database(study, capsys):
    status(["grid", "studies=sqlite:///mlruns/optuna.db?timeout=5"])
    assert "margin 0.2, seed 7" in capsys.readouterr().out


def test_no_sweep_is_said_instead_of_an_empty_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    open_storage("sqlite:///mlruns/optuna.db")
    list_sweeps([])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no sweep has begun here" in shown.err


def test_sweeps_are_listed_where_no_runs_are_kept(study, capsys):
    list_sweeps([])
    assert "grid-abc" in capsys.readouterr().out


def test_the_command_of_the_best_has_the_conf_folders_of_the_sweep(study, capsys):
    study.add_note(CONF, "'--config-dir=/my folder/conf'")
    best(["grid"])
    command = "command\ttripletlab '--config-dir=/my folder/conf' train fit.epochs=2 margin=0.2"
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("command", [status, best, open_report])
def test_one_sweep_at_a_time(study, command):
    with pytest.raises(InputError, match="nonsense: one name at a time"):
        command(["grid", "nonsense"])


def test_champions_that_cannot_be_asked_for_are_an_error(study):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9"):
        list_sweeps(["tracking=server", "tracking.uri=http://127.0.0.1:9"])


def test_checkpoints_of_trainings_are_deleted_where_no_sweep_has_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = tmp_path / "mlruns" / "train" / "abc-def.npz"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    clean(config.compose_studies([], command="clean"))
    assert not old.exists()
    assert not (tmp_path / "mlruns" / "optuna.db").exists()


def test_best_is_a_command_that_runs_it_again(study, capsys):
    study.add_note(OVERRIDES, "margin=0.4 fit.epochs=2")  # an ablation's recipe has its keys too
    best([])
    out = capsys.readouterr().out
    assert "run\tr1" in out
    assert "command\ttripletlab train fit.epochs=2 margin=0.2 seed=7" in out


def test_the_command_of_the_best_change_has_no_key_of_the_part_that_it_replaces(
    study, tmp_path, capsys
):
    space = Space(name="parts", axes={"regularizer": Choice(values=["none"])}, ablation=True)
    queue = TrialQueue.open(study.storage, name="parts-abc", space=space, fresh=False)
    queue.add_note(OVERRIDES, "regularizer.weight=0.5 fit.epochs=2")
    for score in (0.7, 0.8):
        taken = queue.take()
        queue.note_trial(taken.number, RUN, f"r{score}")
        queue.complete(taken.number, {SCORE: score})
    best(["parts"])
    assert "command\ttripletlab train fit.epochs=2 regularizer=none\n" in capsys.readouterr().out


def test_a_missing_sweep_is_an_error(study, tmp_path):
    with pytest.raises(InputError, match="there are grid-abc"):
        status(["other"])
    (tmp_path / "mlruns" / "optuna.db").unlink()
    with pytest.raises(InputError, match="no sweep has run here"):
        status([])
    assert not (tmp_path / "mlruns" / "optuna.db").exists()


def test_clean_keeps_checkpoints_that_are_needed(study, tmp_path, capsys):
    for folder, stems in (("grid-abc", ("0000-seed7", "0001-seed7")), ("gone-def", ("0000",))):
        place = tmp_path / "mlruns" / "sweeps" / folder
        place.mkdir(parents=True)
        for stem in stems:
            (place / f"{stem}-{code_fingerprint()}.npz").write_bytes(bytes(1_000_000))
    (tmp_path / "mlruns" / "train").mkdir()
    for code in (code_fingerprint(), "0" * 12):  # a training goes on with the same code alone
        (tmp_path / "mlruns" / "train" / f"{code}-ab.npz").write_bytes(bytes(1_000_000))
    clean(config.compose("sweep", []))
    shown = capsys.readouterr()
    assert "freed 2.0 MB" in shown.out
    assert "kept: the checkpoints of gone-def, not in studies=sqlite:///mlruns/" in shown.err
    kept, unknown = sorted(tmp_path.glob("mlruns/sweeps/*/*"), reverse=True)
    assert unknown.parent.name == "gone-def"
    assert kept.name.startswith("0001-seed7-")
    assert len(list(tmp_path.glob("mlruns/train/*"))) == 1


def test_clean_deletes_nothing_while_a_sweep_is_running(study, tmp_path):
    checkpoint = tmp_path / "mlruns" / "sweeps" / "grid-abc" / "0000-seed7-0.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    with (
        held(tmp_path / "mlruns" / "live" / "sweep"),
        pytest.raises(InputError, match="a sweep is running in mlruns"),
    ):
        clean(config.compose("sweep", []))
    assert checkpoint.exists()


def test_clean_refuses_a_tracking_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"tracking\.folder=gone: no such folder"):
        clean(config.compose_studies(["tracking.folder=gone"], command="clean"))
    assert not (tmp_path / "gone").exists()


def test_on_a_narrow_screen_nothing_is_cut_off(study, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    status([])
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "30")
    status([])
    narrow = capsys.readouterr().out
    assert "│" in wide
    assert "│" not in narrow
    assert all(len(line) <= 30 for line in narrow.splitlines())
    for word in ("complete", "failed", "waiting"):
        assert word in wide
        assert word in narrow
    assert narrow.count("state:") == 3


def test_a_sweep_with_former_names_is_shown_and_is_not_reported_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    former = {"best_validation_auc": "maximize"}
    space = GRID.model_copy(update={"objectives": former})
    storage = open_storage("sqlite:///mlruns/optuna.db")
    study = TrialQueue.open(storage, name="grid-old", space=space, fresh=False)
    done = study.take()
    study.note_trial(done.number, RUN, "r1")
    study.complete(done.number, {"best_validation_auc": 0.75})
    status(["grid"])
    best(["grid"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "0.7500" in shown
    assert "best_validation_auc 0.75" in shown
    with pytest.raises(
        InputError, match="grid-old: its runs, of an earlier version, have no val/b"
    ):
        summarise(study, None, None)
