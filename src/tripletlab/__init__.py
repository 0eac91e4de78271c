"""Photos become faces, faces become embeddings; networks are compared, and the best is used.

From a notebook: `load` opens a bundle, `verify` compares two photos with it, `embed` a network's
embeddings of faces; `TripletLoss` trains any Keras model whose outputs are unit embeddings.
"""

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"
# The most pixels of a photo, which OpenCV reads as it is imported; one's own smaller limit stays.
_own = os.environ.get("OPENCV_IO_MAX_IMAGE_PIXELS", "")
if not _own.isdecimal() or int(_own) > 100_000_000:
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = "100000000"
# TensorFlow by itself takes oneDNN only with AVX-512; with AVX2 it is up to 1.6 times as fast, too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
_WHERE = {  # imported when they are asked for: TensorFlow takes seconds
    "load": "recognition.bundle",
    "verify": "recognition.photos",
    "embed": "training.inference",
    "TripletLoss": "triplets.keras_loss",
    "TripletModel": "training.model",
    "miners": "triplets.miners",
}
__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"tripletlab has no {name}; it has {', '.join(_WHERE)}")
    try:
        module = import_module(f"tripletlab.{_WHERE[name]}")
    except ModuleNotFoundError as error:
        from tripletlab.system.extras import missing_extra

        raise ImportError(f"tripletlab.{name}: {missing_extra(error) or error}") from error
    return module if _WHERE[name].endswith(f".{name}") else getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *_WHERE]
