"""How accurate the landmarks are, on synthetic people and on photos of your own.

`python benchmarks/landmarks.py [--photos FOLDER] [--montage FILE]`. On synthetic people, from none
of whom the coefficients were learned, the error is known; it is given as a fraction of the distance
between the centres of the eyes. On real photos, nobody has marked the landmarks. There, the script
measures how far they move on the face when the photo and the box are turned, moved and scaled;
ideally they do not move. YuNet is included if its file is found (`tripletlab fetch yunet`, or the
variable TRIPLETLAB_YUNET); faces in which it finds no landmarks are counted, and left out of its
line.
"""

import argparse
import functools
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.alignment import similarity
from tripletlab.faces.cropping import crop, grown, in_grey, read_photo
from tripletlab.faces.detection import Box
from tripletlab.faces.landmark_training import draw, find
from tripletlab.faces.landmarks import NAMES, regressed

TRIPLE = [NAMES.index(name) for name in ("left_inner_eye", "right_inner_eye", "bottom_lip")]
EYES = [[0, 1], [2, 3]]


def middles(points):
    """The middles of the eyes (2, 2)."""
    return np.stack([points[pair].mean(axis=0) for pair in EYES])


def distance(points):
    return np.linalg.norm(np.diff(middles(points), axis=0))


@functools.cache
def cascade():
    return cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_eye.xml")


def average(known):
    """The mean places of known landmarks in their boxes: a guess without a look."""
    places = np.mean([(k.points - k.box[:2]) / k.box.side for k in known], axis=0)
    return lambda photo, box: places * box.side + (box.x, box.y)


def eye_cascade(guess):
    """Eyes by OpenCV's cascade where it sees both, all else by the average face set onto them."""

    def finder(photo, box):
        points = guess(photo, box)
        patch = in_grey(crop(photo, box, size=120))
        found = cascade().detectMultiScale(patch[:72], 1.05, 3, minSize=(18, 18))
        centres = np.array([(x + w / 2, y + h / 2) for x, y, w, h in found]).reshape(-1, 2)
        sides = [centres[centres[:, 0] < 60], centres[centres[:, 0] > 60]]
        if not all(map(len, sides)):
            return points
        eyes = np.stack([side[0] for side in sides]) * box.side / 120 + (box.x, box.y)
        matrix = similarity(middles(points), eyes)
        return points @ matrix[:, :2].T + matrix[:, 2]

    return finder


def synthetic_errors(finder, known):
    """(faces, 8) fractions of the eyes' distance."""
    return np.stack(
        [
            np.linalg.norm(finder(k.photo, k.box) - k.points, axis=1) / distance(k.points)
            for k in known
        ]
    )


def steadiness(finder, photo, box, rng):
    """How far the landmarks move when photo and box are turned, moved and scaled (8,)."""
    first = finder(photo, box)
    turn = cv2.getRotationMatrix2D(
        (box.x + box.side / 2, box.y + box.side / 2), rng.uniform(-8, 8), rng.uniform(0.93, 1.07)
    )
    turned = cv2.warpAffine(photo, turn, photo.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    off = np.round(rng.uniform(-0.05, 0.05, 2) * box.side).astype(int)
    second = finder(turned, Box(box.x + off[0], box.y + off[1], box.side))
    return np.linalg.norm(first @ turn[:, :2].T + turn[:, 2] - second, axis=1) / distance(first)


def line(name, errors, which):
    known = np.isfinite(errors[:, which]).all(axis=1)
    errors = errors[known]
    triple = errors[:, which].mean(axis=1)
    return (
        f"{name:<28}{errors[:, which].mean():>8.3f}{np.median(triple):>8.3f}"
        f"{np.quantile(triple, 0.95):>8.3f}{(triple > 0.2).mean():>8.1%}"
        f"{(~known).sum():>8}"
    )


def yunet():
    """YuNet's landmarks, by its name, where its file is found."""
    try:
        recipe = config.compose("prepare", ["faces=yunet"]).faces.build()
    except InputError:
        return {}
    return {"YuNet": recipe.aligner.landmarks}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=250)
    parser.add_argument("--photos", type=Path, help="a tree of photos, a folder a person")
    parser.add_argument("--many", type=int, default=400, help="photos of the tree, evenly picked")
    parser.add_argument("--montage", type=Path, help="write the photos' faces, landmarks marked")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    known = [k for n in range(given.people) for k in draw([99, n], photos=2, turns=1.0)]
    half = len(known) // 2
    guess = average(known[half:])
    finders = {"average face": guess, "eye cascade": eye_cascade(guess), "regression": regressed}
    finders |= yunet()
    heading = f"{'':<28}{'mean':>8}{'median':>8}{'95 %':>8}{'> 0.2':>8}{'none':>8}"
    print(f"inner eyes and bottom lip, {half} faces of synthetic people, error\n{heading}")
    for name, finder in finders.items():
        print(line(name, synthetic_errors(finder, known[:half]), TRIPLE))
    if not given.photos:
        return
    files = sorted(given.photos.glob("*/*.jpg"))
    files = files[:: max(1, len(files) // given.many)]
    photos = [read_photo(file, colour=True) for file in files]
    faces = [(one, found[0]) for one in photos if one is not None and (found := find(in_grey(one)))]
    print(f"\n{len(faces)} faces of {given.photos.name}, movement when the box moves\n{heading}")
    for name, finder in finders.items():
        rng = np.random.default_rng(0)
        print(line(name, np.stack([steadiness(finder, *f, rng) for f in faces]), TRIPLE))
    if given.montage:
        cv2.imwrite(str(given.montage), montage(faces[:80]))


def montage(faces):
    tiles = []
    for photo, box in faces:
        wide = grown(box, border=0.2)
        tile = crop(photo, wide, size=160)
        for place, point in enumerate(regressed(photo, box)):
            x, y = (point - (wide.x, wide.y)) * 160 / wide.side
            colour = (0, 255, 0) if place in TRIPLE else (0, 200, 255)
            cv2.circle(tile, (round(x), round(y)), 2, colour, -1)
        tiles.append(tile)
    return np.vstack([np.hstack(tiles[k : k + 10]) for k in range(0, len(tiles) - 9, 10)])


if __name__ == "__main__":
    main()
