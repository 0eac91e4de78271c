"""What share of a tree's photos each choice of conf/faces rejects, and why.

`python benchmarks/rejections.py FOLDER … [--many 1000]`: each FOLDER has a folder for each person,
and about `--many` photos of it are picked at even intervals. Every photo is checked by itself, so
repeated pictures, which are searched for among a person's photos, are not covered. YuNet is tried
if its file is found, with its usual score threshold and a lower one."""

import argparse
import collections
from dataclasses import dataclass
from pathlib import Path

import cv2

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.system.parallel import parallel_map

CHOICES = (
    "faces=paper",
    "faces=aligned",
    "faces=cleaned",
    "faces=yunet",
    "faces=yunet faces.detector.score_threshold=0.6",
)
CROPPED = ", as photos.cropped"


@dataclass(frozen=True)
class Rejections:
    """What a worker does: why each recipe rejects a photo."""

    ways: tuple[tuple[FaceRecipe, bool], ...]  # and whether the photos count as cropped

    def __call__(self, file):
        cv2.setNumThreads(1)
        return [recipe.face(file, cropped=cropped).problem for recipe, cropped in self.ways]


def ways():
    """The recipes by their overrides; those whose file is missing are named and left out."""
    found = {}
    for choice in CHOICES:
        try:
            recipe = config.compose("prepare", choice.split()).faces.build()
        except InputError as error:
            print(f"{choice}: left out ({error})")
            continue
        found[choice] = recipe, False
        if choice == "faces=aligned":
            found[choice + CROPPED] = recipe, True
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--many", type=int, default=1000)
    given = parser.parse_args()
    tried = ways()
    rejections = Rejections(tuple(tried.values()))
    for folder in given.folders:
        files = sorted(folder.glob("*/*.*"))
        files = files[:: max(1, len(files) // given.many)]
        found = parallel_map(rejections, files, title=folder.name, size=lambda _: 1)
        for choice, problems in zip(tried, zip(*found, strict=True), strict=True):
            counts = collections.Counter(why for why in problems if why)
            reasons = ", ".join(f"{why} {n / len(files):.1%}" for why, n in counts.most_common())
            kept = 1 - sum(counts.values()) / len(files)
            print(f"{folder.name}, {len(files)} photos, {choice}: kept {kept:.1%}; {reasons}")


if __name__ == "__main__":
    main()
