"""The study, in a real SQLite file: what is done is done, what was cut off is done again."""

import optuna
import pytest

from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.study import Study

SPACE = Space("grid", {"miner": ["semihard", "hard"], "margin": [0.2, 0.4]})


def open_study(folder, *, fresh=False, name="a"):
    return Study(folder, name=name, space=SPACE, fresh=fresh)


class Objective:
    """Counts its calls; fails in the way it is told at the nth."""

    def __init__(self, *, at=None, error=None):
        self.cells, self.at, self.error = [], at, error

    def __call__(self, cell):
        self.cells.append(cell)
        if len(self.cells) == self.at:
            raise self.error
        return cell["margin"], {"run_id": f"{cell['miner']} {cell['margin']}"}


def test_every_cell_once_in_the_grids_order(tmp_path):
    study, objective = open_study(tmp_path), Objective()
    study.run(objective)
    assert objective.cells == SPACE.cells()
    assert [trial.params for trial in study.finished()] == SPACE.cells()
    again = Objective()
    open_study(tmp_path).run(again)
    assert again.cells == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("cut off")])
def test_what_was_cut_off_is_completed(error, tmp_path):
    first = Objective(at=3, error=error)
    with pytest.raises(type(error)):
        open_study(tmp_path).run(first)
    second = Objective()
    study = open_study(tmp_path)
    study.run(second)
    assert second.cells == SPACE.cells()[2:]
    assert [trial.params for trial in study.finished()] == SPACE.cells()


def test_trials_that_a_dead_process_left_behind_are_done_again(tmp_path):
    study = open_study(tmp_path)
    study.study.enqueue_trial(SPACE.cells()[0])
    study.study.enqueue_trial(SPACE.cells()[1])
    study.study.ask()  # one RUNNING for ever, one WAITING
    objective = Objective()
    study = open_study(tmp_path)
    study.run(objective)
    assert objective.cells == SPACE.cells()
    states = {trial.state for trial in study.study.trials}
    assert states == {optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL}


def test_a_cell_that_diverges_does_not_stop_the_others(tmp_path):
    study = open_study(tmp_path)
    study.run(Objective(at=1, error=FloatingPointError("nan")))
    assert study.missing() == SPACE.cells()[:1]


def test_fresh_begins_anew_and_leaves_other_studies_alone(tmp_path):
    open_study(tmp_path).run(Objective())
    open_study(tmp_path, name="b").run(Objective())
    assert len(open_study(tmp_path, fresh=True).missing()) == 4
    assert not open_study(tmp_path, name="b").missing()


def test_notes_stay_with_the_study(tmp_path):
    study = open_study(tmp_path)
    assert study.remember("code", "1") is None
    assert open_study(tmp_path).remember("code", "2") == "1"
    assert open_study(tmp_path).recall("code") == "1"
    assert open_study(tmp_path, name="b").siblings("code", "1") == ["a"]
    assert open_study(tmp_path).siblings("code", "1") == []
