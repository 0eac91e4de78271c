"""The faces of a photo framed and named, and the files that such pictures are written to."""

import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tripletlab.errors import InputError
from tripletlab.faces.cropping import Photo
from tripletlab.recognition.photo_files import SUFFIXES, PhotoFile
from tripletlab.recognition.recogniser import Recognised
from tripletlab.system.files import write_whole
from tripletlab.system.progress import quiet_stderr

KNOWN, UNKNOWN = "#1a9641", "#d7191c"
SMALLEST = 12  # pixels of the letters' height
FONTS = (  # of Linux, macOS and Windows, those with the most letters first
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
)
KIVY_FONT = Path("data", "fonts", "Roboto-Regular.ttf")  # in the package kivy, where it is there


def framed(photo: Photo, faces: Sequence[Recognised]) -> Photo:
    """A photo (height, width, 3), blue green red, with a frame and a name around every face.

    Green is a known person, red an unknown one.
    """
    picture = Image.fromarray(photo[..., ::-1])
    draw = ImageDraw.Draw(picture)
    for face in faces:
        x, y, side = face.found.box
        colour = UNKNOWN if face.name is None else KNOWN
        draw.rectangle((x, y, x + side, y + side), outline=colour, width=max(2, side // 50))
        words = [face.name or "unknown", *(f"{one.distance:.2f}" for one in face.nearest[:1])]
        font = _font(max(SMALLEST, side // 8))
        _, _, width, height = draw.textbbox((0, 0), " ".join(words), font=font)
        corner = (
            max(0, min(x, picture.width - width)),
            max(0, min(y + side, picture.height - height)),
        )
        draw.rectangle((*corner, corner[0] + width, corner[1] + height), fill=colour)
        draw.text(corner, " ".join(words), fill="white", font=font)
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font with letters `size` pixels high; Pillow's own, of ASCII alone, where none is found."""
    path = _font_file()
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


@functools.cache  # it searches the system's folders
def _font_file() -> str | None:
    """The file of the first font that can be loaded."""
    kivy = importlib.util.find_spec("kivy")
    folders = kivy.submodule_search_locations if kivy else None
    for font in (*FONTS, *(str(Path(folder) / KIVY_FONT) for folder in folders or ())):
        try:
            return str(ImageFont.truetype(font).path)
        except OSError:
            continue
    return None


def targets(draw: Path, photos: Sequence[PhotoFile]) -> list[Path]:
    """Where the picture of each photo goes: `draw` itself, for one photo and a photo's suffix, or
    its place in the folder `draw`.

    InputError where a file is named for several photos, two photos share a place, or one would be
    overwritten.
    """
    is_file = draw.suffix.lower() in SUFFIXES and not draw.is_dir()
    if is_file and len(photos) > 1:
        raise InputError(f"--draw {draw}: one file for {len(photos):,} photos; give a folder")
    places = [draw] if is_file else [draw / one.name for one in photos]
    taken: dict[Path, Path] = {one.path.resolve(): one.path for one in photos}
    for place, one in zip(places, photos, strict=True):
        if other := taken.get(place.resolve()):
            raise InputError(f"--draw {draw}: {place} would overwrite that of {other}")
        taken[place.resolve()] = one.path
    return places


def write(picture: Photo, path: Path) -> None:
    """Write a picture in the format of its suffix, JPEG if it has none that is known.

    InputError where it cannot be written, or where the format holds no colours or no such size.
    """
    known = path.suffix.lower() in SUFFIXES - {".jfif"}  # which is JPEG, and OpenCV does not know
    with quiet_stderr():  # OpenCV's own words about it
        done, content = cv2.imencode(path.suffix if known else ".jpg", picture)
    if not done:
        height, width = picture.shape[:2]
        raise InputError(
            f"--draw {path}: this format holds no colour picture of {width} × {height} pixels;"
            " convert the photo to PNG"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.tobytes())
    except OSError as error:
        raise InputError(f"--draw {path}: cannot be written ({error.strerror})") from error
