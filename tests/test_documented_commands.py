"""Every command of README.md and docs/ is one that exists, with words that it takes.

The shell takes the blocks apart, and make its variables: both find programs that only note their
words. What these words compose is then composed as the command would, and nothing is run.
"""

import ast
import functools
import re
import subprocess
from pathlib import Path

import pytest
import typer

from tripletlab import config
from tripletlab.cli import app
from tripletlab.commands.options import target_and_overrides, with_photos
from tripletlab.sweeping.plan import read_plan, space_path

ROOT = Path(__file__).parents[1]
CLI = typer.main.get_command(app)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAM = r"(?:\.venv/bin/)?(?:make|tripletlab|python)\s"
BLOCK = r"^ *```(\w*)\n(.*?)^ *```$"
FLAGS = re.M | re.S
SHELLS = {"", "sh", "bash"}
NOTE = '#!/bin/bash\nprintf "%s\\0" "${0##*/}" "$@" >> "$NOTES"; printf "\\n" >> "$NOTES"\n'
MAKE = NOTE + 'exec /usr/bin/make --no-print-directory -o .venv/ready -f "$MAKEFILE" "$@"\n'
STAND_INS = {"=N": "=9", "=NAME": "=resnet"}  # what the pages write where any will do


def snippets() -> list[tuple[str, str]]:
    """The page and the text of each shell block, and of each inline command with its words."""
    found = []
    for page in PAGES:
        text = page.read_text()
        blocks = [block for kind, block in re.findall(BLOCK, text, FLAGS) if kind in SHELLS]
        inline = re.findall(rf"`({PROGRAM}[^`]+)`", re.sub(BLOCK, "", text, flags=FLAGS))
        lines = [one.replace("\n", " ") for one in inline if "[key=value" not in one]
        found += [(page.name, one) for one in [*blocks, *lines]]
    return [(page, text) for page, text in found if re.search(rf"^ *{PROGRAM}", text, re.M)]


SNIPPETS = snippets()


@pytest.fixture(scope="session")
def words_of(tmp_path_factory):
    """What a snippet has the programs called with, as the shell and make hand it over."""
    folder = tmp_path_factory.mktemp("shell")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("tripletlab", "python", "ruff", "mypy", "lint-imports"):
        (programs / name).write_text(NOTE)
    (programs / "make").write_text(MAKE)
    for program in programs.iterdir():
        program.chmod(0o755)
    notes = folder / "notes"
    env = {"NOTES": str(notes), "MAKEFILE": str(ROOT / "Makefile"), "HOME": "/home/me"}

    def read(text):
        for written, meant in STAND_INS.items():
            text = re.sub(rf"{written}\b", meant, text.replace("…", ""))
        notes.write_text("")
        done = subprocess.run(
            ["/bin/bash", "-c", text],
            cwd=folder,
            env=env | {"PATH": str(programs)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not re.search(r"No rule to make|syntax error", done.stderr), done.stderr
        return [line.split("\0")[:-1] for line in notes.read_text().split("\n")[:-1]]

    return read


def _overrides(command: str, words: dict) -> list[str]:
    """The overrides of a command line; SystemExit or InputError where it does not take them."""
    if "cropped" in words:
        given = words.get("overrides" if "overrides" in words else "words")
        return with_photos(given, words["photos"], words["cropped"], words["lfw"])
    if command in {"evaluate", "identify", "suspects"}:
        return target_and_overrides(words["words"])[1]
    return config.split_words(words.get("overrides") or words.get("words") or [])[1]


def _compose(command: str, words: dict) -> None:
    overrides = _overrides(command, words)
    if command == "sweep":
        _plan(overrides)
    elif command in {"compare", "export"}:
        config.allow_only(overrides, ["data", "tracking"], command=command)
    elif command == "describe":
        config.allow_only(overrides, ["architecture", "faces", "dtype"], command=command)
        _composed("train", *overrides)
    elif command in {"prepare", "train", "evaluate", "identify", "suspects"}:
        root = {"identify": "evaluate", "suspects": "train"}.get(command, command)
        _composed(root, *overrides)
    else:
        assert not overrides


@functools.cache
def _composed(root: str, *overrides: str) -> None:
    config.compose(root, overrides)


def _plan(words: list[str]) -> None:
    if words and words[0] in {"list", "status", "best"}:
        assert len(words) <= 2
    elif words and words[0].endswith(".yaml") and not space_path(words[0]).is_file():
        _composed("sweep", *words[1:])  # the reader's own space
    else:
        plan = read_plan(words, training=False)
        for corner in plan.space.corners():  # those in sweeps/ have a test of their own
            given = {f"{kind}.{key}" for key in corner for kind in ("axes", "ablation")}
            if given & {config.key_of(word) for word in words}:
                plan.run_config(corner, None)


@functools.cache
def _check_tripletlab(*words: str) -> None:
    rest = [*words]
    _, command, rest = CLI.resolve_command(context := CLI.make_context("tripletlab", rest), rest)
    assert command
    if not rest or "--help" in rest:  # a command's name alone; --help ends the parsing
        return
    parsed = command.make_context(command.name, rest, parent=context)
    if not context.params["config_dir"]:  # the reader's own folder
        _compose(command.name, parsed.params)


def test_the_pages_hold_commands() -> None:
    assert len(SNIPPETS) > 60
    assert {page for page, _ in SNIPPETS} >= {"README.md", "sweeps.md", "real_faces.md"}


@pytest.mark.parametrize(
    ("page", "text"), SNIPPETS, ids=[f"{page}: {text.split('  ')[0]}" for page, text in SNIPPETS]
)
def test_a_documented_command_exists(page, text, words_of, monkeypatch) -> None:
    for variable in re.findall(r"\$\{oc\.env:(\w+)\}", text):
        monkeypatch.setenv(variable, "sqlite:///own.db")  # the reader's own
    called = words_of(text)
    assert len(called) >= len(re.findall(rf"^ *{PROGRAM}", text, re.M))  # none was lost
    for program, *rest in called:
        if program == "tripletlab":
            _check_tripletlab(*rest)
        elif program == "python" and rest[0].endswith(".py"):
            ast.parse((ROOT / rest[0]).read_text())


def test_the_shell_and_make_take_the_words_apart(words_of) -> None:
    """The reader above is no weaker than a shell: loops, quotes, folders with spaces, SET."""
    assert words_of("for one in a b; do\n  tripletlab train miner=$one \\\n    x='1 2'\ndone") == [
        ["tripletlab", "train", "miner=a", "x=1 2"],
        ["tripletlab", "train", "miner=b", "x=1 2"],
    ]
    _, made = words_of("make sweep SPACE=seeds PHOTOS=\"~/a 'more photos'\" SET='a=1 b=2'  # so")
    assert made == ["tripletlab", "sweep", "seeds", "--photos", "~/a 'more photos'", "a=1", "b=2"]
