import threading
import time

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
    assert journal.numbers() == [0, 4]
    assert [journal.count(number) for number in (0, 1, 4)] == [2, 0, 3]
    wanted = np.concatenate([entry(2, 0).images, entry(3, 4).images])
    np.testing.assert_array_equal(np.concatenate(list(journal.images())), wanted)
    told = [(sources, [one for one, _ in rejected]) for sources, rejected in journal.entries()]
    assert told == [(entry(2, 0).sources, []), ([], ["c"]), (entry(3, 4).sources, ["a", "b"])]


@pytest.mark.parametrize("lost", [1, 5, 40])
def test_half_a_line_is_as_if_it_had_not_been_written(folder, lost):
    lines = folder / "journal"
    lines.write_bytes(lines.read_bytes()[:-lost])
    journal = Journal(folder, size=SIZE)
    assert [number in journal for number in (4, 1, 0)] == [True, True, False]
    journal.add(0, entry(2, 7))
    wanted = np.concatenate([entry(2, 7).images, entry(3, 4).images])
    np.testing.assert_array_equal(np.concatenate(list(journal.images())), wanted)


def test_a_line_whose_images_are_missing_is_not_believed(folder):
    images = folder / "images"
    images.write_bytes(images.read_bytes()[:-1])
    assert Journal(folder, size=SIZE).numbers() == [4]


def test_images_that_have_changed_are_told_of(folder):
    data = bytearray((folder / "images").read_bytes())
    data[70] ^= 1
    (folder / "images").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        list(Journal(folder, size=SIZE).images())


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
    seen = []

    def make():
        with unfinished(path, size=SIZE, fresh=False) as journal:
            seen.append(journal is None)
            if journal is not None:
                time.sleep(0.5)
                path.touch()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False, True, True]
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
        assert journal.numbers() == kept
