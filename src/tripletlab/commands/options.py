"""Arguments and options that several commands share."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.system.paths import expanded

NETWORK = "champion, NAME@champion, NAME/version, a run id"


def optional_words(metavar: str, about: str) -> Any:
    """An argument of any number of words; without any, an empty list."""
    return typer.Argument(metavar=metavar, help=about, default_factory=list, show_default=False)


def target(kinds: str) -> Any:
    """The argument for a target of these kinds, and for overrides."""
    return optional_words(
        "[TARGET] [KEY=VALUE]",
        f"TARGET: {kinds} (default: champion). KEY=VALUE changes the config.",
    )


def key_value(example: str) -> Any:
    """The argument for overrides; `example` is one that the command accepts."""
    return optional_words("KEY=VALUE", f"Change the config: {example}.")


ShowConfig = Annotated[
    bool, typer.Option("--config", help="Print the config that would run, and exit.")
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start again, even if the result exists already.")
]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port.")]
Host = Annotated[str, typer.Option(help="The interface; 0.0.0.0 means all. There is no password.")]
Words = Annotated[list[str], target(f"{NETWORK}, a bundle folder, or embeddings in FILE.npy")]
SweepName = Annotated[
    list[str],
    optional_words("[SPACE] [KEY=VALUE]", "The latest sweep of SPACE, or of any space."),
]
BundleFolder = Annotated[
    Path, typer.Option("--bundle", metavar="FOLDER", help="A bundle that `export` wrote.")
]
GalleryFolder = Annotated[
    Path, typer.Option("--gallery", metavar="FOLDER", help="The folder with the enrolled people.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=4,
        help="Largest squared distance at which two faces count as the same person (default: the"
        " bundle's).",
    ),
]
Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTO...", help="Photos, or folders, which are searched for photos at any depth."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, one object per line, instead of text.")
]

Folders = Annotated[
    list[str] | None,
    typer.Option(
        "--photos",
        metavar="FOLDER",
        help="Your own photos, with a sub-folder for each person. For several folders, repeat the"
        " option, or give them in one argument, separated by spaces.",
    ),
]
CroppedFolders = Annotated[
    list[str] | None,
    typer.Option(
        "--cropped", metavar="FOLDER", help="The same, for photos that are cropped faces."
    ),
]
LfwFolder = Annotated[
    str | None,
    typer.Option(
        "--lfw", metavar="FOLDER", help="Evaluate on LFW; the folder holds its pairs.txt."
    ),
]


def with_photos(
    overrides: list[str], photos: list[str] | None, cropped: list[str] | None, lfw: str | None
) -> list[str]:
    """What --photos, --cropped and --lfw stand for, then the overrides.

    A choice, such as verification=pairs, goes before what they stand for. InputError where the
    value of an option is empty, or given as a key too.
    """
    given = {config.key_of(one) for one in overrides}
    for option, key, values in (
        ("--photos", "photos.detected", photos),
        ("--cropped", "photos.cropped", cropped),
        ("--lfw", "verification.path", None if lfw is None else [lfw]),
    ):
        if values is not None and not all(value.strip() for value in values):
            raise InputError(f"{option} is empty: name a folder, or leave the option out")
        if values and key in given:
            raise InputError(f"{option} and {key} are given: leave out one of them")
    short: dict[str, object] = {}
    if photos or cropped:
        short = {"photos": "folder", "verification": "heldout"}
        short |= {"photos.detected": _folders(photos), "photos.cropped": _folders(cropped)}
    if lfw:
        short |= {"verification": "lfw", "verification.path": lfw}
    words = [config.override(key, value) for key, value in short.items() if key not in given]
    return [*words, *overrides]


def _folders(words: list[str] | None) -> list[str]:
    """Folders as a shell would read them; a word that is a folder as it stands is that folder."""
    folders: list[str] = []
    for word in words or []:
        there = expanded(word).is_dir()
        try:
            folders += [word] if there else shlex.split(word)
        except ValueError as error:
            raise InputError(f"{word}: quotes that do not close ({error})") from error
    return folders


def target_and_overrides(words: list[str]) -> tuple[str, list[str]]:
    """Split the words of a command line into its target (the champion, if none) and overrides."""
    target, overrides = config.one_name(words, what="target")
    return target or "champion", overrides
