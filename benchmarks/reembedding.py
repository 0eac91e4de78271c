"""What a gallery's pictures preserve: their embeddings compared with those of the original photos.

    TRIPLETLAB_REAL=folder python benchmarks/reembedding.py bundle [--photos 60]

The folder holds lfw/lfw-deepfunneled. Each photo is enrolled with one preparation, and embedded
anew with the same or another one: Haar, Haar aligned and, if its file is there (TRIPLETLAB_YUNET,
`tripletlab fetch yunet`), YuNet.
"""

import argparse
import dataclasses
import os
from pathlib import Path

import numpy as np

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.cropping import read_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.recogniser import EmbeddedFace, embedded_anew, faces_in, shot_of
from tripletlab.recognition.reembedding import KeptPhoto

CHANGES = [("paper", "paper"), ("aligned", "aligned"), ("yunet", "yunet")]
CHANGES += [("paper", "yunet"), ("yunet", "paper")]


def main() -> None:
    """Enrol each photo with one preparation, embed it anew with another, and print the table."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("bundle", type=Path)
    given.add_argument("--photos", type=int, default=60)
    given.add_argument("--seed", type=int, default=0)
    arguments = given.parse_args()
    bundle = Bundle.open(arguments.bundle)
    root = Path(os.environ["TRIPLETLAB_REAL"]) / "lfw" / "lfw-deepfunneled"
    paths = sorted(root.glob("*/*_0001.jpg"))
    order = np.random.default_rng(arguments.seed).permutation(len(paths))[: arguments.photos]
    print("| enrolled with | embedded anew for | bit-identical | median | 90 % below | largest |")
    print("|---|---|---:|---:|---:|---:|")
    for old, new in CHANGES:
        try:
            ways = [prepared_by(bundle, name) for name in (old, new)]
        except InputError as error:
            print(f"skipped: {error}")
            continue
        print(f"| {old} | {new} | {row([paths[one] for one in order], *ways)} |")


def prepared_by(bundle: Bundle, faces: str) -> Bundle:
    """The same network with another preparation."""
    chosen = config.compose("prepare", [f"faces={faces}"]).faces
    manifest = bundle.manifest.model_copy(update={"faces": dict(chosen.settings)})
    return dataclasses.replace(bundle, recipe=chosen.build(), manifest=manifest)


def row(paths: list[Path], old: Bundle, new: Bundle) -> str:
    """How far the embeddings of kept pictures are from those of the photos, squared."""
    distances, lost = [], 0
    for path in paths:
        enrolled, original = best_face(path, old), best_face(path, new)
        if enrolled is None or original is None:
            continue
        shot = shot_of(read_photo(path, colour=True), enrolled, old)
        anew = embedded_anew(KeptPhoto(shot.picture, shot.side, shot.detector), new)
        if anew is None:
            lost += 1
        else:
            distances.append(float(((anew - original.embedding) ** 2).sum()))
    exact = f"{distances.count(0.0)} of {len(distances) + lost}" + f" ({lost} lost)" * bool(lost)
    figures = np.percentile(distances, (50, 90, 100))
    return " | ".join([exact, *(f"{figure:.4f}" for figure in figures)])


def best_face(path: Path, bundle: Bundle) -> EmbeddedFace | None:
    """The most prominent face of a photo, decoded as the bundle's detector wants it."""
    found = faces_in(read_photo(path, colour=bundle.recipe.colour), bundle)
    return found[0] if found else None


if __name__ == "__main__":
    main()
