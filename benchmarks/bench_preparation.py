"""Photos to faces: speed relative to plain loops, time for a photo, and memory at two sizes."""

import functools
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from harness import DATA, Result, interleaved, number, ratios
from numpy.typing import NDArray

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.cropping import crop
from tripletlab.faces.detection import haar
from tripletlab.faces.preparation import prepare_faces
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.faces.store_paths import Preparation
from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree, list_identities

DRAWN = ("photos.people=20", "photos.photos=20", "photos.size=250")  # as large as LFW's
CHOICES = ("paper", "aligned", "cleaned", "yunet")
COSTED = 100  # photos whose processor time is taken
PEOPLE, EACH, TIMES = 100, 50, (1, 10)  # of noise, for the memory


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table."""
    photos = config.compose("prepare", [f"data={DATA}", *DRAWN]).photos.build()()
    files = [file for own in list_identities(photos.trees[0]).values() for file in own]
    yield from _speed(photos, files, rounds=min(rounds, 3))
    yield from _costs(files[:: len(files) // COSTED], rounds=min(rounds, 3))
    yield from (_memory(times * PEOPLE) for times in TIMES)


def recipe(choice: str) -> FaceRecipe:
    """A choice of conf/faces; InputError where the file that it needs is missing."""
    built: FaceRecipe = config.compose("prepare", [f"faces={choice}"]).faces.build()
    return built


def prepare(photos: TrainingPhotos, place: str, recipe: FaceRecipe) -> Preparation:
    """Prepare a tree of photos."""
    return prepare_faces(
        photos,
        recipe,
        hygiene=Hygiene(exclude=[], shared="allow"),
        verification_people={},
        heldout=None,
        settings={},
        folder=Path(place),
        fresh=True,
    )


def _speed(photos: TrainingPhotos, files: list[Path], *, rounds: int) -> Iterator[Result]:
    """All cores, against one process that calls OpenCV in a loop."""
    with tempfile.TemporaryDirectory() as place:
        ways: dict[str, Callable[[], object]] = {
            "own": lambda: prepare(photos, place, recipe("paper")),
            "one thread": lambda: plain_loop(files, 1),
            "OpenCV's threads": lambda: plain_loop(files, -1),
        }
        ways["own"]()  # the workers are there from now on
        spent = interleaved(ways, rounds=rounds, title="preparation", warm=0)
    own = spent.pop("own")
    name = f"{len(files)} drawn photos prepared"
    yield Result(name, "photos/s", tuple(len(files) / seconds for seconds in own))
    for other, seconds in spent.items():
        title = f"{name}: speed relative to a plain loop with {other}"
        yield Result(title, "×", ratios(own, base=seconds))


def plain_loop(files: list[Path], threads: int) -> NDArray[np.uint8]:
    """What anyone would write first."""
    find = functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30)
    cv2.setNumThreads(threads)
    faces = []
    for file in files:
        photo = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if boxes := find(photo):
            faces.append(crop(photo, boxes[0], size=64))
    return np.stack(faces)


def _costs(files: list[Path], *, rounds: int) -> Iterator[Result]:
    """Processor time, which other jobs on the machine change little; the choices take turns."""
    cv2.setNumThreads(1)
    recipes: dict[str, FaceRecipe] = {}
    for choice in CHOICES:
        try:
            one = recipe(choice)
        except InputError:
            yield Result(_cost(choice), "ms", note="its file is missing: tripletlab fetch yunet")
            continue
        one.face(files[0], cropped=False)  # loads what it needs
        recipes[choice] = one
    spent = {choice: [[] for _ in range(rounds)] for choice in recipes}
    for turn in range(rounds):
        for file in files:
            for choice, one in recipes.items():
                started = time.process_time()
                one.face(file, cropped=False)
                spent[choice][turn].append(1000 * (time.process_time() - started))
    for choice, turns in spent.items():
        note = f"one thread, mean of {len(files)} photos of 250×250"
        yield Result(_cost(choice), "ms", tuple(map(statistics.mean, turns)), note=note)
    cv2.setNumThreads(-1)


def _cost(choice: str) -> str:
    return f"processor time of a photo, faces={choice}"


def _memory(people: int) -> Result:
    """The most that a process has which prepares so many people; this file, as a script, is it."""
    with tempfile.TemporaryDirectory() as place:
        noise(Path(place) / "noise", people)
        command = [sys.executable, __file__, f"{place}/noise", f"{place}/data"]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    own, worker, size = map(float, done.stdout.split())
    title = f"memory, {people * EACH:,} faces prepared"
    note = f"a worker {number(worker)} MB, the file {number(size)} MB"
    return Result(title, "MB", (own,), note=note)


def noise(root: Path, people: int) -> None:
    """A tree of small pictures that are taken as faces."""
    rng = np.random.default_rng(0)
    for person in range(people):
        own = root / f"p{person:05d}"
        own.mkdir(parents=True)
        for place, image in enumerate(rng.integers(0, 256, (EACH, 32, 32), np.uint8)):
            cv2.imwrite(str(own / f"{place:04d}.png"), image)


def main(tree: str, place: str) -> None:
    """Prepare a tree of faces; print MB: of this process and of a worker, at most, and the file."""
    photos = TrainingPhotos("noise", (Tree("noise", (Path(tree),), cropped=True),))
    made = prepare(photos, place, recipe("precropped"))
    workers = [
        pid
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]
    print(_most("self"), max(map(_most, workers)), made.path.stat().st_size / 1e6)


def _most(process: str) -> float:
    """Resident MB at most (Linux); `getrusage` would count what its parent had before it."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
