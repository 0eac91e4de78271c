"""Help: every command readable at 80 columns, with the choices that it takes and their defaults."""

import itertools
import re
from pathlib import Path

import pytest
from typer import Typer

from tripletlab import config
from tripletlab.cli import COMMANDS, main
from tripletlab.commands.help import NOUNS, SECTIONS

CONF = Path(__file__).parents[2] / "conf"
NAMES = [
    *(
        "",
        "data",
        "data verify",
        "data rejected",
        "gallery",
        "gallery list",
        "gallery remove",
        "gallery rename",
    ),
    *(one.__name__ for panel in COMMANDS.values() for one in panel if not isinstance(one, Typer)),
]


@pytest.fixture
def shown(capsys, monkeypatch):
    """The lines of a command's help on a screen of 80 columns."""

    def read(command):
        monkeypatch.setenv("COLUMNS", "80")
        assert main([*command.split(), "--help"]) == 0
        return capsys.readouterr().out.splitlines()

    return read


@pytest.mark.parametrize("command", NAMES)
def test_help_fits_the_screen_and_gives_no_flag_a_value(command, shown):
    lines = shown(command)
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if re.search(r"<(bool|list\[.*\])>", line)] == []
    assert not any("…" in line for line in lines)  # nothing is cut off


@pytest.mark.parametrize("command", ["verify", "recognise"])
def test_paragraphs_are_wrapped_to_the_screen_and_not_as_in_the_code(command, shown):
    lines = [line.strip() for line in shown(command)]
    start, end = lines.index("") + 1, lines.index(next(one for one in lines if "Arguments" in one))
    paragraphs = "\n".join(lines[start:end]).strip().split("\n\n")
    for paragraph in paragraphs[1:]:
        for line, following in itertools.pairwise(paragraph.split("\n")):
            assert len(f"{line} {following.split()[0]}") > 78


def test_suspects_asks_only_for_what_it_takes(shown):
    text = " ".join("\n".join(shown("suspects")).replace("│", "").split())
    assert "NAME/version or a run id (default: champion)" in text
    assert not re.search(r"bundle|\.npy", text)


def test_every_noun_stands_in_one_section():
    nouns = [noun for section in SECTIONS.values() for noun in section]
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    assert sorted(nouns) == sorted(folders - {"experiment"} | {"+experiment"})


@pytest.mark.parametrize("command", NOUNS)
def test_help_lists_the_choices_that_a_command_takes_and_no_others(command, shown):
    text = "\n".join(shown(command))
    listed = set(re.findall(r"^│ (\+?\w+)=", text, re.M))
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    taken = {noun for noun in NOUNS[command] if noun.removeprefix("+") in folders}
    assert listed == taken
    for noun in taken:
        for choice in config.groups()[noun.removeprefix("+")]:
            assert re.search(rf"[ *]{choice}[ *,]", text)


@pytest.mark.parametrize(
    ("command", "nouns"),
    [
        ("prepare", config.PrepareConfig.nouns()),
        ("train", config.RunConfig.nouns()),
        ("describe", {"architecture", "faces", "dtype"}),
        ("ui", {"tracking"}),
        ("clean", config.StudiesConfig.nouns()),
        ("data verify", {"data"}),
    ],
)
def test_the_example_of_an_override_is_one_that_the_command_takes(command, nouns, shown):
    (example,) = re.findall(r"Change the config: (.*)\.", "\n".join(shown(command)))
    words = example.split(", ")
    config.allow_only(words, nouns, command=command)
    config.compose("train", words)


@pytest.mark.parametrize("command", ["train", "sweep", "prepare"])
def test_the_default_is_marked(command, shown):
    marked = re.findall(r"\*([a-z]\w+)\*", "\n".join(shown(command)).replace("*name*", ""))
    composed = config.compose(command, []).choices
    defaults = [choice for noun, choice in composed.items() if "/" not in noun]
    assert sorted(marked) == sorted([*defaults, *(["margin_miner"] if command == "sweep" else [])])


def test_train_says_what_each_choice_is(shown):
    lines = shown("train")
    assert any(
        re.fullmatch(r"│   hard +negatives nearer than the positive +│", one) for one in lines
    )
    assert any("(needs tripletlab[cluster])" in line for line in lines)  # brackets are no markup
