"""What README and docs point at is there."""

import contextlib
import re
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "mlruns/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = [str(page.relative_to(ROOT)) for page in PAGES]
BLOCK = re.compile(r"^ *```.*?^ *```$", re.M | re.S)
KINDS = "conf|sweeps|benchmarks|examples|tests|tools|docs"


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_links_and_files_are_there(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    files = re.findall(rf"\b((?:{KINDS})/[\w/]+\.\w+)", text)
    places = [page.parent / one for one in links] + [ROOT / one for one in files]
    assert [place for place in places if not place.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_links_to_a_heading_find_it(page):
    links = re.findall(r"\]\(\s*([^):#]*)#([^)]+)\)", page.read_text())
    lost = [
        f"{to}#{anchor}"
        for to, anchor in links
        if anchor not in _anchors(page.parent / to if to else page)
    ]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_names_of_code_are_names(page):
    assert [name for name in _names(page) if not _is_there(f"tripletlab.{name}")] == []


def test_names_are_found_and_what_is_not_there_is_noticed():
    assert "evaluation.protocol" in _names(ROOT / "README.md")
    assert len(_names(ROOT / "docs" / "paper.md")) > 10
    assert _is_there("tripletlab.evaluation.protocol.evaluate")
    for wrong in ("evaluation.nothing", "evaluation.protocol.nothing", "nothing.protocol"):
        assert not _is_there(f"tripletlab.{wrong}")


def test_a_heading_has_the_anchor_that_a_reader_of_markdown_gives_it():
    assert "what-make-sweep-does" in _anchors(ROOT / "README.md")
    assert "cleaning-facescleaned" in _anchors(ROOT / "docs" / "preparation.md")


def _anchors(page):
    """Of its headings: small letters, without punctuation, a hyphen for each blank."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


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
