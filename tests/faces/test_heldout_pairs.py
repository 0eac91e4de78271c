from dataclasses import replace

import numpy as np
import pytest

from tripletlab.errors import InputError
from tripletlab.faces.heldout_pairs import heldout_pairs
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.splits import split_names
from tripletlab.faces.store import HELDOUT, TRAIN, FaceStore, PairStore
from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.pairs import draw_pairs
from tripletlab.photos.sources import Heldout, TrainingPhotos
from tripletlab.photos.tree import Tree

HELD = Heldout(fraction=0.6, folds=2, per_fold=12, seed=3)


def prepared(tmp_path, recipe, held):
    """The faces of the trees `one` and `two`."""
    trees = tuple(Tree(name, (tmp_path / name,), cropped=True) for name in ("one", "two"))
    made = prepare_faces(
        TrainingPhotos("two trees", trees),
        replace(recipe, validation_fraction=0.01),
        hygiene=Hygiene(exclude=[], shared="allow"),
        verification_people={},
        heldout=held,
        settings={},
        folder=tmp_path / "data",
        fresh=False,
    )
    return made.path


@pytest.fixture
def faces(tmp_path, grow, recipe):
    """Two trees; Ann to Hal are in both, with more faces in the first for some of them."""
    grow("one", dict.fromkeys(("Ann", "Ben", "Cem", "Dan", "Eva", "Fay", "Gil", "Hal"), 5))
    grow("two", dict.fromkeys(("Ann", "Ben", "Cem", "Dan", "Ida", "Jon", "Kim", "Lea"), 4))
    return prepared(tmp_path, recipe, HELD)


def test_heldout_pairs_are_of_heldout_people_only(faces):
    store = FaceStore.open(faces)
    pairs = PairStore.open(heldout_pairs(store, HELD, beside=faces, fresh=False).path)
    held = {n for n, s in zip(store.names, store.split, strict=True) if s == HELDOUT}
    assert set(pairs.names) == held
    for row, source in enumerate(pairs.sources):
        np.testing.assert_array_equal(pairs.images[row], store.images[store.sources.index(source)])
    assert not pairs.fallback.any()


def test_heldout_folds_share_no_person(faces):
    store = FaceStore.open(faces)
    held = PairStore.open(heldout_pairs(store, HELD, beside=faces, fresh=False).path)
    names, drawn = np.array(held.names), held.pairs
    people = [
        set(names[drawn.first[drawn.fold == fold]]) | set(names[drawn.second[drawn.fold == fold]])
        for fold in range(2)
    ]
    assert people[0]
    assert people[1]
    assert not people[0] & people[1]
    assert np.array_equal(names[drawn.first] == names[drawn.second], drawn.matched)
    for fold in range(2):
        assert drawn.matched[drawn.fold == fold].sum() == 12
        assert (~drawn.matched)[drawn.fold == fold].sum() == 12


def test_the_pairs_of_someone_in_two_trees_are_in_the_larger_one(faces):
    held = PairStore.open(
        heldout_pairs(FaceStore.open(faces), HELD, beside=faces, fresh=False).path
    )
    trees = {name: set() for name in held.names}
    for name, source in zip(held.names, held.sources, strict=True):
        trees[name].add(source.split("/")[0])
    assert all(len(found) == 1 for found in trees.values())
    assert all(trees[name] == {"one"} for name in ("Ann", "Ben", "Cem", "Dan") if name in trees)
    assert any(name in trees for name in ("Ann", "Ben", "Cem", "Dan"))


def test_two_spellings_of_a_heldout_name_are_in_no_two_folds(grow, tmp_path, recipe):
    names = ("Ann", "Ben", "Cem", "Dan", "Eva", "Fay", "Gil", "Hal")
    grow("one", dict.fromkeys(names, 5))
    grow("two", {name.lower(): 4 for name in names})
    few = replace(HELD, fraction=0.5)
    path = prepared(tmp_path, recipe, few)
    store = FaceStore.open(path)
    pairs = PairStore.open(heldout_pairs(store, few, beside=path, fresh=False).path)
    held = {n for n, s in zip(store.names, store.split, strict=True) if s == HELDOUT}
    assert held == set(pairs.names) | {name.lower() for name in pairs.names}
    assert len(set(pairs.names)) == 4


def test_heldout_map_has_the_people_with_the_most_faces(faces):
    held = PairStore.open(
        heldout_pairs(FaceStore.open(faces), HELD, beside=faces, fresh=False).path
    )
    counts = [held.names.count(held.names[row]) for row in held.map_rows]
    assert len(set(held.map_rows.tolist())) == len(held.images) == len(counts)
    assert counts == sorted(counts, reverse=True)


def test_heldout_pairs_are_used_again(faces):
    store = FaceStore.open(faces)
    first = heldout_pairs(store, HELD, beside=faces, fresh=False)
    again = heldout_pairs(store, HELD, beside=faces, fresh=False)
    other = heldout_pairs(store, replace(HELD, seed=4), beside=faces, fresh=False)
    assert (first.reused, again.reused, other.reused) == (False, True, False)
    assert first.path == again.path != other.path


def test_too_many_folds_for_the_heldout_people_are_fewer_and_it_is_said(faces, capsys):
    store = FaceStore.open(faces)
    made = heldout_pairs(store, replace(HELD, folds=10), beside=faces, fresh=False)
    held = PairStore.open(made.path)
    people = len(set(held.names))
    folds = len(set(held.pairs.fold.tolist()))
    assert 2 <= folds <= people // 2 < 10
    said = f"{people} people are held out, too few for verification.folds=10: the pairs are in"
    assert f"{said} {folds} folds" in " ".join(capsys.readouterr().err.split())
    heldout_pairs(store, HELD, beside=faces, fresh=False)
    assert "folds" not in capsys.readouterr().err


@pytest.mark.parametrize("sizes", [[8], [20], [95], [10, 10], [7, 7, 6], [4, 4, 4]])
def test_few_people_fill_two_folds_whatever_the_seed(recipe, sizes):
    names = [f"{tree} {number}" for tree, size in enumerate(sizes) for number in range(size)]
    trees = np.repeat(np.arange(len(sizes)), sizes)
    for seed in range(40):
        chosen = replace(recipe, seed=seed, validation_fraction=0.15)
        split = split_names(
            names,
            trees.tolist(),
            chosen,
            faces=[3] * len(names),
            heldout=replace(HELD, fraction=0.2),
        )
        held = [tree for name, tree in zip(names, trees, strict=True) if split[name] == HELDOUT]
        faces = np.arange(3 * len(held)).reshape(-1, 3)
        drawn = draw_pairs(faces, np.array(held), folds=2, per_fold=5, seed=seed)
        assert set(drawn.fold) == {0, 1}
        assert list(split.values()).count(TRAIN) >= 2


@pytest.mark.parametrize(("own", "shared"), [(0, 12), (6, 6), (12, 2)])
def test_people_of_two_trees_fill_two_folds_whatever_the_seed(recipe, own, shared):
    """Their pairs are of the tree with more faces: each of two trees needs two of them, or none."""
    both = [f"both {number}" for number in range(shared)]
    first, second = ([f"{tree} {number}" for number in range(own)] for tree in "ab")
    names = [*both, *first, *both, *second]
    trees = [0] * (shared + own) + [1] * (shared + own)
    for seed in range(40):
        chosen = replace(recipe, seed=seed, validation_fraction=0.15)
        faces = np.random.default_rng(seed).integers(3, 9, len(names)).tolist()
        split = split_names(names, trees, chosen, faces=faces, heldout=replace(HELD, fraction=0.2))
        largest = {}
        for _, tree, name in sorted(zip(faces, [-tree for tree in trees], names, strict=True)):
            largest[name] = -tree
        held = np.array([tree for name, tree in largest.items() if split[name] == HELDOUT])
        draw_pairs(np.arange(3 * len(held)).reshape(-1, 3), held, folds=2, per_fold=5, seed=seed)


def test_too_few_heldout_people_for_two_folds_are_refused(faces):
    store = FaceStore.open(faces)
    held = np.flatnonzero(store.split == HELDOUT)
    split = store.split.copy()
    split[held[3:]] = TRAIN
    with pytest.raises(InputError, match="cannot fill 2 folds"):
        heldout_pairs(replace(store, split=split), HELD, beside=faces, fresh=False)
