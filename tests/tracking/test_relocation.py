"""A tracking folder that was moved or copied."""

import shutil

import pytest

from tests.tracking.projects import listing, tracker_in
from tripletlab.errors import InputError


@pytest.mark.parametrize("how", ["copied", "moved"])
def test_a_project_elsewhere_works_from_where_it_is(how, finished, tmp_path):
    project, run_id = finished
    other = tmp_path / "other"
    before = listing(project)
    (shutil.copytree if how == "copied" else shutil.move)(project, other)
    tracker = tracker_in(other / "mlruns")
    tracker.open_existing()
    assert tracker.runs.artifact(run_id, "card.json").read_text() == "{}"
    (tmp_path / "out" / "later.json").write_text("{}")
    with tracker.run("one", params={}, tags={}, resume=run_id) as again:
        again.files(tmp_path / "out")
    with tracker.run("two", params={}, tags={}) as new:
        new.files(tmp_path / "out")
    assert {"later.json", "card.json"} == {
        path.name for path in (other / "mlruns" / "artifacts" / run_id).rglob("*.json")
    }
    assert (other / "mlruns" / "artifacts" / new.run_id).is_dir()
    if how == "copied":
        assert listing(project) == before
    else:
        assert not project.exists()


def test_a_database_that_keeps_its_files_elsewhere_is_refused(finished, tmp_path):
    project, _ = finished
    before = listing(tmp_path)
    with pytest.raises(InputError, match=f"tracking.folder={project}/mlruns"):
        tracker_in(tmp_path / "else", f"sqlite:///{project}/mlruns/mlflow.db").open_existing()
    assert listing(tmp_path) == before


def test_paths_are_not_changed_under_a_run_at_work(finished, tmp_path):
    project, _ = finished
    tracker = tracker_in(project / "mlruns")
    with tracker.run("two", params={}, tags={}):
        project.rename(tmp_path / "moved")
        with pytest.raises(InputError, match="a run is at work"):
            tracker_in(tmp_path / "moved" / "mlruns").open_existing()
        (tmp_path / "moved").rename(project)
