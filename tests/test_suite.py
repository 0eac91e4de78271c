"""The suite itself: a crash or a hang in a library's code ends it; rules of the code are kept."""

import ast
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


def test_no_text_is_read_or_written_in_the_encoding_of_the_locale():
    """Names of people, and the figures of a report, have letters that some encodings lack."""
    package = Path(__file__).parents[1] / "src" / "tripletlab"
    # It writes ASCII, and whoever changes the file changes the people that it draws
    files = set(package.rglob("*.py")) - {package / "photos" / "synthetic.py"}
    counts = {"read_text": 1, "write_text": 2}  # arguments, the encoding being the last
    without = [
        f"{file}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if len(node.args) + len(node.keywords) < counts.get(node.func.attr, 0)
    ]
    assert without == []
