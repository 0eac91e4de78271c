"""tripletlab's network and step on one constant batch, on whichever backend Keras uses."""

from collections.abc import Callable
from typing import Any

from tripletlab import config
from tripletlab.config import RunConfig
from tripletlab.training import backend
from tripletlab.training.model import TripletModel
from tripletlab.training.rates import scheduled

SIZE = 64  # pixels of a face's side


def model_of(chosen: RunConfig, *, batch_size: int) -> TripletModel:
    """The network, compiled for training; mining is a part of its step."""
    parts: dict[str, Any] = {
        noun: getattr(chosen, noun).build() for noun in ("miner", "loss", "regularizer")
    }
    embedder = chosen.architecture.build(input_size=SIZE)
    model = TripletModel(embedder, margin=chosen.margin, batch_size=batch_size, seed=1, **parts)
    optimizer = scheduled(chosen.optimizer.build(), chosen.rate_schedule.build(), steps=1000)
    model.compile(optimizer=optimizer, jit_compile=backend.jit_compile())
    return model


def step(*, faces: Any, labels: Any, dtype: str) -> Callable[[], object]:
    """A step that waits for its loss: faces (batch, size, size, 1), labels (batch,).

    The batch lies on the device.
    """
    backend.load()
    from keras import ops

    model = model_of(config.compose("train", [f"dtype={dtype}"]), batch_size=len(faces))
    batch = ops.convert_to_tensor(faces), ops.convert_to_tensor(labels)
    return lambda: model.train_on_batch(*batch)
