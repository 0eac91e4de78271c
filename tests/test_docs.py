"""What README and docs point at is there."""

import contextlib
import re
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
KINDS = "conf|sweeps|benchmarks|examples|tests|tools|docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_are_there(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    files = re.findall(rf"\b((?:{KINDS})/[\w/]+\.\w+)", text)
    places = [page.parent / one for one in links] + [ROOT / one for one in files]
    assert [place for place in places if not place.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_code_are_names(page):
    assert [name for name in _names(page) if not _is_there(f"tripletlab.{name}")] == []


def test_names_are_found_and_what_is_not_there_is_noticed():
    assert "evaluation.protocol" in _names(ROOT / "README.md")
    assert len(_names(ROOT / "docs" / "paper.md")) > 10
    assert _is_there("tripletlab.evaluation.protocol.evaluate")
    for wrong in ("evaluation.nothing", "evaluation.protocol.nothing", "nothing.protocol"):
        assert not _is_there(f"tripletlab.{wrong}")


def _names(page):
    """They begin with the package, except in paper.md, which says that it leaves that out."""
    rooms = "|".join(one.stem for one in (ROOT / "src" / "tripletlab").iterdir() if one.is_dir())
    start = "" if page.name == "paper.md" else r"tripletlab\."
    return re.findall(rf"`{start}((?:{rooms})\.\w+(?:\.\w+)*)`", page.read_text())


def _is_there(name):
    """A module, or what a module has."""
    with contextlib.suppress(ModuleNotFoundError):  # "not a package": its last part is no module
        return find_spec(name) is not None
    try:
        return resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False
