"""Milliseconds a picture costs: detection, embedding, search; and what runs the network fastest.

    tripletlab export champion bundle --keras
    python benchmarks/latency.py bundle

Detection, embedding and search run as in the app, before TensorFlow is loaded. Then every way to
embed one face is timed in turn, round after round, so that a busy machine slows all alike. Searched
are 100,000 faces of 20,000 people.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the app does

import cv2
import numpy as np

from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.recognition.bundle import Bundle
from tripletlab.recognition.recogniser import Recogniser
from tripletlab.recognition.search import Enrolled
from tripletlab.webcam.recognition import recognise_frame

FACES, PEOPLE = 100_000, 20_000


def main() -> None:
    """Time the bundle that is given."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("bundle", type=Path)
    given.add_argument("--rounds", type=int, default=300)
    arguments = given.parse_args()
    bundle = Bundle.open(arguments.bundle)
    frame(bundle, rounds=arguments.rounds)
    runtimes(bundle, rounds=arguments.rounds)


def frame(bundle: Bundle, *, rounds: int) -> None:
    """The app's own work on pictures of 640×480 with one synthetic face each."""
    rng = np.random.default_rng(0)
    pictures = [picture(number) for number in range(20)]
    vectors = rng.normal(size=(FACES, bundle.embedder.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    offsets = np.arange(0, FACES + 1, FACES // PEOPLE)
    everyone = Enrolled([f"person {n}" for n in range(PEOPLE)], vectors, offsets)
    recogniser = Recogniser(bundle, everyone)
    frames = [recognise_frame(pictures[n % len(pictures)], recogniser) for n in range(rounds + 10)][
        10:
    ]
    with_faces = [one.timings for one in frames if one.people]
    print(f"{len(with_faces)} of {len(frames)} pictures had a face; ms: least, p50, p99")
    for name in ("detection", "embedding", "search"):
        report(name, [getattr(spent, name) for spent in with_faces])


def picture(number: int) -> np.ndarray:
    """A person in the middle of a grey picture, 640×480."""
    rng = np.random.default_rng(number)
    shown = render(draw_person(rng), draw_circumstance(rng), size=480)
    wide = cv2.copyMakeBorder(shown, 0, 0, 80, 80, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(wide, cv2.COLOR_RGB2BGR)


def runtimes(bundle: Bundle, *, rounds: int) -> None:
    """One face through every runtime that the network can be loaded in."""
    size = bundle.embedder.size
    faces = np.random.default_rng(1).integers(0, 256, (16, size, size), np.uint8)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {"ONNX Runtime": bundle.embedder}
    model = bundle.folder / "embedder.keras"
    if model.is_file():
        ways |= tensorflow_ways(model)
    else:
        print(f"no {model}: export with --keras to compare the other runtimes")
    spent: dict[str, list[float]] = {name: [] for name in ways}
    wanted = bundle.embedder(faces[:1])
    for name, way in ways.items():
        print(f"{name}: largest difference {np.abs(way(faces[:1]) - wanted).max():.1e}")
        for _ in range(5):
            way(faces[:1])
    for number in range(rounds):
        face = faces[number % len(faces)][None]
        for name, way in ways.items():
            begun = time.perf_counter()
            way(face)
            spent[name].append(1000 * (time.perf_counter() - begun))
    print("one face; ms: least, p50, p99")
    for name, times in spent.items():
        report(name, times)


def tensorflow_ways(path: Path) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Keras' own ways, a TensorFlow graph, and LiteRT on one thread."""
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path, compile=False)
    graph = tf.function(model, reduce_retracing=True)

    def floats(faces: np.ndarray) -> np.ndarray:
        return faces[..., None].astype(np.float32)

    with tempfile.TemporaryDirectory() as scratch:
        model.export(scratch, format="tf_saved_model", verbose=False)
        content = tf.lite.TFLiteConverter.from_saved_model(scratch).convert()
    lite = tf.lite.Interpreter(model_content=content, num_threads=1)
    (given,), (output,) = lite.get_input_details(), lite.get_output_details()
    lite.resize_tensor_input(given["index"], (1, *model.input_shape[1:]))
    lite.allocate_tensors()

    def light(faces: np.ndarray) -> np.ndarray:
        lite.set_tensor(given["index"], floats(faces))
        lite.invoke()
        return lite.get_tensor(output["index"])

    return {
        "LiteRT": light,
        "tf.function": lambda faces: graph(floats(faces)).numpy(),
        "Keras model(x)": lambda faces: np.asarray(model(floats(faces))),
        "Keras predict": lambda faces: model.predict(floats(faces), verbose=0),
    }


def report(name: str, times: list[float]) -> None:
    """A line of the table; the least is what a busy machine's other work disturbs least."""
    least, middle, most = np.percentile(times, (0, 50, 99))
    print(f"  {name:<16}{least:9.2f}{middle:9.2f}{most:9.2f}")


if __name__ == "__main__":
    main()
