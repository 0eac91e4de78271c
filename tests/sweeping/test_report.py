"""The report of a study whose runs are in a real MLflow store."""

import numpy as np

from tests.stores import make_pairs
from tests.sweeping.studies import open_study
from tests.tracking.projects import tracker_in
from tripletlab.evaluation.metrics import SCORE
from tripletlab.sweeping.axes import Choice
from tripletlab.sweeping.report import Summary, report
from tripletlab.sweeping.spaces import MONITORED, Space
from tripletlab.sweeping.study import REASON, RUN
from tripletlab.sweeping.table import ModelRow

PAIRS = make_pairs(people=20, photos=2)
SPACE = Space(name="grid", axes={"margin": Choice(values=[0.2, 0.4, 0.8])}, seeds=[7])


def run_trial(queue, tracker, folder, score):
    """Complete the next trial with a run that has distances and a learning curve."""
    taken = queue.take()
    (folder / "out").mkdir(exist_ok=True)
    distances = np.where(PAIRS.pairs.matched, 1 - score, score)
    np.savez(folder / "out" / "distances.npz", verification=distances)
    with tracker.run(str(taken.point), params={}, tags={}) as run:
        run.metrics({MONITORED: score}, step=1)
        run.files(folder / "out")
    queue.note_trial(taken.number, RUN, run.run_id)
    queue.note_trial(taken.number, REASON, "as in trial 0")  # as of a point that is drawn again
    metrics = {SCORE: score, "test/auc": score}
    queue.complete(taken.number, metrics)
    return ModelRow(queue.space.title(taken.point), taken.point, (run.run_id,), (metrics,))


def test_the_page_has_the_conclusion_the_models_and_every_run_that_failed(tmp_path):
    tracker = tracker_in(tmp_path)
    tracker.open()
    queue = open_study(tmp_path, SPACE)
    rows = [run_trial(queue, tracker, tmp_path, score) for score in (0.7, 0.9)]
    queue.fail(queue.take().number, "ValueError: <no>")
    page = report(
        queue, Summary(rows, "", [], [], []), PAIRS, tracker, title="t", conclusion="0.4 & more"
    )
    assert '<p class="lead">0.4 &amp; more</p>' in page
    assert "3 runs: 2 complete, 1 failed" in page
    assert "as in trial 0" not in page  # it did not end early
    assert "<td>margin 0.8, seed 7</td><td>failed</td><td>ValueError: &lt;no&gt;</td>" in page
    for heading in ("Models", "Learning curves", "Objective by one parameter", "ROC"):
        assert f"<h2>{heading}</h2>" in page
    assert page.index("<td>margin 0.4</td>") < page.index(
        "<td>margin 0.2</td>"
    )  # the highest first
    assert page.count("margin 0.2, seed 7") == 1  # the name of its learning curve
    assert "0.4 (AUC 0.900)" in page


def test_an_ablation_of_two_parts_has_no_table_of_one_axis_by_the_other(tmp_path):
    axes = {"miner": Choice(values=["hard"]), "margin": Choice(values=[0.4])}
    tracker = tracker_in(tmp_path)
    tracker.open()
    queue = open_study(tmp_path, Space(name="two", axes=axes, ablation=True))
    rows = [run_trial(queue, tracker, tmp_path, score) for score in (0.7, 0.8, 0.9)]
    page = report(queue, Summary(rows, "", [], [], []), PAIRS, tracker, title="t", conclusion="")
    assert "<h2>Models</h2>" in page
    assert "<h2>Validation AUC</h2>" not in page
    assert "3 runs: 3 complete · ablation · study" in page
