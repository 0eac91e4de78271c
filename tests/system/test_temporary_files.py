"""Temporary files are gone when a command ends, or when the next one starts."""

import os
import subprocess
import sys
import tempfile
import time

import pytest

from tripletlab.cli import main
from tripletlab.system.temporary_files import LOCK, YOUNG, temporary_files

SLEEP = """
import tempfile, time
from tripletlab.system.temporary_files import temporary_files
with temporary_files() as folder:
    tempfile.mkdtemp()
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, empty and this test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_all_temporary_files_lie_in_one_folder_that_goes(temporary):
    with temporary_files() as folder:
        assert folder.parent == temporary
        tempfile.mkdtemp()
        child = [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"]
        made = subprocess.run(child, capture_output=True, text=True, check=True).stdout
        assert made.startswith(str(folder))
        with temporary_files() as inner:
            assert inner.parent == folder
    assert list(temporary.iterdir()) == []
    assert os.environ["TMPDIR"] == str(temporary)
    assert tempfile.mkdtemp().startswith(str(temporary / "tmp"))


def grown_old(folder):
    long_ago = time.time() - 2 * YOUNG
    os.utime(folder / LOCK, (long_ago, long_ago))


def test_the_next_start_cleans_up_after_the_dead_alone(temporary):
    (temporary / "tripletlab-photos").mkdir()  # somebody's own
    process = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE, text=True)
    left = temporary / process.stdout.readline().strip()
    grown_old(left)
    with temporary_files():
        assert left.is_dir()  # in use
    process.kill()
    process.wait()
    assert main(["ui", "nonsense"]) == 2
    assert [one.name for one in temporary.iterdir()] == ["tripletlab-photos"]


def test_without_a_temporary_folder_there_is_one_line(temporary, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "none"))
    assert main(["ui", "nonsense"]) == 2
    assert "set TMPDIR" in capsys.readouterr().err
