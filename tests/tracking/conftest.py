"""A tracker on a real SQLite database, and a project with a finished run."""

import pytest

from tests.tracking.projects import SECRET, tracker_in
from tripletlab.tracking import new_database


@pytest.fixture
def tracker(tmp_path):
    made = tracker_in(tmp_path)
    made.open()
    return made


@pytest.fixture
def finished(tmp_path):
    """A project with one run that has a file, and the run's id."""
    tracker = tracker_in(tmp_path / "project" / "mlruns")
    tracker.open()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "card.json").write_text("{}")
    with tracker.run("one", params={"uri": f"http://a:{SECRET}@b"}, tags={"at": SECRET}) as run:
        run.metrics({"auc": 0.5})
        run.files(tmp_path / "out")
    return tmp_path / "project", run.run_id


@pytest.fixture
def tables_made_anew(monkeypatch):
    """The test's databases are no copies of the first."""
    made_once = new_database.empty_database
    monkeypatch.setattr(new_database, "empty_database", made_once.__wrapped__)
