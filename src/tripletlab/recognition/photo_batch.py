"""Who is in many photos: printed as text or JSON, and drawn. A bad file does not end the batch."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tripletlab.errors import InputError, printable
from tripletlab.faces.cropping import read_photo
from tripletlab.photos.tree import readable
from tripletlab.recognition import drawing
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.photo_files import MISSING, photo_files, problem, read
from tripletlab.recognition.photos import opened_gallery, used_threshold
from tripletlab.recognition.recogniser import Recognised, Recogniser
from tripletlab.system.progress import bar

NAMED = 3  # bad files that the final error names


class PhotoResult(NamedTuple):
    """The faces in a photo, the most prominent first, or why it could not be read."""

    path: Path
    faces: Sequence[Recognised] = ()
    problem: str | None = None

    def text(self) -> str:
        """A line for each face, or one: `no face`, `missing` or `unreadable`."""
        none = "missing" if self.problem == MISSING else "unreadable" if self.problem else "no face"
        rows = [
            [face.name or "unknown", *(f"{n.distance:.3f}\t{n.name}" for n in face.nearest[:1])]
            for face in self.faces
        ]
        path = printable(readable(str(self.path)), kept="")  # a tab or a line break is in no column
        return "\n".join("\t".join([path, *row]) for row in rows or [[none]])

    def json(self) -> str:
        """An object with `photo`, and with `faces` or `problem`."""
        found = {"problem": self.problem} if self.problem else {"faces": [*map(_plain, self.faces)]}
        return json.dumps({"photo": str(self.path), **found})


def _plain(face: Recognised) -> dict[str, object]:
    nearest = face.nearest[0] if face.nearest else None
    return {
        "box": [*face.found.box],  # x, y, side
        "name": face.name,
        "distance": nearest and nearest.distance,
        "nearest": nearest and nearest.name,
    }


def recognise(
    photos: Sequence[Path],
    *,
    bundle: Path,
    gallery: Path,
    threshold: float | None,
    as_json: bool = False,
    draw: Path | None = None,
) -> None:
    """Print who is in photos, and in the photos of folders, each as soon as it is done.

    As text a line for every face: the photo, the name or `unknown`, the squared distance to the
    nearest person, and that person's name; as JSON an object for every photo. `draw` is a file, for
    one photo, or a folder, for the photos with frames and names. InputError where there is no
    gallery, and, after all photos are done, where some could not be read.
    """
    opened = Bundle.open(bundle)
    used = used_threshold(threshold, opened)
    files = photo_files(photos)
    pictures = drawing.targets(draw, files) if draw else [None] * len(files)
    bad: list[str] = []
    with contextlib.closing(opened_gallery(gallery, opened, create=False)) as people:
        recogniser = Recogniser(opened, people.enrolled, threshold=used)
        with _printing(len(files)) as show:
            for file, picture in zip(files, pictures, strict=True):
                result = _recognised(file.path, recogniser, picture)
                show(result.json() if as_json else result.text())
                bad += [f"{result.path} ({result.problem})"] if result.problem else []
    if bad:
        more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        raise InputError(f"{len(bad)} of {len(files)} not read: {', '.join(bad[:NAMED])}{more}")


def _recognised(path: Path, recogniser: Recogniser, picture: Path | None) -> PhotoResult:
    photo = read_photo(path, colour=recogniser.bundle.recipe.colour)
    if photo is None:
        return PhotoResult(path, problem=problem(path))
    faces = recogniser.recognise(photo)
    if picture:
        drawing.write(drawing.framed(read(path, colour=True), faces), picture)
    return PhotoResult(path, faces)


@contextlib.contextmanager
def _printing(total: int) -> Iterator[Callable[[str], None]]:
    """A function that prints a photo's lines; under a bar, where they do not go to the screen."""
    out = sys.stdout  # which a bar replaces
    apart = total > 1 and not out.isatty()
    with bar("photos", total=total) if apart else contextlib.nullcontext() as advance:

        def show(lines: str) -> None:
            print(printable(lines), file=out, flush=True)
            if advance:
                advance(1)

        yield show
