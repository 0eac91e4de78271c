"""Every command in a plain code block of README.md and docs/*.md is one that exists."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from tripletlab.cli import app
from tripletlab.config import compose

ROOT = Path(__file__).parents[1]
CLI = typer.main.get_command(app)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPOSED = {"train", "prepare"}  # the others need a run, a file or a search space


def commands() -> list[tuple[str, list[str]]]:
    """The page and the words of each `make`, `tripletlab` and `python FILE` command."""
    found = []
    for page in PAGES:
        for kind, block in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.M | re.S):
            if kind not in {"", "sh", "bash"}:
                continue
            for line in block.replace("\\\n", " ").splitlines():
                if re.match(r"(\.venv/bin/)?(make|tripletlab|python)\s", line):
                    found.append((page.name, shlex.split(line, comments=True)))
    return found


DOCUMENTED = commands()


def _check_tripletlab(words: list[str]) -> None:
    _, command, rest = CLI.resolve_command(context := CLI.make_context("tripletlab", words), words)
    assert command
    if "--help" in rest:  # ends the parsing
        return
    parsed = command.make_context(command.name, rest, parent=context)
    if command.name in COMPOSED and not context.params["config_dir"]:  # the reader's own folder
        overrides = [word for word in parsed.params["overrides"] or [] if "=" in word]
        compose(command.name, overrides)


def test_the_pages_hold_commands() -> None:
    assert len(DOCUMENTED) > 40
    assert {page for page, _ in DOCUMENTED} >= {"README.md", "sweeps.md"}


@pytest.mark.parametrize(
    ("page", "words"), DOCUMENTED, ids=[f"{page}: {' '.join(words)}" for page, words in DOCUMENTED]
)
def test_a_documented_command_exists(page: str, words: list[str]) -> None:
    program, *rest = words
    if program == "make":
        targets = {word for word in rest if "=" not in word and not word.startswith("-")}
        declared = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert targets <= set(declared)
    elif program.endswith("tripletlab"):
        _check_tripletlab(rest)
    elif rest[0].endswith(".py"):
        ast.parse((ROOT / rest[0]).read_text())
