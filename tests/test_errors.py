"""What is shown of texts from files."""

import re

import pytest

from tripletlab.cli import main
from tripletlab.errors import brief, printable
from tripletlab.system.progress import bar, say


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Zoë 王\t1\n2", "Zoë 王\t1\n2"), ("\x1b[2J", r"\x1b[2J"), ("a\u202eb", r"a\u202eb")],
)
def test_control_characters_are_shown_and_not_obeyed(text, shown):
    assert printable(text) == shown


def test_a_text_in_a_table_has_no_tab_and_no_line_break():
    assert printable("a\tb\nc", kept="") == r"a\tb\nc"


def test_no_text_of_a_file_reaches_the_terminal_as_a_command(capsys):
    say("a \x1b[2J b [/bold]")
    with bar("photos \x1b[2J [/bold]", total=1):
        pass
    shown = capsys.readouterr().err
    assert r"a \x1b[2J b [/bold]" in shown
    assert r"photos \x1b[2J [/bold]" in shown
    assert brief("a\x1b\nb") == r"a\x1b b"


def test_a_name_that_no_file_can_have_is_one_line(capsys):
    assert main(["verify", "a", "b", "--bundle", "a" * 5000]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"tripletlab: File name too long: shorten a+…, and give the same .*", line)
