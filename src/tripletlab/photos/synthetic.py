"""Synthetic people as photos on disk, laid out as VGGFace2 and LFW are: targets of conf/.

A person depends on the seed and on the person's number alone, a photo also on the photo's number:
more people or photos extend the same set.
"""

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from tripletlab.errors import InputError
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.pairs import NamedPair, PhotoOf, draw_pairs, write_pairs_txt
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.photos.sources import (
    MAP_PEOPLE,
    TrainingPhotos,
    VerificationPhotos,
    lfw_layout,
    vggface2,
)
from tripletlab.system.files import make_whole_folder
from tripletlab.system.parallel import parallel_map

TITLE = "synthetic people"
FOLDS = 10  # of pairs.txt, as LFW's
QUALITY = 92  # of the JPEG files
SYLLABLES = "ba be bo da de do fa fi ga go ka ke ko la le li lo ma me mi na ne no pa ra ri ro sa se"
RENDERER = "".join(
    hashlib.sha256(Path(__file__).with_name(name).read_bytes()).hexdigest()[:4]
    for name in ("person.py", "conditions.py", "head.py", "rendering.py", "synthetic.py")
)

Seed = Annotated[int, Field(ge=0)]
People = Annotated[int, Field(ge=4, le=9999)]
Photos = Annotated[int, Field(ge=2, le=9999)]
Size = Annotated[int, Field(ge=64, le=1024)]


def synthetic(
    *, folder: str, seed: Seed, people: People, photos: Photos, size: Size
) -> TrainingPhotos:
    """Photos to train with: `people` with `photos` each, a tenth of the people in test/."""
    drawn = [_Album([seed, 0, number], photos) for number in range(people)]
    names = [f"n{number:06d}" for number in range(1, people + 1)]
    parts = ["test" if number % 10 == 9 else "train" for number in range(people)]

    def lay_out(root: Path) -> list[Path]:
        with (root / "identity_meta.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["Class_ID", "Name", "Sample_Num", "Flag"])
            for name, part in zip(names, parts, strict=True):
                table.writerow([name, f"synthetic {name}", photos, int(part == "train")])
        return [
            root / part / name / "{:04d}_01.jpg" for part, name in zip(parts, names, strict=True)
        ]

    path = _drawn(folder, "training", drawn, size, lay_out)
    return TrainingPhotos(TITLE, vggface2(path=str(path)).trees)


def synthetic_pairs(
    *,
    folder: str,
    seed: Seed,
    people: Annotated[int, Field(ge=40, le=9999)],
    per_fold: Annotated[int, Field(ge=1)],
    size: Size,
) -> VerificationPhotos:
    """Other people in LFW's layout: 20 with 20 photos for the map, the others with 4 to 8 each.

    `per_fold` matched and as many mismatched pairs in each of ten folds that share no person.
    """
    rng = np.random.default_rng([seed, 1])
    counts = rng.integers(4, 9, people)
    counts[:MAP_PEOPLE] = MAP_PEOPLE
    names = _names(people, rng)
    drawn = [_Album([seed, 1, number], int(count)) for number, count in enumerate(counts)]

    def lay_out(root: Path) -> list[Path]:
        pairs = _named_pairs(names, counts.tolist(), per_fold, seed)
        write_pairs_txt(root / "pairs.txt", pairs, folds=FOLDS)
        (root / "umap_people.txt").write_text("\n".join(names[:MAP_PEOPLE]) + "\n")
        return [root / "lfw" / name / (name + "_{:04d}.jpg") for name in names]

    path = _drawn(folder, "verification", drawn, size, lay_out, more=f"{per_fold}")
    return lfw_layout(path, title=TITLE)


@dataclass(frozen=True)
class _Album:
    """A person's seed and number of photos."""

    seed: list[int]
    photos: int


def _draw_album(task: tuple[_Album, Path], *, size: int) -> None:
    """What a worker does: a person's photos, to files numbered from 1."""
    album, pattern = task
    cv2.setNumThreads(1)
    person = draw_person(np.random.default_rng(album.seed))
    pattern.parent.mkdir(parents=True)
    for number in range(1, album.photos + 1):
        circumstance = draw_circumstance(np.random.default_rng([*album.seed, number]))
        photo = cv2.cvtColor(render(person, circumstance, size=size), cv2.COLOR_RGB2BGR)
        content = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        # Not cv2.imwrite, which returns False where the disk is full
        Path(str(pattern).format(number)).write_bytes(content.tobytes())


def _drawn(
    folder: str,
    name: str,
    albums: Sequence[_Album],
    size: int,
    lay_out: Callable[[Path], Sequence[Path]],
    more: str = "",
) -> Path:
    """The folder with the photos."""
    settings = f"{RENDERER} {size} {albums} {more}"
    key = hashlib.sha256(settings.encode()).hexdigest()[:8]
    path = Path(folder).resolve() / f"synthetic-{name}-{key}"

    def draw(root: Path) -> None:
        tasks = list(zip(albums, lay_out(root), strict=True))
        title = f"Drawing synthetic people, {name}"
        work = partial(_draw_album, size=size)
        parallel_map(work, tasks, title=title, size=lambda task: task[0].photos)

    make_whole_folder(path, draw)
    return path


def _names(people: int, rng: np.random.Generator) -> list[str]:
    """Invented names, all different."""
    syllables = SYLLABLES.split()
    names: dict[str, None] = {}
    while len(names) < people:
        given, family = ("".join(rng.choice(syllables, 3)).capitalize() for _ in range(2))
        names[f"{given}_{family}"] = None
    return list(names)


def _named_pairs(
    names: Sequence[str], counts: Sequence[int], per_fold: int, seed: int
) -> list[NamedPair]:
    """The lines of pairs.txt; InputError where the people are too few for so many pairs."""
    photos = [
        PhotoOf(name, number)
        for name, count in zip(names, counts, strict=True)
        for number in range(1, count + 1)
    ]
    groups = np.split(np.arange(len(photos)), np.cumsum(counts)[:-1])
    one_tree = np.zeros(len(groups), np.int64)
    pairs = draw_pairs(groups, one_tree, folds=FOLDS, per_fold=per_fold, seed=seed)
    if len(pairs.fold) < FOLDS * 2 * per_fold:
        raise InputError(
            f"verification.per_fold={per_fold}: {len(names)} people do not have so many pairs;"
            " give a larger verification.people"
        )
    ends = zip(pairs.first, pairs.second, pairs.fold, strict=True)
    return [NamedPair(photos[one], photos[other], int(fold)) for one, other, fold in ends]
