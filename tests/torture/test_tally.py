"""What the tally counts of a fault that was not survived."""

from collections import Counter, defaultdict

import pytest

from tests.torture import tally
from tests.torture.processes import output

LINE = "tripletlab: a line\n"
TRACEBACK = "Traceback (most recent call last):\n"


@pytest.fixture(autouse=True)
def counts(monkeypatch):
    monkeypatch.delenv(tally.FILE, raising=False)
    monkeypatch.setattr(tally, "counts", defaultdict(Counter))


def counted(folder, said, after):
    """The counts of a fault after which the command has said that, and that is called."""
    folder.mkdir()
    (output(folder) / "err").write_text(said)
    with tally.faults("a fault", "a command") as row:
        row.injected(folder)
        after(row)
    return tally.counts["a fault", "a command"]


def failing(error):
    def after(_row):
        raise error

    return after


@pytest.mark.parametrize("error", [AssertionError(), ValueError(), pytest.fail.Exception("late")])
def test_a_lost_fault_with_a_traceback_counts_as_both(tmp_path, error):
    with pytest.raises(type(error)):
        counted(tmp_path / "one", TRACEBACK, failing(error))
    assert "| a fault | a command | 1 | 0 | 1 | 1 |" in tally.table()


def test_a_lost_fault_without_a_traceback_counts_as_one(tmp_path):
    with pytest.raises(ValueError, match="torn"):
        counted(tmp_path / "one", LINE, failing(ValueError("torn")))
    assert "| a fault | a command | 1 | 0 | 1 | 0 |" in tally.table()


def test_a_traceback_loses_a_fault(tmp_path):
    with pytest.raises(AssertionError, match="Traceback"):
        counted(tmp_path / "one", TRACEBACK, tally.Faults.check_output)
    assert "| a fault | a command | 1 | 0 | 1 | 1 |" in tally.table()


def test_one_line_does_not_lose_a_fault(tmp_path):
    assert counted(tmp_path / "one", LINE, tally.Faults.check_output)["injected"] == 1
    assert "| a fault | a command | 1 | 1 | 0 | 0 |" in tally.table()
