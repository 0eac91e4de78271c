"""A file is whole, or the earlier one is still there."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.disks import small_disk
from tripletlab.errors import InputError
from tripletlab.system.files import (
    copy_files,
    make_output_folder,
    make_whole_folder,
    whole,
    write_whole,
)

WRITE = """
import sys, time
from pathlib import Path
from tripletlab.system.files import whole
with whole(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    time.sleep(600)
"""


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_filled_is_removed_while_nobody_else_can_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = []

    def remove(folder: Path, **_: object) -> None:
        removed.append((folder.name, folder.exists(), (tmp_path / ".photos.lock").exists()))

    def fill(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.rmtree", remove)
    with pytest.raises(InputError, match=r"photos: cannot be written \(No space left"):
        make_whole_folder(tmp_path / "photos", fill)
    assert removed[-1] == (".photos.unfinished", True, True)


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(taken, b"a folder stands in the way")
    assert list(tmp_path.iterdir()) == [taken]


def test_readers_have_the_earlier_file_until_the_later_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_whole(path, b"earlier")
    with whole(path) as temporary:
        temporary.write_bytes(b"later")
        assert path.read_bytes() == b"earlier"
    assert path.read_bytes() == b"later"


def test_content_and_name_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this order: what is renamed before it is on the disk may be empty after a power cut."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        fsync(handle)

    def renamed(source: str, path: str) -> None:
        steps.append("rename")
        replace(source, path)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    write_whole(tmp_path / "a", b"content")
    assert steps == ["file", "rename", "folder"]


def test_permissions_are_those_of_any_new_file_or_as_asked(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", b"")
    write_whole(tmp_path / "private", b"", mode=0o600)
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_is_deleted_by_the_next_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "faces.h5"
    command = [sys.executable, "-c", WRITE, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    left = Path(process.stdout.readline().strip())
    own = tmp_path / ".notes.unfinished-by-me"
    own.touch()
    write_whole(path, b"of another process")
    assert left.read_text() == "half"
    process.kill()
    process.wait()
    write_whole(tmp_path / "pairs.h5", b"another file of the folder")
    assert sorted(tmp_path.iterdir()) == [own, path, tmp_path / "pairs.h5"]


def test_files_are_copied_with_one_of_them_last(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name in ("a", "b", "c"):
        (source / name).write_text(name)
    copy_files(source, target, last="a")
    by_time = sorted(target.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    assert [(one.name, one.read_text()) for one in by_time] == [("b", "b"), ("c", "c"), ("a", "a")]


def test_a_full_disk_is_the_system_s_own_error(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "large").write_bytes(bytes(2**21))
    with small_disk(tmp_path / "disk") as sized:
        with pytest.raises(OSError, match="No space left") as caught:
            copy_files(source, sized("1m") / "copy", last="card")
        assert caught.value.errno == errno.ENOSPC
        assert list((tmp_path / "disk" / "copy").iterdir()) == []


def test_a_folder_for_results_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(InputError, match=f"--to {path}: cannot be written"):
            make_output_folder(path)
    make_output_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
