"""YAML from elsewhere: within bounds it is what the loader makes of it, beyond them one line."""

from itertools import pairwise

import pytest
import yaml

from tripletlab.config.yaml_files import DEEPEST, LARGEST, MOST, read_yaml
from tripletlab.errors import InputError


def read(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_yaml(path, yaml.safe_load)


def nested(depth):
    return "a: " + "[" * depth + "]" * depth


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in pairwise("abcdefghijkl")
)


@pytest.mark.parametrize("text", ["a: 1", "a: &x [1, 2]\nb: *x", "\ufeffa: é", nested(40), "{}"])
def test_within_bounds_it_is_what_the_loader_makes_of_it(tmp_path, text):
    assert read(tmp_path, text) == yaml.safe_load(text)


def test_the_bounds_themselves_are_within(tmp_path):
    for content in (
        nested(DEEPEST - 1),
        "a: [" + "1," * (MOST - 3) + "]",
        "a: " + "x" * (LARGEST - 3),
    ):
        assert read(tmp_path, content).keys() == {"a"}


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (nested(DEEPEST), "inside one another"),
        (nested(100_000), "inside one another"),
        ("a: [" + "1," * (MOST - 2) + "]", "more than 20,000"),
        ("a: " + "x" * (LARGEST - 2), "too many"),
        (LAUGHS, "aliases counted in full"),
        ("a: &a [*a]", "stands inside"),
        ("a: *b", "not YAML"),
        ("", "names and values"),
        ("[1]", "names and values"),
        ("3", "names and values"),
        ("1: 2", "names and values"),
        ("a: !!python/object/apply:os.system [touch ran]", "not YAML"),
        ("a: " + "9" * 5000, "not YAML"),
        ("a: 1\n---\nb: 1", "not YAML"),
        (b"a: \xe9", "not YAML"),
        (bytes(20), "not YAML"),
    ],
    ids=range(16),
)
def test_beyond_them_it_is_one_line(tmp_path, content, hint):
    with pytest.raises(InputError, match=hint) as refused:
        read(tmp_path, content)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.yaml: cannot be read"):
        read_yaml(tmp_path / "none.yaml", yaml.safe_load)
