"""Overrides as a person writes them, and as Hydra reads them."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripletlab.config.overrides import (
    LONGEST,
    allow_only,
    key_of,
    of_nouns,
    override,
    parsed,
    readable,
    split_words,
)
from tripletlab.errors import InputError

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=20),
    st.sampled_from(
        ["null", "TRUE", "False", "nan", "-inf", "-1", ".5", "1e3", "./a", "-x", "/inf"]
    ),
)


def test_words_are_names_or_overrides_in_their_order():
    words = ["champion", "flip=true", "runs:/1", "data=/a=b", "="]
    assert split_words(words) == (["champion", "runs:/1"], ["flip=true", "data=/a=b", "="])
    assert split_words([]) == ([], [])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("faces.size=64", "faces.size"),
        ("faces/aligner=eyes", "faces/aligner"),
        ("data=a=b", "data"),
        ("+experiment=paper", "+experiment"),
        ("margin", "margin"),
    ],
)
def test_the_key_is_what_stands_before_the_first_sign(text, key):
    assert key_of(text) == key


def test_a_noun_has_its_choice_its_leaves_and_its_groups():
    given = [
        "faces=paper",
        "faces.size=64",
        "faces/aligner=eyes",
        "face=1",
        "facesize=2",
        "x=faces",
    ]
    assert of_nouns(given, ["faces"]) == given[:3]
    assert of_nouns(given, []) == []


def test_what_a_command_does_not_read_is_named_with_what_it_does():
    allow_only([], ["data"], command="report")
    with pytest.raises(InputError) as refused:
        allow_only(["data=x", "database=y"], {"tracking", "data"}, command="report")
    assert str(refused.value) == (
        "database=y: it has no effect on tripletlab report, which reads data, tracking alone"
    )


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("margin=0.4", "margin", 0.4),
        ("margin=4e-1", "margin", 0.4),
        ("fit.epochs=3", "fit.epochs", 3),
        ("flip=True", "flip", True),
        ("checkpoint=null", "checkpoint", None),
        ("miner=hard", "miner", "hard"),
        ("axes.margin=[0.2,0.4]", "axes.margin", [0.2, 0.4]),
        ("axes.miner=[hard, semihard]", "axes.miner", ["hard", "semihard"]),
        ("x={a: 1, b: [2]}", "x", {"a": 1, "b": [2]}),
        ("x='0.4'", "x", "0.4"),
        ("data=", "data", ""),
        ("x=[a b,'c,d',(e]", "x", ["a b", "c,d", "(e"]),
        ("x=[/p/фото,顔]", "x", ["/p/фото", "顔"]),
        ("x=[]", "x", []),
    ],
)
def test_values_have_the_type_that_they_are_written_with(text, key, value):
    read = parsed(text)
    assert read == (key, value)
    assert type(read[1]) is type(value)


@settings(max_examples=100, deadline=None)
@given(value=st.one_of(PLAIN, st.lists(PLAIN, max_size=4)))
def test_what_is_written_is_read_back(value):
    key, read = parsed(override("some.key", value))
    assert key == "some.key"
    assert read == value
    if not isinstance(value, list):
        assert type(read) is type(value)


@settings(max_examples=100, deadline=None)
@given(text=st.text(min_size=1, max_size=25))
def test_what_can_be_read_stays_as_it_is_when_it_is_read_again(text):
    with contextlib.suppress(InputError):  # several values
        once = readable(f"data={text}")
        assert readable(once) == once


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("margin", "'margin' is not an override: write key=value, such as margin=0.4"),
        ("", "'' is not an override"),
        ("=0.4", "'=0.4' is not an override"),
        ("a b=1", "a b: not a key"),
        ("~miner=hard", "~miner: not a key"),
        ("++miner=hard", "++miner: not a key"),
        ("1st=2", "1st: not a key"),
        (f"data={'x' * LONGEST}", "data: an override of 10,005 characters is too long"),
        (f"{'k' * LONGEST}=1", f"{'k' * 80}: an override of"),
        (f"x={'[' * 101}", "x=…: more than 100 brackets in one override"),
        (
            "miner=hard,semihard",
            "miner=hard,semihard: several values make a sweep: tripletlab sweep"
            " 'axes.miner=[hard,semihard]'; text with a comma needs quotes:"
            " miner=\"'hard,semihard'\"",
        ),
        ("seed=range(3)", "seed=range(3): several values make a sweep"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_override_is_one_sentence(text, says):
    with pytest.raises(InputError, match=f"^{re.escape(says)}") as refused:
        readable(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_the_advice_for_text_with_a_comma_works():
    assert parsed("title='hard,semihard'") == ("title", "hard,semihard")
    assert parsed("axes.miner=[hard,semihard]") == ("axes.miner", ["hard", "semihard"])
