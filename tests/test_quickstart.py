"""The notebook runs from its first cell to its last."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recognition.conftest import card, network, write  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "examples" / "quickstart.ipynb"


def code_cells():
    notebook = json.loads(NOTEBOOK.read_text())
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs():
    assert [cell["outputs"] for cell in code_cells()] == [[]] * len(code_cells())
    assert {cell["execution_count"] for cell in code_cells()} == {None}


@pytest.mark.slow
def test_every_cell_runs(write, tmp_path):  # noqa: F811
    write(tmp_path / "bundle")
    (tmp_path / "examples").mkdir()
    cells = "\n".join("".join(cell["source"]) for cell in code_cells())
    done = subprocess.run(
        [sys.executable, "-c", cells],
        cwd=tmp_path / "examples",
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, last = done.stdout.rpartition("loss ")[2].split(" -> ")
    assert float(last) < float(first)
    assert "Verified(distance=" in done.stdout
