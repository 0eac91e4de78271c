import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab.errors import InputError
from tripletlab.photos.pairs import draw_pairs, read_pairs_files, read_pairs_txt, write_pairs_txt

PAIRS_TXT = "2\t1\nAnn\t1\t2\nAnn\t3\tBob\t1\nCid\t1\t4\nDee\t1\tEve\t2\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "pairs.txt"
        path.write_text(text)
        return path

    return write


def test_what_is_read_is_written_again(written, tmp_path):
    pairs = read_pairs_txt(written(PAIRS_TXT))
    assert [pair.matched for pair in pairs] == [True, False, True, False]
    assert [pair.fold for pair in pairs] == [0, 0, 1, 1]
    write_pairs_txt(tmp_path / "again.txt", pairs, folds=2)
    assert (tmp_path / "again.txt").read_text() == PAIRS_TXT


def test_a_header_of_one_number_is_one_fold(written):
    pairs = read_pairs_txt(written("1\nAnn\t1\t2\nAnn\t3\tBob\t1\n"))
    assert [pair.fold for pair in pairs] == [0, 0]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "line 1"),
        ("ten\t300\n", "line 1: .* the number of matched pairs in each"),
        ("9" * 5000 + "\t300\n", "line 1"),
        ("1\t1\n" + "Ann" * 1_000_000 + "\n\n", "1 pairs"),
        ("1\t1\n" + "Ann" * 1_000_000 + "\nB\t1\tC\t2\n", "line 2"),
        (PAIRS_TXT.replace("Ann\t1\t2", "Ann\t1\t" + "9" * 5000), "line 2"),
        (PAIRS_TXT.replace("Ann\t1\t2", "Ann\t1"), "line 2"),
        (PAIRS_TXT.replace("Eve\t2", "Eve\ttwo"), "line 5"),
        (PAIRS_TXT.replace("Eve\t2", "Eve\ttwo").replace("\nCid", "\n\n \nCid"), "line 7"),
        (PAIRS_TXT.replace("Dee\t1\tEve\t2\n", ""), r"3 pairs, .* 2 × \(1 matched \+ 1 mismat"),
        (PAIRS_TXT.replace("Ann\t1\t2\n", "Ann\t3\tBob\t1\n"), r"line 2: .*matched pairs .* first"),
        (PAIRS_TXT.replace("Eve\t2", "Dee\t2"), "line 5: Dee twice in a mismatched pair"),
        (PAIRS_TXT.replace("Cid\t1\t4", "Cid\t4\t04"), "line 4: photo 4 of Cid twice; name two"),
        (PAIRS_TXT.replace("\t", " "), "line 1"),
    ],
)
def test_a_malformed_file_names_the_line(text, hint, written):
    with pytest.raises(InputError, match=hint) as error:
        read_pairs_txt(written(text))
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("header", "hint"), [(None, r"verification\.pairs=\[\]"), ("10\t0", "txt")]
)
def test_no_pairs_are_an_error(header, hint, written):
    with pytest.raises(InputError, match=f"{hint}: no pairs"):
        read_pairs_files([written(header)] if header else [])


def test_a_byte_order_mark_and_blanks_at_the_end_mean_nothing(written):
    plain = read_pairs_txt(written(PAIRS_TXT))
    spaced = "\ufeff" + PAIRS_TXT.replace("\n", " \t \r\n") + "  \n"
    assert read_pairs_txt(written(spaced)) == plain


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 6), min_size=12, max_size=30),
    trees=st.integers(1, 8),
    folds=st.integers(1, 3),
    per_fold=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_drawn_pairs(sizes, trees, folds, per_fold, seed):
    groups = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    tree = np.random.default_rng(seed).integers(0, trees, len(sizes))
    usable = np.bincount(tree[np.array(sizes) >= 2], minlength=trees)
    if (usable // 2).sum() < folds:  # two people of one tree for each
        with pytest.raises(InputError, match="cannot fill"):
            draw_pairs(groups, tree, folds=folds, per_fold=per_fold, seed=seed)
        return
    pairs = draw_pairs(groups, tree, folds=folds, per_fold=per_fold, seed=seed)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    one, other = owner[pairs.first], owner[pairs.second]
    np.testing.assert_array_equal(one == other, pairs.matched)
    assert (tree[one] == tree[other]).all()
    assert len({*zip(pairs.first, pairs.second, strict=True)}) == len(pairs.first)
    assert (pairs.first != pairs.second).all()
    people = [set(one[pairs.fold == k]) | set(other[pairs.fold == k]) for k in range(folds)]
    assert sum(map(len, people)) == len(set.union(*people))
    for k in range(folds):
        matched = pairs.matched[pairs.fold == k]
        assert 0 < matched.sum() <= per_fold
        assert 0 < (~matched).sum() <= matched.sum()
    again = draw_pairs(groups, tree, folds=folds, per_fold=per_fold, seed=seed)
    np.testing.assert_array_equal(pairs.first, again.first)


def test_as_many_of_each_kind_as_asked_where_there_are_enough():
    groups = np.split(np.arange(400), 40)
    pairs = draw_pairs(groups, np.zeros(40, int), folds=5, per_fold=30, seed=1)
    for k in range(5):
        assert np.bincount(pairs.matched[pairs.fold == k]).tolist() == [30, 30]


def test_too_few_people():
    with pytest.raises(InputError, match="at least 6 are needed"):
        draw_pairs([np.arange(3)] * 5, np.zeros(5, int), folds=3, per_fold=3, seed=1)


def test_whoever_is_alone_in_a_tree_is_in_no_pair():
    """A negative for them would have to come from another tree."""
    pairs = draw_pairs(
        np.split(np.arange(30), 6), np.array([0, 0, 1, 2, 2, 3]), folds=1, per_fold=40, seed=0
    )
    people = {int(face) // 5 for face in [*pairs.first, *pairs.second]}
    assert people == {0, 1, 3, 4}


def test_trees_of_two_fill_as_many_folds():
    groups, trees = np.split(np.arange(60), 20), np.repeat(np.arange(10), 2)
    pairs = draw_pairs(groups, trees, folds=10, per_fold=3, seed=0)
    assert np.bincount(pairs.fold[~pairs.matched], minlength=10).tolist() == [3] * 10
    with pytest.raises(InputError, match=r"20 people in 20 trees cannot fill 1 folds"):
        draw_pairs(groups, np.arange(20), folds=1, per_fold=3, seed=0)


def test_memory_does_not_grow_with_the_square_of_the_people():
    groups = [np.arange(2 * person, 2 * person + 2) for person in range(2000)]
    tracemalloc.start()
    draw_pairs(groups, np.zeros(2000, np.int64), folds=1, per_fold=10, seed=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22  # a number of eight bytes for every two people would be seven times that
