"""Locks whose files are deleted by their holders."""

import errno
import fcntl
import os
import subprocess
import sys
import threading

import pytest

from tripletlab.errors import InputError
from tripletlab.system.locks import delete_unlocked, held, turn


def test_one_that_waited_for_a_deleted_lock_holds_the_file_of_that_name(tmp_path):
    """Else two hold "the lock": one the file without a name, one the new file."""
    lock, at_work = tmp_path / "lock", threading.Event()
    let_go = threading.Event()

    def wait():
        with turn(lock):
            at_work.set()
            let_go.wait(20)

    with held(lock) as free:
        assert free
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not at_work.wait(0.3)  # it has the file open by now, and waits
        lock.unlink()
    assert at_work.wait(20)
    with held(lock) as free:
        assert not free
    let_go.set()
    waiting.join()
    with held(lock) as free:
        assert free


COUNT = """
import sys
from pathlib import Path
from tripletlab.system.locks import held
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
done = 0
while done < 150:
    with held(lock) as free:
        if free:
            counter.write_text(str(int(counter.read_text()) + 1))
            done += 1
            lock.unlink()
"""


def test_processes_that_delete_the_lock_exclude_each_other(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "lock"), str(counter)]
    processes = [subprocess.Popen(command, env=os.environ) for _ in range(4)]
    assert [one.wait(60) for one in processes] == [0] * 4
    assert counter.read_text() == "600"


def test_a_folder_that_cannot_have_locks_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for lock in (held, turn):
        with pytest.raises(InputError, match="cannot be written"), lock(tmp_path / "file" / "one"):
            pass

    def none(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    for lock in (held, turn):
        with pytest.raises(InputError, match="No locks available"), lock(tmp_path / "one"):
            pass


def test_a_lock_is_deleted_after_its_turn(tmp_path):
    with turn(tmp_path / "lock"):
        assert (tmp_path / "lock").is_file()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", [True, False])
def test_deleting_an_unlocked_folder_leaves_no_lock(tmp_path, there):
    """Also where its process has deleted it meanwhile."""
    folder = tmp_path / "store" / ".faces.unfinished"
    if there:
        folder.mkdir(parents=True)
        delete_unlocked([folder], age=60)
        assert list(folder.parent.iterdir()) == [folder]
    delete_unlocked([folder])
    assert not list(tmp_path.iterdir())


def test_a_locked_folder_is_not_deleted(tmp_path):
    folder = tmp_path / ".faces.unfinished"
    folder.mkdir()
    with turn(tmp_path / ".faces.lock"):
        delete_unlocked([folder])
        assert folder.is_dir()
