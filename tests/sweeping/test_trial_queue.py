"""The queue in a real SQLite file: what is done stays done, what was cut off is taken again."""

from tests.sweeping.studies import GRID, finish, open_study
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice, Range
from tripletlab.sweeping.spaces import Space
from tripletlab.sweeping.study import RUN, reason

TPE = {"_target_": "optuna.samplers.TPESampler", "seed": 1, "n_startup_trials": 2}
DRAWN = Space(name="drawn", axes={"margin": Range(low=0.1, high=0.6)}, trials=5, sampler=TPE)


def finish_all(queue):
    points = []
    while taken := queue.take():
        points.append(taken.point)
        finish(queue, taken)
    return points


def test_every_cell_once_in_the_grids_order(tmp_path):
    queue = open_study(tmp_path)
    assert finish_all(queue) == GRID.cells()
    assert [point for point, _ in queue.finished()] == GRID.cells()
    assert open_study(tmp_path).take() is None


def test_what_a_dead_driver_left_is_taken_again_with_its_run(tmp_path):
    queue = open_study(tmp_path)
    finish(queue, queue.take())
    cut_off = queue.take()
    queue.note_trial(cut_off.number, RUN, "abc")
    again = open_study(tmp_path).take()
    assert again == cut_off._replace(run_id="abc")
    assert len(open_study(tmp_path).study.trials) == 4


def test_a_failed_trial_is_kept_and_taken_again_by_the_next_command(tmp_path):
    queue = open_study(tmp_path)
    first = queue.take()
    queue.note_trial(first.number, RUN, "abc")
    queue.fail(first.number, "ValueError: no")
    assert len(finish_all(queue)) == 3
    assert queue.counts() == {
        "declared": 4, "complete": 3, "pruned": 0, "failed": 1, "running": 0, "waiting": 0
    }  # fmt: skip
    assert reason(queue.trial(first.number)) == "ValueError: no"
    queue = open_study(tmp_path)
    again = queue.take()
    assert (again.point, again.run_id) == (first.point, "abc")
    finish(queue, again)
    assert queue.take() is None
    assert queue.counts()["complete"] == 4


def test_a_pruned_trial_is_over(tmp_path):
    queue = open_study(tmp_path)
    queue.prune(queue.take().number, "no hope")
    assert len(finish_all(open_study(tmp_path))) == 3


def test_every_point_has_a_trial_for_each_seed(tmp_path):
    space = GRID.model_copy(update={"seeds": [1, 2, 3]})
    queue = open_study(tmp_path, space)
    points = finish_all(queue)
    assert len(points) == 12
    assert points == points[:4] * 3  # all points with one seed before the next
    assert [len(runs) for _, runs in queue.finished()] == [3] * 4


def test_a_sampler_draws_as_many_as_declared_and_more_on_demand(tmp_path):
    points = finish_all(open_study(tmp_path, DRAWN))
    assert len(points) == len({point["margin"] for point in points}) == 5
    more = DRAWN.model_copy(update={"trials": 8, "seeds": None})
    new = finish_all(open_study(tmp_path, more))
    assert len(new) == 3
    assert not {one["margin"] for one in new} & {one["margin"] for one in points}


def test_a_drawn_point_gets_its_other_seeds(tmp_path):
    queue = open_study(tmp_path, DRAWN.model_copy(update={"seeds": [7, 8]}))
    taken = []
    while one := queue.take():
        taken.append(one)
        finish(queue, one)
    assert len(taken) == 10
    assert {(one.place, one.seed) for one in taken} == {(p, s) for p in range(5) for s in (7, 8)}
    for place in range(5):
        assert len({one.point["margin"] for one in taken if one.place == place}) == 1


def test_a_point_that_is_drawn_again_is_not_trained_again(tmp_path):
    random = {"_target_": "optuna.samplers.RandomSampler", "seed": 1}
    again = GRID.model_copy(update={"sampler": random, "trials": 12, "seeds": [1, 2]})
    queue = open_study(tmp_path, again)
    taken = []
    while one := queue.take():
        taken.append((one.point["miner"], one.point["margin"], one.seed))
        finish(queue, one)
    assert len(taken) == len(set(taken)) <= 8
    assert queue.counts()["complete"] == queue.counts()["declared"] == 24
    assert sorted(reason(trial) != "" for trial in queue.latest()).count(False) == len(taken)
    runs = [run.user_attrs[RUN] for _, seeds in queue.finished() for run in seeds]
    assert len(runs) == len(set(runs)) == len(taken)


def test_the_pruner_ends_what_is_worse_than_the_median(tmp_path):
    median = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 2}
    queue = open_study(tmp_path, GRID.model_copy(update={"pruner": median}))
    for score in (0.8, 0.9):
        taken = queue.take()
        assert not queue.report(taken.number, 1, score)
        finish(queue, taken, score)
    bad, good = queue.take(), queue.take()
    assert queue.report(bad.number, 1, 0.5)
    assert not queue.report(good.number, 1, 0.95)


def test_a_trial_that_begins_again_is_pruned_by_its_new_values(tmp_path):
    median = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 1}
    queue = open_study(tmp_path, GRID.model_copy(update={"pruner": median}))
    finished, stopped = queue.take(), queue.take()
    for epoch in (1, 2):
        queue.report(finished.number, epoch, 0.8)
    finish(queue, finished)
    assert queue.report(stopped.number, 1, 0.5)
    assert queue.report(stopped.number, 2, 0.5)
    queue.requeue(stopped.number)
    assert queue.take().number == stopped.number
    assert not queue.report(stopped.number, 1, 0.7)
    assert not queue.report(stopped.number, 2, 0.85)
    assert queue.trial(stopped.number).intermediate_values == {1: 0.7, 2: 0.85}


def test_several_objectives(tmp_path):
    objectives = {SCORE: "maximize", "cost/flops": "minimize"}
    queue = open_study(tmp_path, GRID.model_copy(update={"objectives": objectives}))
    for score, flops in ((0.9, 10), (0.8, 5), (0.7, 20), (0.85, 7)):
        queue.complete(queue.take().number, {SCORE: score, "cost/flops": flops})
    assert sorted(trial.values for trial in queue.study.best_trials) == [
        [0.8, 5], [0.85, 7], [0.9, 10]
    ]  # fmt: skip


def test_fresh_begins_anew_and_leaves_other_studies_alone(tmp_path):
    finish_all(open_study(tmp_path))
    finish_all(open_study(tmp_path, name="b"))
    assert open_study(tmp_path, fresh=True).counts()["waiting"] == 4
    assert open_study(tmp_path, name="b").take() is None


def test_an_ablation_runs_the_recipe_and_every_change_alone(tmp_path):
    axes = {"miner": Choice(values=["hard"]), "margin": Choice(values=[0.4, 0.8])}
    space = Space(name="a", axes=axes, ablation=True, seeds=[1, 2])
    queue = open_study(tmp_path, space)
    taken = []
    while one := queue.take():
        taken.append((one.point, one.seed))
        finish(queue, one, 0.5)
    assert taken == [(cell, seed) for seed in (1, 2) for cell in space.cells()]
    assert [point for point, _ in open_study(tmp_path, space).finished()] == space.cells()


def test_recording_a_trial_reads_no_other(tmp_path, monkeypatch):
    queue = open_study(tmp_path)
    taken, reads, read = queue.take(), [], queue.storage._get_trials

    def count(*args, **kwargs):
        reads.append(args)
        return read(*args, **kwargs)

    monkeypatch.setattr(queue.storage, "_get_trials", count)
    queue.report(taken.number, 1, 0.5)
    queue.count_death(taken.number)
    finish(queue, taken)
    assert reads == []
    assert queue.take() is not None
    assert len(reads) == 2  # is one waiting, and which
