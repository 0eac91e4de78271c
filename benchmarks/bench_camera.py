"""What a face at the camera costs: runtimes, detectors, whole frames, a search, and the start."""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import tensorflow as tf
from harness import Result, interleaved, ratios, timed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.export import write_onnx
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.recognition.bundle import Bundle, Card, write_bundle
from tripletlab.recognition.calibration import calibrate
from tripletlab.recognition.recogniser import Recogniser
from tripletlab.recognition.search import Enrolled
from tripletlab.training import backend
from tripletlab.webcam.recognition import recognise_frame

FRAMES, SIZE, PEOPLE = 20, 64, 1_000
SEARCHED, OF_PEOPLE = 100_000, 20_000  # faces, five of each person
THRESHOLD = 0.3  # squared distance
NEEDED = ("Xvfb", "xdotool")  # to see the app's window


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table; the network is untrained, which changes no speed."""
    network = config.compose("train", []).architecture.build(input_size=SIZE)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = _bundle(network, Path(scratch))
        yield from _one_face(bundle, network, rounds=rounds)
        yield from _frames(bundle, rounds=rounds)
        yield _search(bundle.embedder.dim, rounds=20 * rounds)
        yield _start(bundle.folder, rounds=min(rounds, 5))


def _bundle(network: Any, folder: Path) -> Bundle:
    """The network as the app is given it, with a card of no particular training."""
    write_onnx(network, folder / "embedder.onnx")
    unknown = dict.fromkeys(
        ("model", "version", "run_id", "photos", "verification", "licence"), "none"
    )
    digests = dict.fromkeys(("faces_fingerprint", "pairs_fingerprint"), "0" * 64)
    curve = calibrate(np.linspace(0.01, 3.99, 200), np.arange(200) % 3 == 0)
    card = Card(**unknown, **digests, metrics={}, threshold=THRESHOLD, far=0.01, calibration=curve)
    return write_bundle(
        folder / "bundle",
        folder / "embedder.onnx",
        weights="0" * 64,
        faces=config.compose("train", []).faces.settings,
        card=card,
    )


def _one_face(bundle: Bundle, network: Any, *, rounds: int) -> Iterator[Result]:
    """The app's way against what runs the same network: the slow ones have turns of their own."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    (file,) = bundle.folder.glob("embedder-*.onnx")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    _, light = backend.litert(network)
    graph = tf.function(network)
    face = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE), np.uint8)
    floats = face[..., None].astype(np.float32)
    bare = {"bare": lambda: session.run(None, {given: floats})}
    own = "the app's embedder"
    fast: dict[str, Callable[[], object]] = {
        own: lambda: bundle.embedder(face),
        "LiteRT": lambda: light(face),
    }
    slow: dict[str, Callable[[], object]] = {
        "tf.function": lambda: graph(floats).numpy(),
        "Keras model(x)": lambda: network(floats).numpy(),
        "Keras predict": lambda: network.predict(floats, verbose=0),
    }
    for ways, times in ((fast, 20 * rounds), (slow, 3 * rounds)):
        spent = interleaved({**bare, **ways}, rounds=times, title="one face", warm=5)
        base = spent.pop("bare")
        if own in spent:
            alone = tuple(1000 * seconds for seconds in spent[own])
            yield Result(f"one face, {own}", "ms", alone, note="ONNX Runtime, one thread")
        for name, seconds in spent.items():
            title = f"one face: time by {name} relative to bare ONNX Runtime"
            most = 1.2 if name == own else None
            yield Result(title, "×", ratios(base, base=seconds), most=most)


def _frames(bundle: Bundle, *, rounds: int) -> Iterator[Result]:
    """Whole frames of 640×480 with one drawn face each, a thousand people enrolled."""
    frames = [picture(number) for number in range(FRAMES)]
    everyone = _enrolled(PEOPLE, PEOPLE, bundle.embedder.dim)
    for name in ("paper", "yunet"):
        try:
            recipe = config.compose("train", [f"faces={name}"]).faces.build()
        except InputError:
            missing = "its file is missing: tripletlab fetch yunet"
            yield Result(f"detection in 640×480, faces={name}", "ms", most=8, note=missing)
            continue
        recogniser = Recogniser(dataclasses.replace(bundle, recipe=recipe), everyone)
        found = [recognise_frame(one, recogniser) for _ in range(rounds) for one in frames]
        timings = [one.timings for one in found[FRAMES:]]  # the first of each warms up
        detection = tuple(spent.detection for spent in timings)
        note = f"{sum(bool(one.people) for one in found[:FRAMES])} of {FRAMES} faces found"
        yield Result(f"detection in 640×480, faces={name}", "ms", detection, most=8, note=note)
        speeds = tuple(1000 / sum(spent) for spent in timings)
        yield Result(f"whole frames, faces={name}", "a second", speeds, least=60)


def picture(number: int) -> NDArray[np.uint8]:
    """A drawn person in the middle of a grey picture, (480, 640, 3)."""
    rng = np.random.default_rng(number)
    shown = render(draw_person(rng), draw_circumstance(rng), size=480)
    wide = cv2.copyMakeBorder(shown, 0, 0, 80, 80, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(wide, cv2.COLOR_RGB2BGR), np.uint8)


def _enrolled(faces: int, people: int, dim: int) -> Enrolled:
    """Random embeddings, as many of each person."""
    vectors = np.random.default_rng(0).normal(size=(faces, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    offsets = np.arange(0, faces + 1, faces // people)
    return Enrolled([f"person {number}" for number in range(people)], vectors, offsets)


def _search(dim: int, *, rounds: int) -> Result:
    """One face among many."""
    everyone = _enrolled(SEARCHED, OF_PEOPLE, dim)
    probe = np.eye(1, dim, dtype=np.float32)[0]
    with threadpool_limits(1):  # as in the app
        spent = [timed(lambda: everyone.nearest(probe, people=3)) for _ in range(rounds + 1)]
    title = f"searching {SEARCHED:,} faces of {OF_PEOPLE:,} people"
    return Result(title, "ms", tuple(1000 * one for one in spent[1:]), note="one thread")


def _start(bundle: Path, *, rounds: int) -> Result:
    """From the command to the window, on a screen that nobody sees."""
    title = "tripletlab webcam, to its window"
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        return Result(title, "s", note=f"not installed: {' and '.join(missing)}")
    screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24"]
    with subprocess.Popen(
        screen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout
            env = {**os.environ, "DISPLAY": f":{server.stdout.readline().strip()}"}
            spent = [_shown(bundle, env) for _ in range(rounds + 1)]
        finally:
            server.terminate()
    return Result(title, "s", tuple(spent[1:]))  # the first reads the files from the disk


def _shown(bundle: Path, env: dict[str, str]) -> float:
    """Seconds from the command until the window is there; then it is closed."""
    with tempfile.TemporaryDirectory() as gallery:
        command = [sys.executable, "-m", "tripletlab", "webcam", str(bundle)]
        command += ["--gallery", gallery, "--source", gallery]
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--class", "tripletlab"]

        started = time.perf_counter()
        with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as app:
            try:
                subprocess.run(search, env=env, check=True, stdout=subprocess.DEVNULL, timeout=60)
                return time.perf_counter() - started
            finally:
                app.kill()
