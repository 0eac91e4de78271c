"""The commands that write: how each starts, what it begins with, and what it must leave behind."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import pytest

from tests.torture import states
from tests.torture.processes import said, start
from tests.webcam.bundles import write_pixel_bundle
from tests.webcam.people import ANN, BEN, before_the_camera, picture, write_video
from tripletlab.system.temporary_files import LOCK, YOUNG

PAIRS = ["verification=lfw", "verification.path=pairs"]  # drawn, without a map of people
FEW = ["photos.people=10", "photos.photos=6", "faces.min_photos=2"]
DRAWN = [*FEW, "verification.people=40", "verification.per_fold=1"]
PHOTOS = [*FEW, *PAIRS]
TINY = [
    *(*PHOTOS, "architecture=simple_cnn", "architecture.width=0.25"),
    *("batches.people=4", "batches.photos=3", "batches.steps=2", "fit.epochs=2"),
]
LONGEST = 900  # seconds of a command, on a busy machine


class Command(NamedTuple):
    """A command, and how to see what became of its work."""

    name: str
    words: list[str]
    needs: str  # the folder that it begins with
    check: Callable  # that the state is old or new, at any moment
    finished: Callable  # that all of it is there
    prepare: Callable | None = None  # called in the process before the command


def complete(command, folder):
    """The same command once more, undisturbed: it ends well, and leaves nothing but its results."""
    for lock in (folder / "tmp").glob(f"*/{LOCK}"):  # a minute passes
        os.utime(lock, (time.time() - 2 * YOUNG,) * 2)
    run(command, folder)
    command.finished(folder)
    states.require_nothing_left(folder)


def run(command, folder):
    """The command from beginning to end; how many seconds it took."""
    began = time.monotonic()
    process = start(folder, command.words, prepare=command.prepare)
    process.join(LONGEST)
    if "no window can be opened" in said(folder):
        pytest.skip("no OpenGL is here")
    assert process.exitcode == 0, f"{process.exitcode}: {said(folder)[-3000:]}"
    return time.monotonic() - began


class Bases:
    """The folders that commands begin with."""

    def __init__(self, root):
        self.root = root

    def folder(self, name):
        """The folder of that name, made where it is not there yet."""
        folder = self.root / name
        if not folder.exists():
            getattr(self, f"_{name}")(folder)
        return folder

    def _drawn(self, folder):
        self._done(folder, ["prepare", *DRAWN])

    def _empty(self, folder):
        """Only the photos of the pairs to verify, of nobody to map: UMAP would take long."""
        (drawn,) = self.folder("drawn").glob("data/photos/synthetic-verification-*")
        pairs = folder / "pairs"
        pairs.mkdir(parents=True)
        (pairs / "umap_people.txt").touch()
        shutil.copy(drawn / "pairs.txt", pairs)
        for line in (drawn / "pairs.txt").read_text().splitlines()[1:]:
            one, first, *other, second = line.split()
            for name, number in ((one, first), (other[0] if other else one, second)):
                photo = Path("lfw", name, f"{name}_{int(number):04d}.jpg")
                (pairs / photo.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(drawn / photo, pairs / photo)

    def _faces(self, folder):
        shutil.copytree(self.folder("empty"), folder)
        self._done(folder, PREPARE.words)

    def _trained(self, folder):
        shutil.copytree(self.folder("faces"), folder)
        self._done(folder, ["train", *TINY, "--register"])
        self._done(folder, ["export", "champion", "bundle", "--far", "0.05"])

    def _enrolled(self, folder):
        folder.mkdir()
        write_pixel_bundle(folder)
        for name, seed in (("ann", ANN), ("ben", BEN)):
            for number in range(2):
                cv2.imwrite(str(folder / f"{name}{number}.png"), picture(seed, number))
        write_video(folder / "ann.avi", before_the_camera(ANN))
        self._done(folder, ["enrol", "Ann", "ann0.png", "ann1.png"])

    def _done(self, folder, words):
        process = start(folder, words)
        process.join(LONGEST)
        assert process.exitcode == 0, said(folder)[-3000:]


def _record_people():
    """Have the app record three people, without its pauses, and close its window."""
    from tripletlab.webcam import guide

    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    guide.PAUSE = guide.PATIENCE = 0.0
    threading.Thread(target=_record_once_it_runs, daemon=True).start()


def _record_once_it_runs():
    while "tripletlab.webcam.app" not in sys.modules:
        time.sleep(0.01)
    from kivy.app import App
    from kivy.clock import Clock

    while not (App.get_running_app() and App.get_running_app().root):
        time.sleep(0.01)
    app, names = App.get_running_app(), iter(["one", "two", "three"])

    def record(_dt):
        if app.session.recording is None:
            if name := next(names, None):
                app.session.record(name, instead=name in app.session.gallery.people())
            else:
                app.stop()

    Clock.schedule_interval(record, 0.01)


PREPARE = Command(
    "prepare", ["prepare", *PHOTOS], "empty", states.require_whole_faces, states.require_prepared
)
TRAIN = Command(
    "train",
    ["train", *TINY, "--register"],
    "faces",
    states.require_whole_runs,
    partial(states.require_finished, runs=1),
)
COMMANDS = {
    one.name: one
    for one in (
        PREPARE,
        TRAIN,
        Command(
            "sweep",
            ["sweep", *TINY, "axes.miner=[hard]"],  # two trials
            "faces",
            states.require_whole_runs,
            partial(states.require_finished, runs=3),
        ),
        Command(
            "evaluate",
            ["evaluate", "champion", *PAIRS, "flip=true"],
            "trained",
            states.require_whole_card,
            states.require_evaluated,
        ),
        Command(
            "export",
            ["export", "champion", "bundle", "--far", "0.1"],
            "trained",
            states.require_bundle,
            partial(states.require_bundle, far=[0.1]),
        ),
        Command(
            "enrol",
            ["enrol", "Ben", "ben0.png", "ben1.png"],
            "enrolled",
            partial(states.require_gallery, Ben=2),
            partial(states.require_gallery, Ben=2, all_there=True),
        ),
        Command(
            "app",
            ["webcam", "--source", "ann.avi"],
            "enrolled",
            partial(states.require_gallery, one=5, two=5, three=5),
            partial(states.require_gallery, one=5, two=5, three=5, all_there=True),
            prepare=_record_people,
        ),
    )
}
