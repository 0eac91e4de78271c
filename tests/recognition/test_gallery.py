"""The gallery: what is written stays, what is deleted is gone, and no kill leaves it between."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.recognition.gallery import Gallery, Shot
from tripletlab.recognition.gallery_file import FILE

DIM = 8


def shots(seed, count=2):
    raw = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    units = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    return [Shot(one, b"picture of %d" % seed) for one in units]


@pytest.fixture
def again(tmp_path):
    """Open the gallery anew, as another process would."""
    return lambda fingerprint="m", dim=DIM: Gallery(
        tmp_path / "g", fingerprint=fingerprint, dim=dim
    )


def test_people_survive_reopening(again):
    gallery = again()
    gallery.add("Ada", shots(1))
    gallery.add(" Bo  Li ", shots(2, 3))
    gallery.add("Ada", shots(3, 1))
    assert again().people() == {"Ada": 3, "Bo Li": 3}
    assert again().pictures("Ada")[-1] == b"picture of 3"
    (match, other) = again().enrolled.nearest(shots(3, 1)[0].embedding, people=5)
    assert (match.name, other.name) == ("Ada", "Bo Li")
    assert match.distance == pytest.approx(0, abs=1e-6)


def test_nobody_is_recorded_again_who_was_removed_meanwhile(again):
    gallery = again()
    gallery.add("Ada", shots(1))
    again().remove("Ada")
    with pytest.raises(InputError, match="Ada: nobody of that name is in the gallery"):
        gallery.add("Ada", shots(2), instead=True)
    assert again().people() == {}


def test_a_name_in_bytes_that_are_no_text_is_nobodys(again):
    with pytest.raises(InputError, match="nobody of that name"):
        again().remove("\udcff")  # as Python reads the byte 0xff of a command line


def test_rename_remove_and_record_again(again):
    gallery = again()
    gallery.add("Ada", shots(1))
    gallery.add("Bo", shots(2))
    with pytest.raises(InputError, match="is there already"):
        gallery.rename("Ada", "Bo")
    with pytest.raises(InputError, match="Bo is there already"):
        gallery.add("Bo", shots(3), new=True)
    gallery.rename("Ada", "Cy")
    gallery.add("Cy", shots(4, 1), instead=True)
    gallery.remove("Bo")
    assert again().people() == {"Cy": 1}
    assert again().enrolled.names == ("Cy",)
    with pytest.raises(InputError, match="nobody"):
        gallery.remove("Bo")


def test_only_the_owner_has_access(again, tmp_path):
    again()
    assert stat.S_IMODE((tmp_path / "g").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "g" / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["remove", "forget"])
def test_what_is_forgotten_is_nowhere_in_the_folder(how, again, tmp_path):
    gallery = again()
    gallery.add("Ada", shots(1))
    vector = shots(1)[0].embedding.tobytes()
    traces = (b"Ada", b"picture of 1", vector)

    def content():
        return b"".join(path.read_bytes() for path in (tmp_path / "g").iterdir())

    assert all(trace in content() for trace in traces)
    gallery.remove("Ada") if how == "remove" else gallery.forget_everyone()
    assert not any(trace in content() for trace in traces)
    assert again().people() == {}
    assert again().enrolled.nearest(shots(1)[0].embedding, people=3) == []


@pytest.mark.parametrize(("fingerprint", "dim"), [("other", DIM), ("m", DIM + 1)])
def test_another_models_gallery_is_refused(fingerprint, dim, again):
    again().add("Ada", shots(1))
    with pytest.raises(InputError, match="another model"):
        again(fingerprint, dim)
    assert again().people() == {"Ada": 2}


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_what_is_no_name_is_refused(name, again):
    with pytest.raises(InputError, match="a name"):
        again().add(name, shots(1))


def test_a_wrong_shot_enrols_nobody(again):
    for embedding, problem in [
        (np.zeros(3), "shape"),
        (np.zeros(DIM), "cannot embed"),
        (np.full(DIM, np.nan), "cannot embed"),
    ]:
        bad = Shot(embedding.astype(np.float32), b"")
        with pytest.raises((ValueError, InputError), match=problem):
            again().add("Ada", [*shots(1), bad])
    assert again().people() == {}


def test_a_change_by_another_process_is_loaded(again):
    gallery, other = again(), again()
    before = gallery.enrolled
    gallery.refresh()
    assert gallery.enrolled is before
    other.add("Ada", shots(1))
    gallery.refresh()
    assert gallery.enrolled.names == ("Ada",)


@pytest.mark.parametrize("anew", [False, True])
def test_nobody_is_known_once_the_file_is_deleted_or_replaced(anew, again, tmp_path):
    gallery = again()
    gallery.add("Ada", shots(1))
    shutil.rmtree(tmp_path / "g")
    if anew:
        again().add("Cy", shots(2))
    for do in (gallery.refresh, lambda: gallery.add("Bo", shots(3))):
        with pytest.raises(InputError, match="deleted or replaced"):
            do()
    assert gallery.enrolled.names == ()
    assert gallery.people() == {}
    assert (tmp_path / "g").exists() == anew


def test_who_is_removed_after_another_process_embeds_anew_is_not_known(again, tmp_path):
    gallery = again()
    gallery.add("Ada", shots(1, 1))
    gallery.add("Bo", shots(2, 3))
    own = gallery.enrolled
    other = Gallery(tmp_path / "g", fingerprint="n", dim=2, embed=lambda _: np.eye(2)[0])
    with pytest.raises(InputError, match="another model"):
        gallery.refresh()
    assert gallery.enrolled is own
    other.remove("Ada")
    with pytest.raises(InputError, match="another model"):
        gallery.refresh()
    (match,) = gallery.enrolled.nearest(shots(2, 3)[2].embedding, people=5)
    assert match == ("Bo", pytest.approx(0, abs=1e-5))


def test_killed_while_writing_it_holds_whole_changes(again, tmp_path):
    """A process enrols people of three photos until it is killed, several times over."""
    code = (
        "import sys, itertools, numpy as np; from pathlib import Path;"
        "from tripletlab.recognition.gallery import Gallery, Shot;"
        "g = Gallery(Path(sys.argv[1]), fingerprint='m', dim=8); print('open', flush=True);"
        "s = [Shot(np.eye(8, dtype=np.float32)[0], b'x' * 20000)] * 3;"
        "[g.add(f'{sys.argv[2]} {n}', s) for n in itertools.count()]"
    )
    for round_ in range(4):
        command = [sys.executable, "-c", code, str(tmp_path / "g"), str(round_)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(0.05 + 0.05 * round_)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    people = again().people()
    assert people
    assert set(people.values()) == {3}


def test_the_nearest_are_those_of_brute_force(again):
    gallery = again()
    everyone = {f"p{n}": shots(n, 1 + n % 4) for n in range(20)}
    for name, some in everyone.items():
        gallery.add(name, some)
    probe = shots(99, 1)[0].embedding
    wanted = sorted(
        (min(float(((one.embedding - probe) ** 2).sum()) for one in some), name)
        for name, some in everyone.items()
    )
    found = gallery.enrolled.nearest(probe, people=6)
    assert [one.name for one in found] == [name for _, name in wanted[:6]]
    np.testing.assert_allclose(
        [one.distance for one in found], [d for d, _ in wanted[:6]], atol=1e-5
    )
    assert len(gallery.enrolled.nearest(probe, people=50)) == 20
