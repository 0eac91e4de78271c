"""A bundle's README.md: how to use the network without tripletlab, in plain numbers."""

from collections.abc import Mapping
from typing import Any

from tripletlab.recognition.calibration import Calibration

TEXT = """\
# {card.model}, version {card.version}

A network that maps a face to an embedding: photos of one person are close, those of two are far
apart. `bundle.json` has the same numbers for programs. The network, in ONNX:
`{network}`

| step | |
|---|---|
| find the face | {detector} |
| crop it | {crop} |
| scale it | to {size} × {size} pixels: by area where it shrinks, linearly where it grows |
| normalise it | grey, float32, values 0 to 255 as they are: the network rescales them itself |
| input | (n, {size}, {size}, 1) |
| output | (n, {dim}), float32, of unit length |
| compare two | the squared Euclidean distance, 0 to 4 |
| one person | up to the threshold {card.threshold:.4f} |

{thresholds}

| threshold | strangers accepted | photos of the same person accepted |
|---:|---:|---:|
{rows}

Trained on: {card.photos}. Licence of the training data: {card.licence}.

Releases of ONNX Runtime may report their use to Microsoft; `ORT_DISABLE_TELEMETRY=1` prevents it.

```python
{code}
```

With tripletlab: `tripletlab verify a.jpg b.jpg --bundle FOLDER`.
"""
CODE = """\
import cv2
import numpy as np
import onnxruntime
{imports}
network = onnxruntime.InferenceSession("{network}")
{setup}

def embed(path):
{face}
    faces = face[None, :, :, None].astype(np.float32)
    return network.run(None, {{network.get_inputs()[0].name: faces}})[0][0]


distance = float(np.sum((embed("a.jpg") - embed("b.jpg")) ** 2))
print(f"{{distance:.4f}}", "same" if distance <= {threshold:.4f} else "different")"""
CHOSEN_BY = """ The same pairs chose the network's epoch and
its place among others: in use it accepts more strangers than the table says."""
HAAR = "tripletlab.faces.detection.haar"
NOT_ALIGNED = "tripletlab.faces.alignment.none"
HAAR_SETUP = """\
cascade = cv2.data.haarcascades + "haarcascade_frontalface_default.xml"
detector = cv2.CascadeClassifier(cascade)
"""
HAAR_FACE = """\
    photo = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    smallest = ({min_size}, {min_size})
    boxes = detector.detectMultiScale(photo, {scale_factor}, {min_neighbors}, minSize=smallest)
    middle = np.array(photo.shape[::-1]) / 2
    distances = [np.linalg.norm(box[:2] + box[2:] / 2 - middle) for box in boxes]
    x, y, side, _ = boxes[np.argmax(boxes[:, 2] - 0.5 * np.array(distances))]  # the most prominent
    method = cv2.INTER_AREA if side > {size} else cv2.INTER_LINEAR
    face = cv2.resize(photo[y : y + side, x : x + side], ({size}, {size}), interpolation=method)"""
OTHER_SETUP = 'recipe = tripletlab.load(".").recipe\n'
OTHER_FACE = """\
    photo = cv2.imread(path, cv2.IMREAD_COLOR if recipe.colour else cv2.IMREAD_GRAYSCALE)
    face = recipe.extract(photo, recipe.detector(photo)[0])"""


def readme(card: Any, settings: Mapping[str, Any], *, network: str, dim: int) -> str:
    """The text of a bundle's README.md; `settings` are those of the preparation, `dim` the length
    of an embedding.

    Its code needs OpenCV and ONNX Runtime alone where faces are found by Haar and neither aligned
    nor given a border; otherwise tripletlab prepares them.
    """
    curve: Calibration = card.calibration
    counted, doubt = f"{curve.people} " if curve.people else "", curve.doubt(card.threshold)
    marks = {card.threshold, curve.balanced()}
    return TEXT.format(
        card=card,
        network=network,
        dim=dim,
        size=settings["size"],
        detector=_settings(settings["detector"]),
        crop=f"aligner {_settings(settings['aligner'])}; border: {settings['border']} of its side",
        thresholds=f"Counted on {curve.matched:,} matched and {curve.mismatched:,} mismatched pairs"
        f" of {counted}people whom\nthe network was not trained on. The threshold is set"
        f" for a false accept rate of {card.far:.2%}; the other\none below balances the two errors."
        + (f" The share of strangers is\n{doubt}." if doubt else "")
        + (CHOSEN_BY if card.calibrated_on == "validation" else ""),
        rows="\n".join(
            f"| {one:.4f} | {curve.far_at(one):.2%} | {curve.tar_at(one):.1%} |"
            for one in sorted(marks)
        ),
        code=_code(settings, network=network, threshold=card.threshold),
    )


def _code(settings: Mapping[str, Any], *, network: str, threshold: float) -> str:
    found, plain = settings["detector"], settings["aligner"]["_target_"] == NOT_ALIGNED
    if found["_target_"] == HAAR and plain and not settings["border"]:
        face = HAAR_FACE.format(**found, size=settings["size"])
        imports, setup = "", HAAR_SETUP
    else:
        imports, setup, face = "import tripletlab\n", OTHER_SETUP, OTHER_FACE
    return CODE.format(
        imports=imports, network=network, setup=setup, face=face, threshold=threshold
    )


def _settings(node: Mapping[str, Any]) -> str:
    """A component's name and its settings."""
    values = [f"{key} {value}" for key, value in sorted(node.items()) if not key.startswith("_")]
    return f"`{node['_target_'].removeprefix('tripletlab.faces.')}`" + (
        f" with {', '.join(values)}" if values else ""
    )
