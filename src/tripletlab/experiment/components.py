"""The nouns of a config, put together: what a fit needs, and what its network costs."""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from tripletlab.architectures.operations import flops
from tripletlab.config import RunConfig
from tripletlab.errors import InputError
from tripletlab.experiment.data import Data
from tripletlab.training.batches import Batches
from tripletlab.training.checkpoint import Progress
from tripletlab.training.inference import copied, images_per_second
from tripletlab.training.model import TripletModel


class Components(NamedTuple):
    """The parts of a run before its fit."""

    model: TripletModel  # the untrained network, with its miner and loss
    embedder: keras.Model  # that is evaluated and kept: float32
    batches: Batches


def build_components(config: RunConfig, data: Data) -> Components:
    """Build the network with its miner and loss, and the batches that it is trained on.

    The network that is evaluated is the same where it is trained in float32, else a copy that
    computes in float32.
    """
    size, seed = data.faces.size, config.seed
    batches = config.batches.build(
        store=data.faces,
        augmentation=config.augmentation.build(),
        miner=config.miner.build(),
        seed=seed,
    )
    embedder = exact = config.architecture.build(input_size=size)
    model = config.graph.build(
        embedder=embedder,
        miner=batches.miner,
        loss=config.loss.build(),
        regularizer=config.regularizer.build(),
        margin=config.margin,
        batch_size=batches.batch_size,
        seed=seed,
    )
    if config.dtype != "float32":
        exact = copied(embedder, to=config.architecture.build(input_size=size, dtype="float32"))
    return Components(model, exact, batches)


def costs(progress: Progress, embedder: keras.Model, faces: NDArray[np.uint8]) -> dict[str, float]:
    """What the network takes to train, to keep and to use; no `flops` where they are not known."""
    operations = flops(embedder)
    return {
        "training_seconds": progress.seconds,
        "training_images_per_second": float(np.median(progress.speeds)),
        "inference_images_per_second": images_per_second(embedder, faces),
        "parameters": embedder.count_params(),
        **({} if operations is None else {"flops": operations}),
    }


def check_operations(config: RunConfig) -> None:
    """InputError where the operations of the config's network are not known, as an objective."""
    network = config.architecture.build(input_size=config.faces["size"])
    if flops(network) is None:
        raise InputError(
            f"flops cannot be an objective: those of {network.name} are not known, because"
            " of layers that tripletlab cannot count"
        )
