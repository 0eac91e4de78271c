"""Photos a second against a plain loop, what a photo costs, and memory at 1× and 10× the photos.

`python benchmarks/preparation.py speed` prepares synthetic people with all cores and, in turns with
it, runs the same OpenCV calls in one loop of one process, with one thread and with OpenCV's own
threads; medians of the rounds. `python benchmarks/preparation.py cost --photos FOLDER` prints the
processor time that each choice of conf/faces takes for a photo. `python benchmarks/preparation.py
memory` prepares few and ten times as many faces, each in a process of its own, and prints the most
memory that it and a worker had.
"""

import argparse
import functools
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.faces.cropping import crop, read_photo
from tripletlab.faces.detection import haar
from tripletlab.faces.preparation import prepare_faces
from tripletlab.photos.hygiene import Hygiene
from tripletlab.photos.sources import folder
from tripletlab.photos.tree import list_identities
from tripletlab.system.progress import cores

find = functools.partial(haar, scale_factor=1.1, min_neighbors=4, min_size=30)


def recipe(choice):
    """A choice of conf/faces; None where the file that it needs is missing."""
    try:
        return config.compose("prepare", [f"faces={choice}"]).faces.build()
    except InputError as error:
        print(f"faces={choice}: left out ({error})")


def prepare(photos, place, recipe):
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


def plain_loop(files, threads):
    """What anyone would write first."""
    cv2.setNumThreads(threads)
    faces = []
    for file in files:
        photo = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        boxes = find(photo)
        if boxes:
            faces.append(crop(photo, boxes[0], size=64))
    return np.stack(faces)


def speed(given):
    if given.photos:
        photos = folder(detected=[str(given.photos)], cropped=[])
    else:
        composed = config.compose("prepare", [f"photos.people={given.people}"])
        photos = composed.photos.build()()
    files = [file for own in list_identities(photos.trees[0]).values() for file in own]
    assert read_photo(files[0]) is not None
    paper = recipe("paper")
    rates = {"one loop, one thread": [], "one loop, OpenCV's threads": [], "tripletlab": []}
    with TemporaryDirectory() as place:
        prepare(photos, place, paper)  # the workers are there from now on
        for _ in range(given.rounds):
            for name, work in (
                ("one loop, one thread", lambda: plain_loop(files, 1)),
                ("one loop, OpenCV's threads", lambda: plain_loop(files, -1)),
                ("tripletlab", lambda: prepare(photos, place, paper)),
            ):
                start = time.perf_counter()
                work()
                rates[name].append(len(files) / (time.perf_counter() - start))
    base = statistics.median(rates["one loop, one thread"])
    print(f"{len(files):,} photos, {cores()} cores, median of {given.rounds} rounds")
    for name, found in rates.items():
        middle = statistics.median(found)
        print(f"{name:<28}{middle:>8.0f} photos/s{middle / base:>7.2f}×")


def cost(given):
    """Processor time, which other jobs on the machine change little."""
    cv2.setNumThreads(1)
    found = {one: recipe(one) for one in ("paper", "aligned", "cleaned", "yunet")}
    choices, recipes = zip(*((name, one) for name, one in found.items() if one), strict=True)
    files = sorted(given.photos.glob("*/*.*"))
    files = files[:: max(1, len(files) // 130)]
    spent = np.zeros((len(files), len(recipes)))
    for row, file in enumerate(files):
        for column, one in enumerate(recipes):
            start = time.process_time()
            one.face(file, cropped=False)
            spent[row, column] = time.process_time() - start
    for name, seconds in zip(choices, spent[1:].mean(axis=0), strict=True):  # the first loads files
        print(f"faces={name:<10}{1000 * seconds:>6.1f} ms a photo, {len(files)} photos, one thread")


def noise(root, people, photos):
    """A tree of small pictures that are taken as faces."""
    rng = np.random.default_rng(0)
    for person in range(people):
        own = root / f"p{person:05d}"
        own.mkdir(parents=True)
        for number, image in enumerate(rng.integers(0, 256, (photos, 32, 32), np.uint8)):
            cv2.imwrite(str(own / f"{number:04d}.png"), image)


CHILD = """
import resource, sys
sys.path.insert(0, {benchmarks!r})
from pathlib import Path
from joblib.externals.loky import get_reusable_executor
from preparation import prepare, recipe
from tripletlab.photos.sources import TrainingPhotos
from tripletlab.photos.tree import Tree
tree = Tree("noise", (Path(sys.argv[1]),), cropped=True)
made = prepare(TrainingPhotos("noise", (tree,)), sys.argv[2], recipe("precropped"))
get_reusable_executor().shutdown(wait=True)
own, workers = (resource.getrusage(who).ru_maxrss / 1024 for who in (
    resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(own, workers, made.path.stat().st_size / 1e6)
"""


def memory(given):
    print(f"{'faces':>9}{'main process':>15}{'a worker':>11}{'faces.h5':>11}  MB")
    for times in (1, 10):
        with TemporaryDirectory() as place:
            people = given.people * times
            noise(Path(place) / "noise", people, 50)
            code = CHILD.format(benchmarks=str(Path(__file__).parent))
            command = [sys.executable, "-c", code, f"{place}/noise", f"{place}/data"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            own, worker, size = map(float, done.stdout.split())
            print(f"{people * 50:>9,}{own:>15.0f}{worker:>11.0f}{size:>11.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["speed", "cost", "memory"])
    parser.add_argument("--photos", type=Path, help="a tree of photos for speed and cost")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=100, help="with 20 photos, or 50 faces, each")
    given = parser.parse_args()
    {"speed": speed, "cost": cost, "memory": memory}[given.what](given)


if __name__ == "__main__":
    main()
