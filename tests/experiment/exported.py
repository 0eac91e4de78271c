"""A run to export, and photos to ask a served bundle about."""

import struct
import zlib

import cv2
import keras
import numpy as np

from tripletlab import config
from tripletlab.experiment.data import prepare
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render

DATA = ["photos=folder", "verification=heldout", "verification.folds=2"]
DATA += ["verification.fraction=0.4", "faces.validation_fraction=0.2"]


def network(choice, *more):
    """An architecture whose every weight, biases too, is off its initial value."""
    keras.utils.set_random_seed(1)
    plain = config.compose("train", [f"architecture={choice}", *more])
    embedder = plain.architecture.build(input_size=64)
    for weight in embedder.trainable_weights:
        noise = np.random.default_rng(2).normal(size=weight.shape)
        weight.assign(np.asarray(weight) * 1.1 + 0.01 * noise)
    return embedder


def draw_photos(folder):
    """Twelve synthetic people with eight photos each."""
    for number in range(12):
        person = draw_person(np.random.default_rng(number))
        (folder / f"person {number}").mkdir(parents=True)
        for shot in range(1, 9):
            circumstance = draw_circumstance(np.random.default_rng([number, shot]))
            photo = cv2.cvtColor(render(person, circumstance, size=128), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / f"person {number}" / f"{shot}.jpg"), photo)


def plain_photo():
    """A photo without a face, as a file's bytes."""
    return bytes(cv2.imencode(".png", np.full((90, 90), 128, np.uint8))[1])


def bomb():
    """A PNG file of a few KB that says it has 144 megapixels, and decodes to as many."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 12000, 12000, 1, 0, 0, 0, 0)  # one bit a pixel
    pixels = zlib.compress(bytes(12000 * (1 + 12000 // 8)))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def logged_run(root):
    """A run as `train` leaves it, without the training; the overrides that find it, and its id."""
    draw_photos(root / "photos")
    places = [f"tracking.folder={root / 'mlruns'}", f"data={root / 'data'}"]
    composed = config.compose("train", [*DATA, f"photos.cropped=[{root / 'photos'}]", *places])
    faces = prepare(composed, fresh=False).faces
    tracker = composed.tracking.build()
    tracker.open()
    titles = {"photos": faces.title, "verification": "nobody"}
    prints = {"faces_fingerprint": faces.fingerprint, "pairs_fingerprint": "none"}
    with tracker.run("short", params={"photos": "synthetic"}, tags=titles | prints) as run:
        run.metrics({"test/accuracy": 0.5})
        run.model(network("simple_cnn", "architecture.width=0.1"))
    return root, places, run.run_id
