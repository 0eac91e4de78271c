"""The suite itself: a crash or a hang in a library's code ends it; import contracts are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

FIRST = """
import ctypes, os, pytest
@pytest.mark.parametrize("n", range(9))
def test_fine(n): pass
"""
OTHER = """
import pytest, time
@pytest.mark.parametrize("n", range(1000))
def test_long(n): time.sleep(1)
"""
ENDS = {
    "crash": "def test_ends(): os.abort()\n",
    "hang": "def test_ends(): ctypes.PyDLL(None).sleep(1000)\n",  # and no other thread goes on
}


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_at_once(how, tmp_path):
    (tmp_path / "test_first.py").write_text(FIRST + ENDS[how])
    (tmp_path / "test_other.py").write_text(OTHER)
    root = Path(__file__).parents[1]
    words = [
        "-p",
        "tests.conftest",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "-o",
        "faulthandler_timeout=3",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(root / "pyproject.toml"), *words, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=250,  # all tests would take longer
    )
    assert done.returncode == 1
    assert "a worker crashed in" in done.stdout
    assert "test_first.py::test_ends" in done.stdout


def test_the_rooms_import_in_one_direction():
    root = Path(__file__).parents[1]
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
