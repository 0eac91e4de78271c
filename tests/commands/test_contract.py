"""A command is its options and the few lines that call the rooms; what it does stands there."""

import ast
from pathlib import Path

import pytest

from tripletlab.cli import main

FOLDER = Path(__file__).parents[2] / "src" / "tripletlab" / "commands"
SHARED = {"__init__", "help", "options"}
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in SHARED)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_no_logic_of_its_own(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.For | ast.While | ast.ClassDef)]
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        assert len(function.body) <= 9, f"{function.name} does more than it should"
        assert ast.get_docstring(function)


def test_every_command_is_in_the_help(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in shown] == []
