"""A long wait is announced to whom it may concern."""

import errno
import io
import sys
import time

from tripletlab.tracking import waits_passed_to
from tripletlab.tracking.notice import notice

HIDDEN = "postgresql://me:secret@host"


def test_a_short_wait_is_not_worth_a_line(capsys):
    lines = []
    with waits_passed_to(lines.append), notice("waiting", "over", after=60):
        pass
    assert (lines, capsys.readouterr().err) == ([], "")


def test_both_lines_are_passed_on_without_passwords(capsys):
    lines = []
    with waits_passed_to(lines.append), notice(f"waiting for {HIDDEN}", "over", after=0.01):
        time.sleep(0.2)
    assert len(lines) == 2
    assert "secret" not in lines[0]
    assert lines[1] == "over"
    assert capsys.readouterr().err.count("over") == 1
    with notice("again", "over", after=0.01):
        time.sleep(0.2)
    assert len(lines) == 2


class Full(io.StringIO):
    """A log on a disk that is full."""

    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_on_the_full_disk_does_not_keep_the_lines_back(monkeypatch, capfd):
    lines = []
    monkeypatch.setattr(sys, "stderr", Full())
    with waits_passed_to(lines.append), notice("waiting", "over", after=0.01):
        time.sleep(0.2)
        monkeypatch.undo()  # there is room again
    assert lines == ["waiting", "over"]
    assert "Traceback" not in capfd.readouterr().err
