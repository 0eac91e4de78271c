"""One-shot recognition on LFW: 50 people enrolled by one photo, their other photos, and strangers.

    TRIPLETLAB_REAL=folder python benchmarks/lfw_recognition.py bundle

The folder holds lfw/lfw-deepfunneled. Nothing is left out: a photo in which no face is found counts
as not recognised.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from tripletlab.faces.cropping import read_photo
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.gallery import Gallery
from tripletlab.recognition.recogniser import Recognised, Recogniser, faces_in, shot_of

ENROLLED, STRANGERS, PHOTOS = 50, 200, 4  # PHOTOS: the fewest of somebody who is enrolled


def main() -> None:
    """Enrol, probe, and report."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("bundle", type=Path)
    given.add_argument("--seed", type=int, default=0)
    arguments = given.parse_args()
    bundle = Bundle.open(arguments.bundle)
    root = Path(os.environ["TRIPLETLAB_REAL"]) / "lfw" / "lfw-deepfunneled"
    known, strangers = draw(root, seed=arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        gallery = Gallery(Path(folder), fingerprint=bundle.fingerprint, dim=bundle.embedder.dim)
        probes = enrol(gallery, bundle, known)
        recogniser = Recogniser(bundle, gallery.enrolled)
        theirs = [(name, recognise(path, recogniser)) for name, path in probes]
        others = [recognise(path, recogniser) for path in strangers]
    report(bundle, theirs, others)


def draw(root: Path, *, seed: int) -> tuple[dict[str, list[Path]], list[Path]]:
    """The photos of people to enrol, and one photo of each stranger."""
    rng = np.random.default_rng(seed)
    everyone = {one.name: sorted(one.glob("*.jpg")) for one in sorted(root.iterdir())}
    often = [name for name, paths in everyone.items() if len(paths) >= PHOTOS]
    chosen = set(rng.choice(often, ENROLLED, replace=False).tolist())
    rest = [name for name in everyone if name not in chosen]
    strangers = rng.choice(rest, STRANGERS, replace=False).tolist()
    return {name: everyone[name] for name in sorted(chosen)}, [everyone[n][0] for n in strangers]


def enrol(gallery: Gallery, bundle: Bundle, known: dict[str, list[Path]]) -> list[tuple[str, Path]]:
    """Enrol everyone by the first photo that shows a face; the photos that are left."""
    left = []
    for name, paths in known.items():
        for place, path in enumerate(paths):
            found = faces_in(read_photo(path, colour=bundle.recipe.colour), bundle)
            if found:
                gallery.add(name, [shot_of(read_photo(path, colour=True), found[0], bundle)])
                left += [(name, other) for other in paths[:place] + paths[place + 1 :]]
                break
    return left


def recognise(path: Path, recogniser: Recogniser) -> Recognised | None:
    """The most prominent face of a photo."""
    photo = read_photo(path, colour=recogniser.bundle.recipe.colour)
    people = recogniser.recognise(photo)
    return people[0] if people else None


def report(
    bundle: Bundle, theirs: list[tuple[str, Recognised | None]], others: list[Recognised | None]
) -> None:
    """Print what came of it; `theirs` are probes of enrolled people, `others` strangers."""
    card = bundle.card
    first = sum(one is not None and one.nearest[0].name == name for name, one in theirs)
    named = sum(one is not None and one.name == name for name, one in theirs)
    wrong = sum(one is not None and one.name not in (None, name) for name, one in theirs)
    false = sum(one is not None and one.name is not None for one in others)
    unseen = sum(one is None for _, one in theirs), sum(one is None for one in others)
    print(f"trained on {card.photos}; threshold {card.threshold:.3f}, for a FAR of {card.far:.1%}")
    print(f"{ENROLLED} enrolled by one photo; {len(theirs)} other photos of them")
    print(f"  nearest is the right person (rank 1)   {first / len(theirs):6.1%}")
    print(f"  named rightly at the threshold         {named / len(theirs):6.1%}")
    print(f"  named as somebody else                 {wrong / len(theirs):6.1%}")
    print(f"{len(others)} strangers")
    print(f"  taken for one of the {ENROLLED}                {false / len(others):6.1%}")
    print(f"no face found in {unseen[0]} and {unseen[1]} photos; they count as not recognised")


if __name__ == "__main__":
    main()
