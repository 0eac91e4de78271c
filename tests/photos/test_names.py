import pytest

from tripletlab.photos.names import normalised, numbered, spelled_differently


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Aaron_Eckhart", "aaron eckhart"),
        ("Zoë_Kravitz", "ZOE KRAVITZ"),
        ("Zoe\u0308 Kravitz", "Zo\u00eb Kravitz"),
        ("O'Neal", "ONeal"),
        ("Strauß", "STRAUSS"),
    ],
)
def test_names_are_the_same_in_any_spelling(one, other):
    assert normalised(one) == normalised(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "Anna"), ("कि", "के"), ("がく", "かく"), ("n000001", "n000002")]
)
def test_other_letters_are_other_names(one, other):
    assert normalised(one) != normalised(other)


def test_numbers_and_series_name_nobody():
    series = {"n000001", "n000002", "0017", "person_1", "person_2", "??"}
    names = {"Ann", "14th_Dalai_Lama", "王", "John Paul 2"}
    assert numbered(series | names) == series


def test_two_spellings_are_found():
    assert spelled_differently(["Ann", "Bob", "ann", "Zo\u00eb", "Zoe\u0308", "??", "!!"]) == [
        ["Ann", "ann"],
        ["Zoe\u0308", "Zo\u00eb"],
    ]
