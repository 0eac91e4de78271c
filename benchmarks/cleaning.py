"""The precision and recall of every cleaning filter, on photos whose damage is known.

`python benchmarks/cleaning.py [--photos FOLDER]` uses synthetic people, or a tree of your own
photos (a folder for each person), which are assumed to be clean. Every photo in which a face is
found is tested as it is, and damaged in each of these ways: Gaussian blur of 4 to 8 % of the face's
side; a line of text in one of many sizes, greys and places; a plain border over a quarter to a half
of the face; a copy that is made smaller, compressed or lit differently; a part of the photo without
a face. Recall is the share of damaged photos that a filter removes; precision is the share of the
removed photos that are damaged, with as many clean photos as damaged ones; `clean lost` is the
share of clean photos that it removes."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from tripletlab import config
from tripletlab.faces.cleaning import empty, perceptual_hash, second_detections, sharpness
from tripletlab.faces.cropping import crop, read_photo
from tripletlab.faces.detection import Box
from tripletlab.faces.landmark_training import draw, find
from tripletlab.faces.overlay_text import letters_in_line

WORDS = [
    "PRESS",
    "Getty",
    "wire",
    "news.com",
    "2004",
    "AFP",
    "photo",
    "©",
    "Reuters",
    "sample",
    "archive",
]
SIZE = 64


def blurred(photo, box, rng):
    sigma = rng.uniform(0.04, 0.08) * box.side
    return cv2.GaussianBlur(photo, (0, 0), sigma), box


def lettered(photo, box, rng):
    words = " ".join(rng.choice(WORDS, rng.integers(2, 4), replace=False))
    height = max(11, round(rng.uniform(0.07, 0.13) * photo.shape[0]))
    canvas = Image.fromarray(photo)
    font = ImageFont.truetype(findfont(rng.choice(["DejaVu Sans", "DejaVu Serif"])), height)
    place = rng.uniform(0, 0.2) * photo.shape[1], rng.uniform(0.02, 0.85) * photo.shape[0]
    around = photo[int(place[1]) : int(place[1]) + height].mean()
    ImageDraw.Draw(canvas).text(place, words, fill=255 if around < 128 else 0, font=font)
    return np.asarray(canvas), box


def bordered(photo, box, rng):
    """A plain bar from one side over a part of the face's box, as letterboxes have it."""
    part = rng.uniform(0.25, 0.5)
    grey = int(rng.choice([0, 255, rng.integers(256)]))
    turns, x, y = int(rng.integers(4)), box.x, box.y
    for _ in range(turns):  # a quarter to the left each; the box turns along
        photo = np.rot90(photo)
        x, y = y, photo.shape[0] - x - box.side
    photo = photo.copy()
    photo[: max(1, round(y + part * box.side))] = grey
    return np.rot90(photo, -turns).copy(), box


def elsewhere(photo, box, rng):
    """A square of the photo that shares less than a fifth with the face."""
    height, width = photo.shape
    for _ in range(50):
        side = round(box.side * rng.uniform(0.5, 1))
        x, y = rng.integers(0, width - side + 1), rng.integers(0, height - side + 1)
        wide = min(x + side, box.x + box.side) - max(x, box.x)
        high = min(y + side, box.y + box.side) - max(y, box.y)
        if max(0, wide) * max(0, high) < 0.2 * side * side:
            return photo, Box(int(x), int(y), side)
    return photo, Box(0, 0, round(0.4 * box.side))


def copied(photo, rng):
    """The same picture, cut a little, smaller, compressed and lit differently."""
    height, width = photo.shape
    cut = rng.uniform(0, 0.03, 4) * [height, height, width, width]
    top, bottom, left, right = cut.astype(int)
    small = photo[top : height - bottom, left : width - right]
    scale = rng.uniform(0.7, 0.95)
    small = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = np.clip(small * rng.uniform(0.8, 1.2) + rng.normal(0, 10), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 90))]
    return cv2.imdecode(cv2.imencode(".jpg", small, quality)[1], cv2.IMREAD_GRAYSCALE)


def known_people(given):
    """(photo, box) of every person, found by the cascade."""
    if given.photos:
        for folder in sorted(given.photos.iterdir())[: given.people]:
            photos = [read_photo(path) for path in sorted(folder.glob("*.jpg"))[: given.each]]
            yield [(p, boxes[0]) for p in photos if p is not None and (boxes := find(p))]
    else:
        for number in range(given.people):
            found = draw([98, number], photos=given.each, turns=1.0)
            yield [(one.photo, one.box) for one in found]


def face(photo, box):
    return crop(photo, box, size=SIZE)


MEASURES = {  # filter: damage, measure, the threshold's name, damaged when larger
    "blurred": (blurred, lambda p, b: sharpness(face(p, b)), "min_sharpness", False),
    "text": (lettered, lambda p, b: letters_in_line(p), "max_letters", True),
    "empty pixels": (bordered, empty, "max_empty", True),
    "not a face": (elsewhere, second_detections, "min_second", False),
}


def report(name, clean, damaged, threshold, larger):
    if not clean:
        print(f"{name:<14}no pairs to compare")
        return
    removed, lost = (
        (v > threshold if larger else v < threshold) for v in map(np.array, (damaged, clean))
    )
    precision = removed.sum() / max(1, removed.sum() + lost.sum())
    print(
        f"{name:<14}{threshold:>10}{len(damaged):>8}{len(clean):>8}{precision:>11.3f}"
        f"{removed.mean():>8.3f}{lost.mean():>12.1%}"
    )
    print(
        f"{'':<14}clean {np.quantile(clean, [0.01, 0.05, 0.5, 0.95, 0.99]).round(3)}"
        f" damaged {np.quantile(damaged, [0.01, 0.05, 0.5, 0.95, 0.99]).round(3)}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, help="a tree of clean photos, a folder a person")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--each", type=int, default=3, help="photos of a person")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    people = list(known_people(given))
    faces = [one for person in people for one in person]
    composed = config.compose("prepare", ["faces=cleaned"])
    limits = composed.faces["cleaning"]
    print(
        f"{'filter':<14}{'threshold':>10}{'damaged':>8}{'clean':>8}{'precision':>11}"
        f"{'recall':>8}{'clean lost':>12}"
    )
    for name, (damage, measure, key, larger) in MEASURES.items():
        clean = [measure(*one) for one in faces]
        report(name, clean, [measure(*damage(*one, rng)) for one in faces], limits[key], larger)
    hashes = [[perceptual_hash(photo) for photo, _ in person] for person in people]
    apart = [(a != b).sum() for own in hashes for i, a in enumerate(own) for b in own[:i]]
    copies = [
        (perceptual_hash(copied(photo, rng)) != perceptual_hash(photo)).sum() for photo, _ in faces
    ]
    report("repeated", apart, copies, limits["max_same_bits"] + 1, False)


if __name__ == "__main__":
    main()
