"""Only what a gallery has made is touched, and only a gallery is opened."""

import os
import random
import sqlite3
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.recognition.test_gallery import DIM, shots
from tripletlab.errors import InputError
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.gallery_file import FILE


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(folder, says):
    with pytest.raises(InputError, match=rf"^(?!.*\n).*({says})") as caught:
        Gallery(folder, fingerprint="m", dim=DIM)
    assert len(str(caught.value)) < 500


@pytest.fixture
def gallery(tmp_path):
    """A closed gallery of two people; its folder."""
    kept = Gallery(tmp_path / "g", fingerprint="m", dim=DIM)
    kept.add("Ada", shots(1))
    kept.add("Bo", shots(2))
    kept.close()
    return tmp_path / "g"


def test_a_folder_that_was_there_keeps_its_permissions(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    Gallery(folder, fingerprint="m", dim=DIM).close()
    assert mode(folder) == 0o777
    assert mode(folder / FILE) == 0o600
    assert listing(folder) == [FILE]


@pytest.mark.parametrize("content", [b"", b"three years of work", None])
def test_a_link_is_refused_and_its_target_untouched(content, tmp_path):
    target, folder = tmp_path / "thesis", tmp_path / "g"
    if content is not None:
        target.write_bytes(content)
        target.chmod(0o644)
    folder.mkdir(mode=0o755)
    (folder / FILE).symlink_to(target)
    refused(folder, "not a file of its own")
    assert mode(folder) == 0o755
    assert target.exists() == (content is not None)
    if content is not None:
        assert (target.read_bytes(), mode(target)) == (content, 0o644)


def other_database(path):
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE thesis (year INTEGER)")
    base.close()


@pytest.mark.parametrize("kind", ["empty", "text", "database", "folder", "pipe"])
def test_what_is_no_gallery_is_refused_and_left_as_it_was(kind, tmp_path):
    path = tmp_path / FILE
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("three years of work " * 100)
    elif kind == "database":
        other_database(path)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    path.chmod(0o755)
    before = path.read_bytes() if path.is_file() else None
    refused(tmp_path, "not a gallery|not a file of its own|no gallery can be kept there")
    assert mode(path) == 0o755
    assert listing(tmp_path) == [FILE]
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_gallery_of_one_model_is_not_another_models(gallery):
    before = (gallery / FILE).read_bytes()
    with pytest.raises(InputError, match="another model"):
        Gallery(gallery, fingerprint="other", dim=DIM)
    assert (gallery / FILE).read_bytes() == before


CHANGES = {
    "a trigger": "CREATE TRIGGER t AFTER DELETE ON photo BEGIN DELETE FROM person; END",
    "a view": "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
    " SELECT * FROM n",
    "another table": "CREATE TABLE more (x)",
    "no photos": "DROP TABLE photo",
    "no maker": "DELETE FROM made_by",
    "two makers": "INSERT INTO made_by SELECT * FROM made_by",
    "a name of bytes": "UPDATE person SET name = x'ff' WHERE id = 1",
    "a name of controls": "UPDATE person SET name = char(27) || '[2J' WHERE id = 1",
    "a long name": "UPDATE person SET name = printf('%.1000000c', 'x') WHERE id = 1",
    "a huge name": "UPDATE person SET name = zeroblob(100000000) WHERE id = 1",
    "a text": "UPDATE photo SET embedding = 'near' WHERE id = 1",
    "a short embedding": "UPDATE photo SET embedding = x'00' WHERE id = 1",
    "a longer one": "UPDATE photo SET embedding = embedding || embedding WHERE id = 1",
    "zeros": f"UPDATE photo SET embedding = zeroblob({4 * DIM}) WHERE id = 1",
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_others_have_changed_is_refused(what, gallery):
    base = sqlite3.connect(gallery / FILE)
    base.execute(CHANGES[what])
    base.commit()
    base.close()
    refused(gallery, "not a gallery|another model|damaged|cannot be used|unit length")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.5, 2.0, 1e30])
def test_an_embedding_that_is_not_of_unit_length_is_refused(value, gallery):
    vector = np.zeros(DIM, np.float32)
    vector[0] = value
    base = sqlite3.connect(gallery / FILE)
    base.execute("UPDATE photo SET embedding = ? WHERE id = 3", (vector.tobytes(),))
    base.commit()
    base.close()
    refused(gallery, "unit length")


def test_damage_that_another_process_does_is_seen_when_it_is_read_again(gallery):
    kept = Gallery(gallery, fingerprint="m", dim=DIM)
    base = sqlite3.connect(gallery / FILE)
    base.execute(f"UPDATE photo SET embedding = zeroblob({4 * DIM})")
    base.commit()
    base.close()
    with pytest.raises(InputError, match="unit length"):
        kept.refresh()


def test_damaged_bytes_are_refused_or_read_as_people(gallery):
    """A few bytes of the file at random, 300 times: one line, or a gallery that can be used."""
    whole, random_ = (gallery / FILE).read_bytes(), random.Random(0)
    opened, problems = 0, []
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(random_.randint(1, 20)):
            content[random_.randrange(len(content))] = random_.randrange(256)
        if random_.random() < 0.2:
            content = content[: random_.randrange(len(content))]
        (gallery / FILE).write_bytes(content)
        try:
            kept = Gallery(gallery, fingerprint="m", dim=DIM)
            kept.pictures("Ada")
            kept.add("Cy", shots(3))
            assert kept.enrolled.nearest(shots(3)[0].embedding, people=1)[0].distance >= 0
            kept.close()
            opened += 1
        except InputError as error:
            problems.append(str(error))
        for path in gallery.glob(f"{FILE}-*"):
            path.unlink()
    assert 0 < opened < 300
    assert not any("\n" in one for one in problems)


def test_one_that_was_killed_while_it_began_leaves_a_gallery_or_none(tmp_path):
    """Killed before each step on the file system; the next one begins a gallery."""
    code = (
        "import os, sys, signal; from pathlib import Path;"
        "from tripletlab.recognition.gallery import Gallery\n"
        "for fatal in range(1000):\n"
        "    folder = Path(sys.argv[1]) / str(fatal)\n"
        "    if not (child := os.fork()):\n"
        "        steps = 0\n"
        "        def hook(event, args):\n"
        "            global steps\n"
        "            if event in ('open', 'os.mkdir', 'os.rename', 'sqlite3.connect'):\n"
        "                steps += 1\n"
        "                if steps > fatal: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        sys.addaudithook(hook)\n"
        "        Gallery(folder, fingerprint='m', dim=8)\n"
        "        os._exit(0)\n"
        "    if os.waitpid(child, 0)[1] == 0: break\n"
        "print(fatal)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    steps = int(done.stdout)
    assert steps >= 5
    for folder in sorted(tmp_path.iterdir()):
        kept = Gallery(folder, fingerprint="m", dim=DIM)
        assert kept.people() == {}
        kept.close()
        assert listing(folder) == [FILE]
        assert not list(folder.glob(".*"))


def test_two_processes_that_begin_one_gallery_share_it(tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path;"
        "from tripletlab.recognition.gallery import Gallery, Shot; sys.stdin.read();"
        "g = Gallery(Path(sys.argv[1]), fingerprint='m', dim=8);"
        "g.add(sys.argv[2], [Shot(np.eye(8, dtype=np.float32)[0], b'')])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "g")]
    both = [subprocess.Popen([*command, name], stdin=subprocess.PIPE) for name in ("Ada", "Bo")]
    time.sleep(1)
    for process in both:
        process.stdin.close()
    assert [process.wait(60) for process in both] == [0, 0]
    assert Gallery(tmp_path / "g", fingerprint="m", dim=DIM).people() == {"Ada": 1, "Bo": 1}
