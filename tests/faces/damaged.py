"""Files as they lie about in real collections, and worse: for fuzzing the preparation."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

NAMES = (
    b"with space.png",
    b"new\nline.png",
    b"tab\t.png",
    b"\xff\xfe not utf-8 \xe9.jpg",
    "ünïcödé 名前.png".encode(),
    b"quote'\".png",
    b"-rf.png",
    b"%s{0}$(x).png",
    b"no extension",
    b"a" * 250 + b".png",
)

KINDS = (
    *("empty", "text", "random", "bomb", "name", "loop", "dangling", "folder", "pipe"),
    *["broken"] * 5,
)


def encoded(photo, form, *, mode=None, **options) -> bytes:
    file, picture = io.BytesIO(), Image.fromarray(photo)
    (picture.convert(mode) if mode else picture).save(file, form, **options)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims side × side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side + 1) * 4, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def rotated(photo, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(photo, "JPEG", exif=exif.tobytes())


def animated(photo) -> bytes:
    frames = [Image.fromarray(np.roll(photo, shift, 0)) for shift in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def broken(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, or with bytes changed, doubled or taken out."""
    kind, place = rng.integers(4), int(rng.integers(1, len(data)))
    if kind == 0:
        return data[:place]
    if kind == 1:
        spoiled = bytearray(data)
        for _ in range(rng.integers(1, 40)):
            spoiled[rng.integers(len(spoiled))] = rng.integers(256)
        return bytes(spoiled)
    return data[:place] + data[place // 2 :] if kind == 2 else data[: place // 2] + data[place:]


def sound(photo) -> dict[str, bytes]:
    """The photo in every form that has to be read, whatever its extension says."""
    colour = cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB)
    return {
        "jpeg.jpg": encoded(photo, "JPEG"),
        "colour.png": encoded(colour, "PNG"),
        "png called.jpg": encoded(photo, "PNG"),
        "jpeg called.txt": encoded(photo, "JPEG"),
        "cmyk.jpg": encoded(colour, "JPEG", mode="CMYK"),
        "sixteen bits.png": encoded(photo.astype(np.uint16) * 257, "PNG"),
        "alpha.png": encoded(cv2.cvtColor(photo, cv2.COLOR_GRAY2RGBA), "PNG"),
        "palette.gif": encoded(photo, "GIF"),
        "animated.gif": animated(photo),
        "bitmap.bmp": encoded(photo, "BMP"),
        "tagged.tiff": encoded(photo, "TIFF"),
        "grey.pgm": encoded(photo, "PPM"),
        "web.webp": encoded(photo, "WEBP"),
        **{f"turned {mark}.jpg": rotated(_turned(photo, mark), mark) for mark in (1, 3, 6, 8)},
    }


def _turned(photo, mark: int):
    """How the camera stored it, for the mark to put it upright again."""
    return np.rot90(photo, {1: 0, 3: 2, 6: 1, 8: 3}[mark])


def litter(
    folder: Path, draw: Callable[[int], np.ndarray], *, files: int, seed: int
) -> Iterator[str]:
    """Fill a person's folder with `files` damaged or strange things; yields what each is."""
    rng = np.random.default_rng(seed)
    room = os.fsencode(folder)
    for number in range(files):
        photo = draw(number)
        forms = sound(photo)
        data = forms[str(rng.choice(list(forms)))]
        path = os.path.join(room, b"%04d " % number)
        kind = str(rng.choice(KINDS))
        if kind == "loop":
            os.symlink(path, path)
        elif kind == "dangling":
            os.symlink(path + b" nowhere", path)
        elif kind == "folder":
            os.mkdir(path)
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            name = (
                path + NAMES[rng.integers(len(NAMES))][-200:] if kind == "name" else path + b".jpg"
            )
            with open(name, "wb") as file:
                file.write(
                    {
                        "broken": broken(data, rng),
                        "empty": b"",
                        "text": b"no photo at all\n" * 9,
                        "random": rng.bytes(int(rng.integers(1, 4000))),
                        "bomb": bomb(int(rng.choice([12_000, 40_000, 1_000_000]))),
                        "name": encoded(photo, "PNG"),
                    }[kind]
                )
        yield kind
