"""Files in which the HDF5 library itself is caught."""

import os
import signal

import pytest

from tests.fuzzing.campaign import make_input
from tests.fuzzing.targets import TARGETS
from tripletlab.errors import InputError
from tripletlab.faces import hdf5
from tripletlab.faces.store import PairStore

ENDLESS = 362  # the number of an input whose attributes the library reads for ever


@pytest.mark.timeout(60)
def test_a_file_that_the_library_never_finishes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "PATIENCE", 1)
    target = TARGETS["pairs.h5"]
    content = make_input("pairs.h5", target, target.seeds(tmp_path), ENDLESS)
    (tmp_path / "pairs.h5").write_bytes(content)
    assert not hdf5.survives(tmp_path / "pairs.h5")
    with pytest.raises(InputError, match=r"pairs\.h5: truncated, or not an HDF5 file"):
        PairStore.open(tmp_path / "pairs.h5")


def test_a_crash_of_the_library_is_no_crash_here(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "check_layout", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    target = TARGETS["pairs.h5"]
    (tmp_path / "pairs.h5").write_bytes(target.seeds(tmp_path)[0])
    assert not hdf5.survives(tmp_path / "pairs.h5")
