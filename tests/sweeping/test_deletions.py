"""Deleted in MLflow after a sweep: every command works, or says so in one line."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.cli import gc

from tests.stores import SMALL
from tripletlab.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TINY = [one for one in SMALL if not one.startswith(("fit", "batches.steps"))]
SWEEP = ["sweep", *TINY, "axes.miner=[semihard]", "fit.epochs=1", "batches.steps=2"]
COMMANDS = {
    "sweep": SWEEP,
    "evaluate": ["evaluate", "champion", "--to", "evaluated"],
    "export": ["export", "champion", "bundle", "--far", "0.2"],
    "report": ["report"],
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A folder in which a sweep of two runs was completed."""
    folder = tmp_path_factory.mktemp("swept")
    command = [sys.executable, "-m", "tripletlab", *SWEEP]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


class Project:
    """A copy of the swept folder, and its MLflow."""

    def __init__(self, folder):
        self.uri = f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"
        self.client = MlflowClient(self.uri, self.uri)
        self.experiment = self.client.get_experiment_by_name("tripletlab").experiment_id
        (self.model,) = (one.name for one in self.client.search_registered_models())
        self.champion = self.client.get_model_version_by_alias(self.model, "champion")

    def delete_experiment(self):
        self.client.delete_experiment(self.experiment)

    def delete_run_of_champion(self):
        self.client.delete_run(self.champion.run_id)

    def delete_parent(self):
        runs = self.client.search_runs([self.experiment])
        (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        self.client.delete_run(parent.info.run_id)

    def collect_garbage(self):
        self.delete_run_of_champion()
        done = CliRunner().invoke(gc, ["--backend-store-uri", self.uri])
        assert done.exit_code == 0, done.output

    def delete_version(self):
        self.client.delete_model_version(self.model, self.champion.version)

    def delete_model(self):
        self.client.delete_registered_model(self.model)


NOTHING, ALL = set(), {"evaluate", "export", "report"}
# What works then, and what works after the sweep was given again
WORKS = {
    "delete_experiment": (NOTHING, NOTHING),
    "delete_run_of_champion": ({"report"}, ALL),
    "delete_parent": (ALL, ALL),
    "collect_garbage": ({"report"}, ALL),
    "delete_version": ({"report"}, ALL),
    "delete_model": ({"report"}, ALL),
}


@pytest.mark.parametrize("deed", WORKS)
def test_commands_work_or_end_in_one_line(deed, swept, tmp_path, monkeypatch, capfd):
    shutil.copytree(swept / "mlruns", tmp_path / "mlruns")
    (tmp_path / "data").symlink_to(swept / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROWSER", "true")  # the command `true` opens no window

    def works(name):
        capfd.readouterr()
        code = main([*COMMANDS[name], f"tracking.folder={tmp_path}/mlruns"])
        said = capfd.readouterr().err
        assert "Traceback" not in said
        assert said.count("\ntripletlab: ") + said.startswith("tripletlab: ") == (code == 2)
        assert code in (0, 2), said
        return code == 0

    getattr(Project(tmp_path), deed)()
    before, after = WORKS[deed]
    assert {name for name in sorted(ALL) if works(name)} == before
    assert works("sweep") == (deed != "delete_experiment")
    assert {name for name in sorted(ALL) if works(name)} == after
