"""Where libraries keep their caches if the home folder is of no use."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tripletlab.system.caches import VARIABLES, provide_caches


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for variable in (*VARIABLES, "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)


def test_a_home_that_can_be_written_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    provide_caches()
    assert not set(VARIABLES) & set(os.environ)


def test_without_one_the_temp_folder_is(monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null/home")
    provide_caches()
    folders = [Path(os.environ[variable]) for variable in VARIABLES]
    assert all(folder.is_relative_to(tempfile.gettempdir()) for folder in folders)


def test_numba_finds_a_place_without_a_home_and_beside_no_source(tmp_path):
    """As in a container: an install that cannot be written, and no home."""
    (tmp_path / "__pycache__").write_text("no folder")
    (tmp_path / "twice.py").write_text(
        "import numba\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n"
    )
    code = "import sys; from tripletlab.system.caches import provide_caches\n"
    code += "if sys.argv[1:]: provide_caches()\n"
    code += "from twice import twice; print(twice(21))"
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    home = {"HOME": "/dev/null/home", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*words):
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(command, env=os.environ | home, capture_output=True, text=True)

    assert "no locator available" in run().stderr
    assert run("provided").stdout.split() == ["42"]
