"""A gallery that follows its bundle, and is killed, or used by another process, meanwhile."""

import contextlib
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.recognition.test_gallery import shots
from tests.recognition.test_reembedding import embeddings
from tripletlab.errors import InputError
from tripletlab.recognition.gallery import Gallery, Shot
from tripletlab.recognition.gallery_file import FILE, origin


def old_gallery(folder):
    """One of ten photos, by the maker m."""
    with contextlib.closing(Gallery(folder, fingerprint="m", dim=8)) as gallery:
        gallery.add("Ada", [Shot(one.embedding, b"x" * 5000) for one in shots(1, 10)])


FOLLOW = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from tripletlab.recognition import gallery_file
from tripletlab.recognition.gallery import Gallery
def embed(kept):
    print("embed", flush=True)
    time.sleep(float(sys.argv[2]))
    return np.eye(8, dtype=np.float32)[0]
def follow(folder):
    return Gallery(folder, fingerprint="n", dim=8, embed=embed)
"""


def test_killed_before_any_statement_it_is_the_old_one_or_the_new(tmp_path):
    code = FOLLOW + (
        "connect = gallery_file._connect\n"
        "def traced(path):\n"
        "    base, left = connect(path), [int(sys.argv[3])]\n"
        "    def count(statement):\n"
        "        left[0] -= 1\n"
        "        if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    base.set_trace_callback(count)\n"
        "    return base\n"
        "gallery_file._connect = traced\n"
        "for fatal in range(1000):\n"
        "    if not (child := os.fork()):\n"
        "        sys.argv[3] = str(fatal)\n"
        "        follow(Path(sys.argv[1]) / str(fatal))\n"
        "        os._exit(0)\n"
        "    if os.waitpid(child, 0)[1] == 0: break\n"
    )
    old_gallery(tmp_path / "old")
    old = embeddings(tmp_path / "old", origin(tmp_path / "old"))["Ada"]
    for number in range(60):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / FILE).write_bytes((tmp_path / "old" / FILE).read_bytes())
    command = [sys.executable, "-c", code, str(tmp_path), "0", "0"]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    makers = []
    for number in range(60):
        maker = origin(tmp_path / f"{number}")
        wanted = old if maker.fingerprint == "m" else np.tile(np.eye(8)[0], (10, 1))
        found = embeddings(tmp_path / f"{number}", maker)["Ada"]
        np.testing.assert_array_equal(found, wanted)
        makers.append(maker.fingerprint)
    assert makers.index("n") > 20  # of the statements, ten are for its photos, ten change them


@pytest.mark.slow
def test_killed_while_the_file_is_written_it_is_whole(tmp_path):
    """At a random time within the write that follows the last embedding, or just after it."""
    with contextlib.closing(Gallery(tmp_path / "old", fingerprint="m", dim=8)) as gallery:
        gallery.add("Ada", [Shot(one.embedding, b"x" * 20000) for one in shots(1, 400)])
    old = embeddings(tmp_path / "old", origin(tmp_path / "old"))["Ada"]
    moments, torn = np.random.default_rng(0).uniform(0, 0.15, 30), 0
    for number, moment in enumerate(moments):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        (folder / FILE).write_bytes((tmp_path / "old" / FILE).read_bytes())
        command = [sys.executable, "-c", f"{FOLLOW}follow(Path(sys.argv[1]))", str(folder), "0"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            for _ in range(400):
                process.stdout.readline()
            time.sleep(moment)
            process.kill()
        torn += len(list(folder.iterdir())) > 1  # SQLite's journal is there
        maker = origin(folder)
        wanted = old if maker.fingerprint == "m" else np.tile(np.eye(8)[0], (400, 1))
        np.testing.assert_array_equal(embeddings(folder, maker)["Ada"], wanted)
        unit = np.eye(8, dtype=np.float32)[0]
        Gallery(folder, fingerprint="n", dim=8, embed=lambda _, unit=unit: unit).close()
        assert [path.name for path in folder.iterdir()] == [FILE]
    assert torn > 0


def test_of_two_processes_one_embeds_and_one_with_the_old_bundle_changes_nothing(tmp_path):
    folder = tmp_path / "g"
    old_gallery(folder)
    with contextlib.closing(Gallery(folder, fingerprint="m", dim=8)) as older:
        command = [sys.executable, "-c", f"{FOLLOW}follow(Path(sys.argv[1]))", str(folder), "0.1"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=60)[0] for process in both]
        assert sorted(one.count("embed") for one in said) == [0, 10]
        assert older.enrolled.nearest(shots(1, 1)[0].embedding, people=1)[0].distance < 1e-6
        for change in (
            older.refresh,
            lambda: older.add("Bo", shots(2)),
            lambda: older.remove("Ada"),
        ):
            with pytest.raises(InputError, match="another model"):
                change()
    with contextlib.closing(Gallery.open(folder)) as gallery:
        assert gallery.people() == {"Ada": 10}
