"""The study, in a real SQLite file: what is done is done, what was cut off is taken again."""

import pytest

from tripletlab.errors import InputError
from tripletlab.sweeping.spaces import SCORE, Choice, Range, Space
from tripletlab.sweeping.storage import open_storage
from tripletlab.sweeping.study import RUN, Study

GRID = Space(
    name="grid",
    axes={"miner": Choice(values=["semihard", "hard"]), "margin": Choice(values=[0.2, 0.4])},
)
TPE = {"_target_": "optuna.samplers.TPESampler", "seed": 1, "n_startup_trials": 2}
DRAWN = Space(name="drawn", axes={"margin": Range(low=0.1, high=0.6)}, trials=5, sampler=TPE)


def open_study(folder, space=GRID, *, fresh=False, name="a"):
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    return Study.open(storage, name=name, space=space, fresh=fresh)


def finish(study, taken, score=None):
    study.note(taken.number, RUN, f"run {taken.number}")
    study.complete(taken.number, {SCORE: taken.point["margin"] if score is None else score})


def finish_all(study):
    points = []
    while taken := study.take():
        points.append(taken.point)
        finish(study, taken)
    return points


def test_every_cell_once_in_the_grids_order(tmp_path):
    study = open_study(tmp_path)
    assert finish_all(study) == GRID.cells()
    assert [point for point, _ in study.finished()] == GRID.cells()
    assert open_study(tmp_path).take() is None


def test_what_a_dead_driver_left_is_taken_again_with_its_run(tmp_path):
    study = open_study(tmp_path)
    finish(study, study.take())
    cut_off = study.take()
    study.note(cut_off.number, RUN, "abc")
    again = open_study(tmp_path).take()
    assert again == cut_off._replace(run_id="abc")
    assert len(open_study(tmp_path).study.trials) == 4


def test_a_failed_trial_is_kept_and_taken_again_by_the_next_command(tmp_path):
    study = open_study(tmp_path)
    first = study.take()
    study.note(first.number, RUN, "abc")
    study.failed(first.number, "ValueError: no")
    assert len(finish_all(study)) == 3
    assert study.counts() == {
        "declared": 4, "complete": 3, "pruned": 0, "failed": 1, "running": 0, "waiting": 0
    }  # fmt: skip
    assert study.reason(study.frozen(first.number)) == "ValueError: no"
    study = open_study(tmp_path)
    again = study.take()
    assert (again.point, again.run_id) == (first.point, "abc")
    finish(study, again)
    assert study.take() is None
    assert study.counts()["complete"] == 4


def test_a_pruned_trial_is_over(tmp_path):
    study = open_study(tmp_path)
    study.pruned(study.take().number, "no hope")
    assert len(finish_all(open_study(tmp_path))) == 3


def test_every_point_has_a_trial_for_each_seed(tmp_path):
    space = GRID.model_copy(update={"seeds": [1, 2, 3]})
    study = open_study(tmp_path, space)
    points = finish_all(study)
    assert len(points) == 12
    assert [len(runs) for _, runs in study.finished()] == [3] * 4


def test_a_sampler_draws_as_many_as_declared_and_more_on_demand(tmp_path):
    points = finish_all(open_study(tmp_path, DRAWN))
    assert len(points) == len({point["margin"] for point in points}) == 5
    more = DRAWN.model_copy(update={"trials": 8, "seeds": None})
    new = finish_all(open_study(tmp_path, more))
    assert len(new) == 3
    assert not {one["margin"] for one in new} & {one["margin"] for one in points}


def test_a_drawn_point_gets_its_other_seeds(tmp_path):
    study = open_study(tmp_path, DRAWN.model_copy(update={"seeds": [7, 8]}))
    taken = []
    while one := study.take():
        taken.append(one)
        finish(study, one)
    assert len(taken) == 10
    assert {(one.place, one.seed) for one in taken} == {(p, s) for p in range(5) for s in (7, 8)}
    for place in range(5):
        assert len({one.point["margin"] for one in taken if one.place == place}) == 1


def test_a_point_that_is_drawn_again_is_not_trained_again(tmp_path):
    random = {"_target_": "optuna.samplers.RandomSampler", "seed": 1}
    again = GRID.model_copy(update={"sampler": random, "trials": 12, "seeds": [1, 2]})
    study = open_study(tmp_path, again)
    taken = []
    while one := study.take():
        taken.append((one.point["miner"], one.point["margin"], one.seed))
        finish(study, one)
    assert len(taken) == len(set(taken)) <= 8
    assert study.counts()["complete"] == study.counts()["declared"] == 24
    assert sorted(study.reason(trial) != "" for trial in study.latest()).count(False) == len(taken)
    runs = [run for _, seeds in study.finished() for run, _ in seeds]
    assert len(runs) == len(set(runs)) == len(taken)


def test_the_pruner_ends_what_is_worse_than_the_median(tmp_path):
    median = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 2}
    study = open_study(tmp_path, GRID.model_copy(update={"pruner": median}))
    for score in (0.8, 0.9):
        taken = study.take()
        assert not study.report(taken.number, 1, score)
        finish(study, taken, score)
    bad, good = study.take(), study.take()
    assert study.report(bad.number, 1, 0.5)
    assert not study.report(good.number, 1, 0.95)


def test_several_objectives(tmp_path):
    objectives = {SCORE: "maximize", "flops": "minimize"}
    study = open_study(tmp_path, GRID.model_copy(update={"objectives": objectives}))
    for score, flops in ((0.9, 10), (0.8, 5), (0.7, 20), (0.85, 7)):
        study.complete(study.take().number, {SCORE: score, "flops": flops})
    assert sorted(trial.values for trial in study.study.best_trials) == [
        [0.8, 5], [0.85, 7], [0.9, 10]
    ]  # fmt: skip


def test_fresh_begins_anew_and_leaves_other_studies_alone(tmp_path):
    finish_all(open_study(tmp_path))
    finish_all(open_study(tmp_path, name="b"))
    assert open_study(tmp_path, fresh=True).counts()["waiting"] == 4
    assert open_study(tmp_path, name="b").take() is None


def test_notes_stay_with_the_study(tmp_path):
    study = open_study(tmp_path)
    assert study.remember("code", "1") is None
    assert open_study(tmp_path).remember("code", "2") == "1"
    assert open_study(tmp_path).recall("code") == "1"
    assert open_study(tmp_path, name="b").siblings("code", "1") == ["a"]
    assert open_study(tmp_path).siblings("code", "1") == []


def test_a_database_that_is_not_there_is_told_of_without_its_password():
    with pytest.raises(InputError, match="cannot be opened") as told:
        open_storage("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(told.value)


def test_the_latest_study_is_the_one_that_began_last(tmp_path):
    study = open_study(tmp_path)
    finish(study, study.take())
    never = open_study(tmp_path, name="b")
    assert Study.seen(study.storage, None).name == "a"
    assert Study.seen(study.storage, "b").name == "b"
    study.forget_unless_begun()
    never.forget_unless_begun()
    with pytest.raises(InputError, match=r"there are a$"):
        Study.seen(study.storage, "b")
