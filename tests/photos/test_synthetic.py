"""Synthetic people: the same to the byte, laid out as the real sets are."""

import csv
import shutil
import subprocess
import sys

import pytest

from tripletlab.errors import InputError
from tripletlab.photos.pairs import read_pairs_txt
from tripletlab.photos.synthetic import synthetic, synthetic_pairs
from tripletlab.photos.tree import list_identities


def test_training_photos_are_laid_out_as_vggface2(tmp_path):
    photos = synthetic(folder=str(tmp_path), seed=1, people=12, photos=3, size=64)
    assert photos.title == "synthetic people"
    identities = list_identities(photos.trees[0])
    assert list(identities) == [f"n{number:06d}" for number in range(1, 13)]
    assert [path.name for path in identities["n000001"]] == [f"{n:04d}_01.jpg" for n in (1, 2, 3)]
    root = next(tmp_path.iterdir())
    with (root / "identity_meta.csv").open() as file:
        assert [row["Class_ID"] for row in csv.DictReader(file)] == list(identities)
    assert (root / "test" / "n000010").is_dir()


def test_verification_photos_are_laid_out_as_lfw(tmp_path):
    verification = synthetic_pairs(folder=str(tmp_path), seed=1, people=60, per_fold=12, size=64)
    pairs = read_pairs_txt(verification.pairs[0])
    assert len(pairs) == 10 * 2 * 12
    identities = list_identities(verification.tree)
    for pair in pairs:
        for name, number in pair[:2]:
            assert any(path.name == f"{name}_{number:04d}.jpg" for path in identities[name])
    people = [{photo.name for p in pairs if p.fold == k for photo in p[:2]} for k in range(10)]
    assert sum(map(len, people)) == len(set.union(*people))
    assert len(verification.map_people) == 20
    assert all(len(identities[name]) == 20 for name in verification.map_people)


def test_drawn_once_and_the_same_again(tmp_path):
    def drawn():
        synthetic(folder=str(tmp_path), seed=1, people=4, photos=2, size=64)
        return {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.jpg"))}

    def times():
        return [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*.jpg"))]

    first, then = drawn(), times()
    assert drawn() == first
    assert times() == then
    shutil.rmtree(next(tmp_path.iterdir()))
    assert drawn() == first


def test_more_people_extend_the_set(tmp_path):
    few = synthetic(folder=str(tmp_path), seed=1, people=4, photos=2, size=64)
    more = synthetic(folder=str(tmp_path), seed=1, people=6, photos=3, size=64)
    one, other = list_identities(few.trees[0]), list_identities(more.trees[0])
    for name, paths in one.items():
        assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in other[name][:2]]


def test_an_interrupted_drawing_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tripletlab.photos.synthetic.parallel_map", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthetic(folder=str(tmp_path), seed=1, people=4, photos=2, size=64)
    assert not list(tmp_path.iterdir())


def test_too_many_pairs_for_the_people(tmp_path):
    with pytest.raises(InputError, match=r"larger verification\.people"):
        synthetic_pairs(folder=str(tmp_path), seed=1, people=40, per_fold=300, size=64)
    assert not list(tmp_path.iterdir())


DRAW_AND_WAIT = """
import sys, time
from tripletlab.photos import synthetic
def wait(*_, **__):
    print(flush=True)
    time.sleep(600)
synthetic.parallel_map = wait
synthetic.synthetic(folder=sys.argv[1], seed=2, people=4, photos=2, size=64)
"""


def test_the_next_drawing_deletes_what_a_killed_one_left(tmp_path):
    def draw(seed):
        synthetic(folder=str(tmp_path), seed=seed, people=4, photos=2, size=64)

    process = subprocess.Popen(
        [sys.executable, "-c", DRAW_AND_WAIT, str(tmp_path)], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    (left,) = tmp_path.glob(".*.unfinished")
    draw(1)
    assert left.is_dir()
    process.kill()
    process.wait()
    draw(1)
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["synthetic"]
