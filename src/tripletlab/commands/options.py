"""Arguments and options that several commands share."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.system.paths import expanded

TARGET = (
    "champion, NAME@champion, NAME/version, a run id, a bundle folder, or embeddings in FILE.npy"
)

Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Change the config: miner=hard, margin=0.4."),
]
ShowConfig = Annotated[
    bool, typer.Option("--config", help="Print the config that would run, and stop.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do again what is there already.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET] [KEY=VALUE]",
        help=f"TARGET: {TARGET}. The champion if none. KEY=VALUE changes the config.",
    ),
]
SweepName = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SPACE] [KEY=VALUE]", help="The latest sweep of SPACE, or of all."),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option("--to", metavar="FOLDER", help="Where the card and the figures are written."),
]
BundleFolder = Annotated[
    Path, typer.Option("--bundle", metavar="FOLDER", help="A bundle that `export` wrote.")
]
GalleryFolder = Annotated[
    Path, typer.Option("--gallery", metavar="FOLDER", help="The folder of enrolled people.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=4,
        help="Squared distance up to which two faces are the same person (the bundle's).",
    ),
]
Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO...", help="Photo files, and folders with photos at any depth."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, an object a line, instead of text.")
]

Folders = Annotated[
    list[str] | None,
    typer.Option(
        "--photos",
        metavar="FOLDER",
        help="Your own photos, a sub-folder for each person. Several folders: repeat it, or write"
        " them in one word, separated by spaces.",
    ),
]
CroppedFolders = Annotated[
    list[str] | None,
    typer.Option("--cropped", metavar="FOLDER", help="The same, of photos that are faces already."),
]
LfwFolder = Annotated[
    str | None,
    typer.Option("--lfw", metavar="FOLDER", help="Evaluate on LFW: the folder of its pairs.txt."),
]


def with_photos(
    overrides: list[str] | None,
    photos: list[str] | None,
    cropped: list[str] | None,
    lfw: str | None,
) -> list[str]:
    """What --photos, --cropped and --lfw stand for, then the overrides, which go before them."""
    trees = {"detected": _folders(photos), "cropped": _folders(cropped)}
    short: dict[str, object] = {}
    if any(trees.values()):
        short = {"photos": "folder", "verification": "heldout"}
        short |= {f"photos.{kind}": names for kind, names in trees.items()}
    if lfw:
        short |= {"verification": "lfw", "verification.path": lfw}
    given = {config.key_of(one) for one in overrides or []}
    words = [config.override(key, value) for key, value in short.items() if key not in given]
    return [*words, *(overrides or [])]


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


def target_and_overrides(words: list[str] | None) -> tuple[str, list[str]]:
    """Split the words of a command line into its target (the champion, if none) and overrides."""
    targets, overrides = config.split_words(words or [])
    if len(targets) > 1:
        raise InputError(f"{targets[1]}: one target at a time; {targets[0]} is one already")
    return (targets or ["champion"])[0], overrides
