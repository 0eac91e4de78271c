"""What a face at the camera costs: the network, the detectors, and a whole frame."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
from harness import Result, interleaved, ratios
from latency import picture

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.experiment.export import write_onnx
from tripletlab.faces.recipe import FaceRecipe
from tripletlab.recognition.embedder import Embedder, read_network
from tripletlab.recognition.recogniser import Recogniser
from tripletlab.recognition.search import Enrolled
from tripletlab.training import backend
from tripletlab.webcam.recognition import recognise_frame

FRAMES, SIZE, PEOPLE = 20, 64, 1_000
THRESHOLD = 0.3  # squared distance


def results(rounds: int) -> Iterator[Result]:
    """Lines of the table; the network is untrained, which changes no speed."""
    network = config.compose("train", []).architecture.build(input_size=SIZE)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "embedder.onnx"
        write_onnx(network, path)
        content = read_network(path)
    own = Embedder(content, name="embedder.onnx")
    yield from _one_face(own, content, network, rounds=20 * rounds)
    frames = [picture(number) for number in range(FRAMES)]
    for name in ("paper", "yunet"):
        try:
            recipe = config.compose("train", [f"faces={name}"]).faces.build()
        except InputError:
            missing = "its file is missing: tripletlab fetch yunet"
            yield Result(f"detection in 640×480, faces={name}", "ms", most=8, note=missing)
            continue
        yield from _frames(recipe, own, frames, name=name, rounds=rounds)


def _one_face(own: Embedder, content: bytes, network: Any, *, rounds: int) -> Iterator[Result]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    _, light = backend.litert(network)
    face = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE), np.uint8)
    floats = face[..., None].astype(np.float32)
    ways: dict[str, Callable[[], object]] = {
        "own": lambda: own(face),
        "bare": lambda: session.run(None, {given: floats}),
        "LiteRT": lambda: light(face),
    }
    spent = interleaved(ways, rounds=rounds, title="one face", warm=5)
    alone = tuple(1000 * seconds for seconds in spent["own"])
    yield Result("one face, the app's embedder", "ms", alone, note="ONNX Runtime, one thread")
    slower = ratios(spent["bare"], base=spent["own"])
    yield Result("one face: time, of bare ONNX Runtime's", "×", slower, most=1.2)
    slower = ratios(spent["bare"], base=spent["LiteRT"])
    yield Result("one face: LiteRT's time, of bare ONNX Runtime's", "×", slower)


def _frames(
    recipe: FaceRecipe, embedder: Embedder, frames: list[Any], *, name: str, rounds: int
) -> Iterator[Result]:
    """Whole frames of 640×480 with one drawn face each, a thousand people enrolled."""
    vectors = np.random.default_rng(0).normal(size=(PEOPLE, embedder.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    everyone = Enrolled([f"person {n}" for n in range(PEOPLE)], vectors, np.arange(PEOPLE + 1))
    bundle: Any = SimpleNamespace(
        recipe=recipe, embedder=embedder, card=SimpleNamespace(threshold=THRESHOLD)
    )
    recogniser = Recogniser(bundle, everyone)
    found = [recognise_frame(one, recogniser) for _ in range(rounds) for one in frames]
    timings = [one.timings for one in found[FRAMES:]]  # the first of each warms up
    detection = tuple(spent.detection for spent in timings)
    note = f"{sum(bool(one.people) for one in found[:FRAMES])} of {FRAMES} faces found"
    yield Result(f"detection in 640×480, faces={name}", "ms", detection, most=8, note=note)
    speeds = tuple(1000 / sum(spent) for spent in timings)
    yield Result(f"whole frames, faces={name}", "a second", speeds, least=60)
