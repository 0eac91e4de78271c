"""Of unfinished work nothing stays, however the process ends."""

import contextlib
import signal
import subprocess
import sys
import tempfile

import pytest

from tripletlab.errors import InputError
from tripletlab.system.scratch import scratch

WORK = """
import sys, tempfile
from pathlib import Path
from tripletlab.system.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("unfinished")
    tempfile.mkdtemp(prefix="library-")
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def at_work(tmp_path):
    """A process that is at work in the folder `s`."""
    command = [sys.executable, "-c", WORK, str(tmp_path / "s")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


@pytest.mark.parametrize("fails", [False, True])
def test_it_is_there_for_the_block_and_holds_the_libraries_temporary_files(fails, tmp_path):
    usual = tempfile.gettempdir()
    ends = pytest.raises(KeyboardInterrupt) if fails else contextlib.nullcontext()
    with ends, scratch(tmp_path / "deep" / "s") as folder:
        made = tempfile.mkdtemp()
        assert made.startswith(str(folder))
        if fails:
            raise KeyboardInterrupt
    assert not (tmp_path / "deep" / "s").exists()
    assert tempfile.gettempdir() == usual


def test_what_a_killed_process_left_is_removed(at_work, tmp_path):
    at_work.send_signal(signal.SIGKILL)
    at_work.wait()
    assert len(list((tmp_path / "s").iterdir())) == 2
    with scratch(tmp_path / "s") as folder:
        assert list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_another_process_at_work_is_left_alone(at_work, tmp_path):
    with pytest.raises(InputError, match="another process is at work"), scratch(tmp_path / "s"):
        pass
    assert (tmp_path / "s" / "half").read_text() == "unfinished"
    at_work.stdin.close()
    assert at_work.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_made_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), scratch(tmp_path / "file" / "s"):
        pass
