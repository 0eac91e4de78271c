"""A disk that fills up: one line, nothing that looks finished, and what is there goes on later."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.disks import small_disk
from tripletlab import config
from tripletlab.experiment.data import prepare

PEOPLE = ["photos.people=12", "photos.photos=12", "verification.people=60"]
SMALL = [*PEOPLE, "verification.per_fold=4", "faces.min_photos=2"]


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as sized:
        yield sized


def run(data):
    """A process of its own, since a crash of HDF5's would end this one."""
    command = [sys.executable, "-m", "tripletlab", "prepare", f"data={data}", *SMALL]
    return subprocess.run(command, capture_output=True, text=True, cwd=data.parent)


def test_nothing_looks_finished_that_is_not(disk, tmp_path):
    """Full while photos are drawn, then where the store is written; at last there is room."""
    for size in ("700k", "6m"):
        place = disk(size)
        done = run(place)
        assert done.returncode == 2, done.stderr
        said = [line for line in done.stderr.splitlines() if line.startswith("tripletlab:")]
        assert len(said) == 1
        assert "cannot be written" in said[0]
        assert "Traceback" not in done.stderr
        assert not [path for path in place.rglob("*.h5*") if path.is_file()]
    disk("60m")
    assert run(place).returncode == 0
    there, whole = (
        prepare(config.compose("prepare", [*SMALL, f"data={data}"]), fresh=False)
        for data in (place, tmp_path / "whole")
    )
    assert there.faces.fingerprint == whole.faces.fingerprint
    assert there.pairs.fingerprint == whole.pairs.fingerprint
    assert not [path for path in Path(place).rglob(".*") if path.is_file() or path.is_dir()]
