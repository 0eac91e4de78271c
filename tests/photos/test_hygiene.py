import pytest

from tripletlab.errors import InputError
from tripletlab.photos.hygiene import LISTED, SHARED, Hygiene

PEOPLE = {"n000001": "Aaron_Eckhart", "n000002": "Zoë Kravitz", "n000003": "N. Nobody"}


@pytest.fixture
def listing(tmp_path):
    def write(text):
        (tmp_path / "list.txt").write_text(text)
        return [str(tmp_path / "list.txt")]

    return write


def test_names_without_letters_are_nobodys():
    reasons, shared = Hygiene(exclude=[], shared="refuse").left_out({"??": "??"}, ["!!"])
    assert (reasons, shared) == ({}, [])


def test_folders_and_names_can_be_listed_but_photos_are_no_people(listing):
    hygiene = Hygiene(exclude=listing("n000003\nzoe kravitz\ntree/n000001/1.jpg\n"), shared="allow")
    assert hygiene.left_out(PEOPLE, []) == ({"n000003": LISTED, "n000002": LISTED}, [])
    assert hygiene.photos() == {"tree/n000001/1.jpg"}


def test_a_number_sign_within_a_name_begins_no_comment(listing):
    photos = "t/n1/IMG#1.jpg\nt/n1/b #2.jpg  # 0.91 from Bo\n"
    text = f"# who left\n  #moved\nn000003  # left\n{photos}Bo #\n"
    hygiene = Hygiene(exclude=listing(text), shared="allow")
    assert hygiene.photos() == {"t/n1/IMG#1.jpg", "t/n1/b #2.jpg"}
    assert hygiene.unmatched({}, []) == ["n000003", "t/n1/IMG#1.jpg", "t/n1/b #2.jpg", "Bo"]


def test_lines_that_match_nobody_and_no_photo_are_found(listing):
    hygiene = Hygiene(
        exclude=listing("n000003\nzoe kravitz\nZoe\nt/n000001/1.jpg\nt/n000001\n"), shared="allow"
    )
    assert hygiene.unmatched(PEOPLE, ["t/n000001/1.jpg"]) == ["Zoe", "t/n000001"]


def test_shared_people_are_refused_left_out_or_allowed(listing):
    tested = ["Aaron_Eckhart", "Zoe_Kravitz", "Someone"]
    with pytest.raises(InputError, match=r"2 people .* \(Aaron_Eckhart, Zoë Kravitz\):"):
        Hygiene(exclude=[], shared="refuse").left_out(PEOPLE, tested)
    many = {name: name for name in ("Ann", "Bob", "Cid", "Dee")}
    with pytest.raises(InputError, match=r"4 people .* \(Ann, Bob, Cid, …\):"):
        Hygiene(exclude=[], shared="refuse").left_out(many, many)
    both = ["n000001", "n000002"]
    left_out = dict.fromkeys(both, SHARED)
    assert Hygiene(exclude=[], shared="exclude").left_out(PEOPLE, tested) == (left_out, both)
    assert Hygiene(exclude=[], shared="allow").left_out(PEOPLE, tested) == ({}, both)
    listed = Hygiene(exclude=listing("n000001\nn000002"), shared="refuse")
    assert listed.left_out(PEOPLE, tested) == (dict.fromkeys(both, LISTED), [])


def test_a_list_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"hygiene.exclude: .*nowhere") as error:
        Hygiene(exclude=[str(tmp_path / "nowhere")], shared="refuse")
    assert "\n" not in str(error.value)
