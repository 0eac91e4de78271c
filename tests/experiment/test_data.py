"""What is said about prepared data."""

from dataclasses import replace

from tests.stores import make_pairs, make_store
from tripletlab.experiment.data import Data, _report, _summary
from tripletlab.faces.store_paths import Preparation
from tripletlab.photos.pairs import Pairs
from tripletlab.photos.tree import Tree


def test_people_who_are_only_on_the_map_are_not_counted_among_those_of_the_pairs():
    store = make_pairs(people=5, photos=2)
    pairs = store.pairs
    kept = (pairs.first < 8) & (pairs.second < 8)  # without the last person
    fewer = Pairs(*(one[kept] for one in (pairs.first, pairs.second, pairs.matched, pairs.fold)))
    said = _summary(Data(make_store(entries=6, photos=2), replace(store, pairs=fewer)))
    assert said.endswith("blobs: 7 pairs of 4 people")


def test_a_folder_called_photos_is_named_once():
    faces = replace(make_store(entries=6, photos=2), title="photos: photos")
    said = _summary(Data(faces, make_pairs(people=5, photos=2)))
    assert said.startswith("photos: 12 faces, ")


def test_the_example_of_a_rejected_photo_is_printed_in_full(tmp_path, capsys):
    name = "tree/Somebody/" + 100 * "a" + "z.jpg"
    rejected = {"not a photo, damaged, or too large": {"photos": 1, "such_as": [name]}}
    notes = {"photos": 11, "rejected": rejected}
    pairs = replace(make_pairs(people=4, photos=2), notes=notes)
    (tmp_path / "tree" / "Somebody").mkdir(parents=True)
    trees = (Tree("tree", (tmp_path / "tree",), cropped=False),)
    _report(pairs, Preparation(tmp_path / "pairs.h5", reused=False), trees)
    cells = [
        line.split("│")[4].strip() for line in capsys.readouterr().err.splitlines() if "│" in line
    ]
    assert "".join(cells) == name
