"""`tripletlab train` stopped in the middle, and started again."""

import pytest
from mlflow import MlflowClient

from tests.stores import SMALL
from tripletlab.cli import main
from tripletlab.experiment.report import RunReport

TIMED = ("seconds", "per_second")
WORDS = ["train", *SMALL]


def runs(folder):
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("tripletlab").experiment_id])
    return {run.info.run_id: run.info.status for run in found}


def printed(capsys):
    return figures(capsys.readouterr().out)


def figures(out):
    lines = [line.split("\t") for line in out.splitlines()]
    return {name: value for name, value in lines if not name.endswith(TIMED)}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_stopped_training_continues_and_ends_with_the_same_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as stopping:
        report = RunReport.epoch

        def ctrl_c(self, epoch, metrics):
            report(self, epoch, metrics)
            if epoch == 2:
                raise KeyboardInterrupt

        stopping.setattr(RunReport, "epoch", ctrl_c)
        assert main(WORDS) == 130
    (stopped,) = runs(tmp_path)
    assert [path.suffix for path in (tmp_path / "mlruns" / "train").iterdir()] == [".npz"]
    capsys.readouterr()

    epochs = []
    with monkeypatch.context() as counting:
        counting.setattr(
            RunReport,
            "epoch",
            lambda self, epoch, metrics: (epochs.append(epoch), report(self, epoch, metrics)),
        )
        assert main(WORDS) == 0
    assert epochs == [2]  # the first was kept
    said = capsys.readouterr()
    assert " continues after epoch 1\n" in said.err
    assert f"/artifacts/{stopped}/artifacts/card.html" in "".join(said.err.split())
    assert runs(tmp_path) == {stopped: "FINISHED"}
    assert not list((tmp_path / "mlruns" / "train").iterdir())
    resumed = figures(said.out)
    assert resumed["run"] == stopped

    assert main(WORDS) == 0  # finished: shown, not repeated
    assert printed(capsys) == resumed
    assert runs(tmp_path) == {stopped: "FINISHED"}
    assert MlflowClient().search_model_versions() == []

    assert main([*WORDS, "--register"]) == 0
    registered = printed(capsys)
    (version,) = MlflowClient().search_model_versions()
    assert registered.pop("model") == f"{version.name}/{version.version}"
    assert registered.pop("champion") == "yes"
    assert (version.run_id, registered) == (stopped, resumed)

    assert main([*WORDS, "--fresh"]) == 0
    uninterrupted = printed(capsys)
    assert len(runs(tmp_path)) == 2
    assert uninterrupted.pop("run") != resumed.pop("run")
    assert uninterrupted == resumed
