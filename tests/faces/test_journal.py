import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
import zlib

import numpy as np
import pytest

from tripletlab.errors import InputError, Unavailable
from tripletlab.faces.journal import Entry, Journal, unfinished

SIZE = 8


def entry(faces, seed, *rejected):
    images = np.random.default_rng(seed).integers(0, 256, (faces, SIZE, SIZE), np.uint8)
    sources = [f"tree/p{seed}/{number}.jpg" for number in range(faces)]
    return Entry(images, sources, [(one, "why") for one in rejected])


@pytest.fixture
def folder(tmp_path):
    """A journal of three entries that came out of order, one without faces."""
    journal = Journal(tmp_path / "journal", size=SIZE)
    journal.add(4, entry(3, 4, "a", "b"))
    journal.add(1, entry(0, 1, "c"))
    journal.add(0, entry(2, 0))
    journal.close()
    return tmp_path / "journal"


def test_what_was_added_comes_in_order(folder):
    journal = Journal(folder, size=SIZE)
    zero, four = entry(2, 0), entry(3, 4, "a", "b")
    assert journal.kept() == [
        (0, 2, zlib.crc32(zero.images.tobytes())),
        (4, 3, zlib.crc32(four.images.tobytes())),
    ]
    assert [number in journal for number in range(5)] == [True, True, False, False, True]
    wanted = np.concatenate([zero.images, four.images])
    np.testing.assert_array_equal(np.concatenate(list(journal.images())), wanted)
    texts = [one[1:] for one in (zero, entry(0, 1, "c"), four)]
    assert list(journal.entries()) == texts


def test_images_that_have_changed_are_an_error(folder):
    with contextlib.closing(sqlite3.connect(folder / "journal.sqlite")) as base, base:
        base.execute("UPDATE entry SET images = zeroblob(length(images)) WHERE number = 4")
    with pytest.raises(sqlite3.DatabaseError, match="have changed"):
        list(Journal(folder, size=SIZE).images())


KILLED = """
import os, sys
from pathlib import Path
from tests.faces.test_journal import SIZE, Journal, entry
journal = Journal(Path(sys.argv[1]), size=SIZE)
for number in range(1000):
    journal.add(number, entry(3, number))
    print(number, flush=True)
"""


def test_whatever_was_added_survives_kill_9(tmp_path):
    """Killed at any time, also in the middle of a transaction."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "journal")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    added = [int(process.stdout.readline()) for _ in range(50)]
    process.kill()
    added += list(map(int, process.stdout.read().split()))
    process.wait()
    journal = Journal(tmp_path / "journal", size=SIZE)
    kept = [one.number for one in journal.kept()]
    assert kept in (added, [*added, len(added)])  # the last one may not have been printed
    wanted = np.concatenate([entry(3, number).images for number in kept])
    np.testing.assert_array_equal(np.concatenate(list(journal.images())), wanted)


@pytest.fixture
def left(tmp_path):
    """The place of a store, whose preparation has ended badly with one entry in the journal."""
    path = tmp_path / "store" / "faces.h5"

    def fail():
        with unfinished(path, size=SIZE, fresh=False) as journal:
            journal.add(0, entry(1, 0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    return path


def file_of(path):
    return path.with_name(".faces.unfinished") / "journal.sqlite"


def finished(path):
    """The numbers in the journal of a store that is gone on with."""
    with unfinished(path, size=SIZE, fresh=False) as journal:
        return [one.number for one in journal.kept()]


def test_a_damaged_journal_is_deleted_in_a_line_and_the_work_done_again(left):
    file_of(left).write_bytes(b"not a database, but as long as one" * 200)
    with pytest.raises(
        InputError, match=r"cannot be used .* and is deleted; run the command again"
    ):
        finished(left)
    assert finished(left) == []


def test_a_journal_that_another_program_has_locked_is_a_line_and_kept(left, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, timeout=0.1))
    with contextlib.closing(connect(file_of(left), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InputError, match=r"cannot be written \(database is locked\)"):
            finished(left)
    assert finished(left) == [0]


def test_bad_input_leaves_nothing_and_a_crash_leaves_the_journal(tmp_path):
    path = tmp_path / "store" / "faces.h5"

    def begin(error):
        with unfinished(path, size=SIZE, fresh=False) as journal:
            journal.add(0, entry(1, 0))
            raise error

    with pytest.raises(InputError):
        begin(InputError("too few people"))
    assert not path.parent.exists()
    with pytest.raises(RuntimeError):
        begin(RuntimeError())
    with unfinished(path, size=SIZE, fresh=False) as journal:
        assert 0 in journal
    with unfinished(path, size=SIZE, fresh=False) as journal:
        assert 0 not in journal


def test_two_do_not_make_the_same_store_at_once(tmp_path, capsys):
    path = tmp_path / "store" / "faces.h5"
    there = []

    def make():
        with unfinished(path, size=SIZE, fresh=False) as journal:
            there.append(journal is None)
            if journal is not None:
                time.sleep(0.5)
                path.touch()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(there) == [False, True, True]
    assert capsys.readouterr().err.count("waiting for another process") in (1, 2)  # one may be late


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("photos/Ann/1.jpg", "photos/Ann/1.jpg: cannot be read"),
        (None, "faces.h5: cannot be written"),
    ],
)
def test_what_cannot_be_read_is_not_called_unwritable(tmp_path, missing, says):
    path = tmp_path / "data" / "faces.h5"
    with pytest.raises(InputError, match=says), unfinished(path, size=4, fresh=False):
        raise OSError(5, "Input/output error", missing and str(tmp_path / missing))


@pytest.mark.parametrize(("error", "kept"), [(Unavailable, [0]), (InputError, [])])
def test_finished_work_is_kept_where_the_input_is_not_bad(tmp_path, error, kept):
    path = tmp_path / "data" / "faces.h5"

    def fail():
        with unfinished(path, size=SIZE, fresh=False) as journal:
            journal.add(0, entry(2, 0))
            raise error("gone")

    with pytest.raises(error, match="gone"):
        fail()
    with unfinished(path, size=SIZE, fresh=False) as journal:
        assert [one.number for one in journal.kept()] == kept
