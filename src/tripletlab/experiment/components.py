"""The parts that a config names, built once before the fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from tripletlab.architectures.operations import flops
from tripletlab.config import Component, RunConfig
from tripletlab.errors import InputError
from tripletlab.evaluation.flip import flipped
from tripletlab.evaluation.metrics import own_values
from tripletlab.evaluation.validation import Validation
from tripletlab.experiment.contracts import check_contracts
from tripletlab.experiment.data import Data
from tripletlab.experiment.snapshots import Embeddings
from tripletlab.system.processor import resolve_dtype
from tripletlab.training.batches import Batches, PeopleByPhotos
from tripletlab.training.guard import embedding_statistics
from tripletlab.training.inference import BATCH, copied, embed
from tripletlab.training.model import TripletModel
from tripletlab.training.offline_mining import OfflineTriplets, check_miner
from tripletlab.training.three_inputs import NEEDS_TRIPLETS, ThreeInputs

ROUNDED = 0.01  # of a length; a head of one's own in bfloat16 is 0.004 off


@dataclass(frozen=True)
class Components:
    """The parts of a run: a network with its miner and loss, its batches, its validation.

    `embedder` is what is evaluated and kept. It is the model's own where that is trained in
    float32, else a copy that computes in float32.
    """

    model: TripletModel
    embedder: keras.Model
    batches: Batches
    validation: Validation
    flip: bool
    metrics: Mapping[str, Component]  # of one's own

    def embed(self, faces: NDArray[np.uint8]) -> Embeddings:
        """The embeddings (n, dim) of faces (n, size, size), with their mirror images if `flip`.

        By the weights that were validated last, or those of the untrained network.
        """
        own = partial(embed, self.embedder)
        return flipped(own, faces) if self.flip else own(faces)

    def validate(self, network: keras.Model, margin: float) -> dict[str, float]:
        """The validation metrics of the network's weights, and how far its embeddings spread."""
        embeddings = embed(copied(network, to=self.embedder), self.validation.faces)
        return {**self.validation.evaluate(embeddings, margin), **embedding_statistics(embeddings)}


def build_components(config: RunConfig, data: Data) -> Components:
    """Build every part of the run; its seed is set before (training.backend.start).

    InputError for a network that does not map grey faces of this size to unit embeddings.
    """
    size, seed = data.faces.size, config.seed
    batches = config.batches.build(
        store=data.faces,
        augmentation=config.augmentation.build(),
        miner=config.miner.build(),
        seed=seed,
    )
    embedder = exact = config.architecture.build(input_size=size)
    name = f"architecture={config.choices['architecture']}"
    _check_shapes(embedder, size, name)
    model = config.graph.build(
        embedder=embedder,
        miner=batches.miner,
        loss=config.loss.build(),
        regularizer=config.regularizer.build(),
        margin=config.margin,
        batch_size=batches.batch_size,
        seed=seed,
    )
    dtype = config.architecture.arguments.get("dtype", "float32")  # a network's own may have none
    if resolve_dtype(dtype) != "float32":
        exact = copied(embedder, to=config.architecture.build(input_size=size, dtype="float32"))
    validation = Validation(data.faces)
    _check_lengths(embed(exact, validation.faces[:BATCH]), name)
    any_distances = np.linspace(0, 4, len(validation.matched))
    own_values(config.metrics, any_distances, validation.matched)  # what fails does so now
    return Components(model, exact, batches, validation, config.flip, config.metrics)


def _check_shapes(network: keras.Model, size: int, name: str) -> None:
    """InputError for other shapes; a network whose `call` is code may have none at all."""
    given, made = (getattr(network, f"{end}_shape", None) for end in ("input", "output"))
    if given != (None, size, size, 1) or not isinstance(made, tuple) or len(made) != 2:
        wrong = (
            f"it maps {given} to {made}"
            if given
            else f"its shapes are not known: build it from keras.Input(({size}, {size}, 1))"
        )
        raise InputError(
            f"{name}: a network maps faces {(None, size, size, 1)} to embeddings (None, dim), but"
            f" {wrong}"
        )


def _check_lengths(embeddings: Embeddings, name: str) -> None:
    """InputError for vectors of another length than 1. 0, of a dead network, is a collapse."""
    lengths = np.linalg.norm(embeddings.astype(np.float32), axis=1)
    if len(wrong := lengths[(lengths > 0) & (np.abs(lengths - 1) > ROUNDED)]):
        raise InputError(
            f"{name}: an embedding has length {wrong[0]:.4g} and not 1: end the network with"
            " keras.layers.UnitNormalization()"
        )


def check_triplets(config: RunConfig) -> None:
    """InputError where graph, batches and miner do not fit, or a part breaks its contract.

    This is known before any photo is prepared.
    """
    check_contracts(config)
    if config.batches.target is OfflineTriplets:
        check_miner(config.miner.build())
    elif config.graph.target is ThreeInputs and config.batches.target is PeopleByPhotos:
        raise InputError(NEEDS_TRIPLETS)


def check_operations(config: RunConfig) -> None:
    """InputError where the operations of the config's network are not known, as an objective."""
    network = config.architecture.build(input_size=config.faces["size"])
    if flops(network) is None:
        raise InputError(
            f"cost/flops cannot be an objective: the flops of {network.name} are not known, because"
            " of layers that tripletlab cannot count"
        )
