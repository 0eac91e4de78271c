"""Pairs of frontal photos, and of a frontal photo and a profile, of people no run was trained on.

    python benchmarks/across_poses.py faces.h5 CFP FOLDER
    tripletlab evaluate RUN verification=pairs verification.path=FOLDER/frontal_frontal
    tripletlab evaluate RUN verification=pairs verification.path=FOLDER/frontal_profile

CFP has a folder with 14 photos for each person: 0001 to 0010 frontal, 0011 to 0014 in profile. The
people are those whom `faces.h5` keeps for validation or calibration. The pairs are in ten folds
without common people, each with 100 matched pairs and as many mismatched ones, drawn independently,
so that some come twice. The photos are linked, not copied.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np

from tripletlab.faces.store import TRAIN

FOLDS, PAIRS = 10, 100  # PAIRS: of each kind in a fold
KINDS = {"frontal_frontal": (1, 10), "frontal_profile": (11, 14)}  # the photos of the second face


def main() -> None:
    """Write the two sets."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("store", "cfp", "folder"):
        given.add_argument(name, type=Path)
    arguments = given.parse_args()
    people = held_out(arguments.store, arguments.cfp)
    for kind, (first, last) in KINDS.items():
        rng = np.random.default_rng(1)
        lines = [f"{FOLDS}\t{PAIRS}"]
        for fold in np.array_split(rng.permutation(people), FOLDS):
            lines += [pair(rng, fold, first, last, matched=True) for _ in range(PAIRS)]
            lines += [pair(rng, fold, first, last, matched=False) for _ in range(PAIRS)]
        write(arguments.folder / kind, people, arguments.cfp, "\n".join(lines) + "\n")
    print(f"{len(people)} people: {arguments.folder}/{' and '.join(KINDS)}")


def held_out(store: Path, cfp: Path) -> list[str]:
    """The people of CFP who are not trained on."""
    with h5py.File(store) as file:
        split, names = file["split"][:], file["names"].asstr()[:]
    out = set(names[split != TRAIN].tolist()) - set(names[split == TRAIN].tolist())
    return sorted(one.name for one in cfp.iterdir() if one.name in out)


def pair(
    rng: np.random.Generator, people: list[str], first: int, last: int, *, matched: bool
) -> str:
    """A line of pairs.txt; the two photos of a matched pair differ."""
    one, other = rng.choice(people, 2, replace=False)
    frontal = int(rng.integers(1, 11))
    choices = [k for k in range(first, last + 1) if not matched or k != frontal]
    second = int(rng.choice(choices))
    return f"{one}\t{frontal}\t{second}" if matched else f"{one}\t{frontal}\t{other}\t{second}"


def write(folder: Path, people: list[str], cfp: Path, pairs: str) -> None:
    """Links laid out as LFW's, and the file of pairs."""
    folder.mkdir(parents=True)
    for name in people:
        (folder / name).mkdir()
        for photo in sorted((cfp / name).glob("*.jpg")):
            (folder / name / f"{name}_{photo.name}").symlink_to(photo.resolve())
    (folder / "pairs.txt").write_text(pairs)


if __name__ == "__main__":
    main()
