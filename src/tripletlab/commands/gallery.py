"""`tripletlab gallery list`, `remove` and `rename`."""

from pathlib import Path
from typing import Annotated

import typer

from tripletlab.commands.help import Command, Group
from tripletlab.commands.options import AsJson, GalleryFolder

app = typer.Typer(
    name="gallery",
    cls=Group,
    help="List, remove or rename the enrolled people.",
    no_args_is_help=True,
)


@app.command("list", cls=Command)
def list_people(gallery: GalleryFolder = Path("gallery"), as_json: AsJson = False) -> None:
    """Print everyone's name, number of photos, and the dates of the first and the last photo."""
    from tripletlab.recognition.gallery_listing import print_people

    print_people(gallery, as_json=as_json)


@app.command(cls=Command)
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Whom to remove.")],
    gallery: GalleryFolder = Path("gallery"),
) -> None:
    """Delete people and all their photos for good: their data in the file is overwritten."""
    from tripletlab.recognition.gallery_listing import remove

    remove(names, gallery)


@app.command(cls=Command)
def rename(
    old: Annotated[str, typer.Argument(help="The current name.")],
    new: Annotated[str, typer.Argument(help="The new name, which nobody else may have.")],
    gallery: GalleryFolder = Path("gallery"),
) -> None:
    """Rename a person; the photos stay."""
    from tripletlab.recognition.gallery_listing import rename

    rename(old, new, gallery)
