"""What is read of studies in a real SQLite file."""

import pytest

from tests.sweeping.studies import finish, open_study
from tripletlab.errors import InputError
from tripletlab.sweeping.study import Study


def test_notes_stay_with_the_study(tmp_path):
    study = open_study(tmp_path)
    assert study.add_note("code", "1") is None
    assert open_study(tmp_path).add_note("code", "2") == "1"
    assert open_study(tmp_path).note("code") == "1"
    assert open_study(tmp_path, name="b").siblings("code", "1") == ["a"]
    assert open_study(tmp_path).siblings("code", "1") == []


def test_the_latest_study_is_the_one_that_began_last(tmp_path):
    study = open_study(tmp_path)
    finish(study, study.take())
    never = open_study(tmp_path, name="b")
    assert Study.find(study.storage, None).name == "a"
    assert Study.find(study.storage, "b").name == "b"
    study.delete_unless_begun()
    never.delete_unless_begun()
    with pytest.raises(InputError, match=r"there are a$"):
        Study.find(study.storage, "b")
