"""The files of conf/, one's own beside them, and which code is one's own."""

import sys

import pytest

from tripletlab.config import files, own_code
from tripletlab.errors import InputError


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A conf folder of one's own, forgotten when the test ends."""
    monkeypatch.setattr(files, "_own", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "conf" / "miner").mkdir(parents=True)
    (tmp_path / "conf" / "miner" / "mine.yaml").write_text("# of my own\n_target_: my_own_lab.f\n")
    files.use(tmp_path / "conf")
    yield tmp_path
    files.targets.cache_clear()


def test_ones_own_code_is_what_was_imported_from_beside_the_folder(mine, monkeypatch):
    (mine / "my_own_lab.py").write_text("f = 1\n")
    (mine / "my_other_lab.py").write_text("g = 1\n")  # never imported
    for name in ("my_package", "my_package/inner"):
        (mine / name).mkdir()
        (mine / name / "__init__.py").touch()
    (mine / "my_package" / "inner" / "deep.py").touch()
    assert own_code() == []
    import_module = __import__("importlib").import_module
    for name in ("my_own_lab", "my_package.inner.deep"):
        import_module(name)
    found = {str(path.relative_to(mine)) for path in own_code()}
    assert found == {
        "my_own_lab.py",
        "my_package/__init__.py",
        "my_package/inner/__init__.py",
        "my_package/inner/deep.py",
    }
    for name in [name for name in sys.modules if name.startswith("my_")]:
        monkeypatch.delitem(sys.modules, name)


def test_without_a_folder_of_ones_own_no_code_is(monkeypatch):
    monkeypatch.setattr(files, "_own", [])
    assert own_code() == []


def test_choices_of_ones_own_stand_beside_the_others(mine):
    assert "mine" in files.choices_of("miner")
    assert "semihard" in files.choices_of("miner")
    assert files.groups()["miner"]["mine"] == "of my own"
    assert "my_own_lab.f" in files.targets()


@pytest.mark.parametrize(
    "text",
    [
        "_target_: my_own_lab.g",
        '_target_: "my_own_lab.g"  # quoted',
        "'_target_' : 'my_own_lab.g'",
        "one: {_target_: my_own_lab.g, share: 1}",
    ],
)
def test_a_callable_may_be_named_in_quotes_or_braces(text, mine):
    (mine / "conf" / "miner" / "mine.yaml").write_text(f"{text}\n")
    files.targets.cache_clear()
    assert "my_own_lab.g" in files.targets()
    assert "my_own_lab.f" not in files.targets()


def test_a_choice_of_ones_own_replaces_the_one_of_that_name(mine):
    (mine / "conf" / "miner" / "hard.yaml").write_text("# my hard\n_target_: my_own_lab.hard\n")
    assert files.groups()["miner"]["hard"] == "my hard"
    assert files.choices_of("miner").count("hard") == 1


def test_a_file_without_a_comment_is_described_by_nothing(mine):
    path = mine / "conf" / "miner" / "mine.yaml"
    for text, about in (
        ("# @package x\n# said\na: 1\n", "said"),
        ("a: 1\n# later\n", ""),
        ("", ""),
    ):
        path.write_text(text)
        assert files.first_comment(path) == about


def test_no_such_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        files.use(tmp_path / "nowhere")


def test_what_is_no_noun_has_no_choices():
    assert files.choices_of("") == []
    assert files.choices_of("margin") == []
    assert files.choices_of("faces/aligner")


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", "\x00", "a: &a [*a]", "- a"])
def test_own_yaml_that_cannot_be_read_names_the_file(text, tmp_path):
    (tmp_path / "conf" / "miner").mkdir(parents=True)
    (tmp_path / "conf" / "miner" / "own.yaml").write_text(text)
    with pytest.raises(InputError, match=r"^[^\n]*own\.yaml: [^\n]*$"):
        files.use(tmp_path / "conf")
