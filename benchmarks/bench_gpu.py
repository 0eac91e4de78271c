"""A step of Keras on JAX compared with PyTorch's on the same GPU; the batches are already on it."""

import importlib.util
from collections.abc import Iterator

import numpy as np
from harness import Result, interleaved, ratios
from other_process import OtherProcess, pytorch
from own_step import SIZE

from tripletlab import config
from tripletlab.sweeping.leases import visible_gpus

BATCHES, EACH = (1024, 2048, 4096, 8192), 8  # faces of a batch, and of a person in it
DTYPE = "mixed_bfloat16"
NEEDED = ("jax", "torch", "pytorch_metric_learning")
ON_JAX = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # PyTorch has its part


def results(rounds: int) -> Iterator[Result]:
    """Two lines for each size of a batch; one that says why where there is no GPU."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not visible_gpus():
        yield Result(f"step on a GPU, {DTYPE}", note="no NVIDIA GPU is here")
    elif missing:
        wanted = f"not installed: {', '.join(missing)}; JAX as jax[cuda12]"
        yield Result(f"step on a GPU, {DTYPE}", note=wanted)
    else:
        for batch in BATCHES:
            yield from on_device("cuda", batch, rounds=rounds)


def on_device(device: str, batch: int, *, rounds: int) -> Iterator[Result]:
    """Both ways in turns, each in a process of its own; JAX computes on what it finds."""
    rng = np.random.default_rng(0)
    shown = {
        "faces": rng.integers(0, 256, (batch, SIZE, SIZE, 1), np.uint8),
        "labels": np.repeat(np.arange(batch // EACH, dtype=np.int32), EACH),
        "dtype": DTYPE,
    }
    chosen = config.compose("train", [])
    network = chosen.architecture.build(input_size=SIZE)
    size = {"dim": network.output_shape[-1], "parameters": network.count_params()}
    ways = {
        "own": OtherProcess("own_step", "step", ON_JAX, **shown),
        "peer": pytorch("step", **shown, **size, margin=chosen.margin, device=device),
    }
    name = f"step on a GPU, {DTYPE}, batch of {batch:,}"
    spent = interleaved(ways, rounds=10 * rounds, title=name, warm=3)
    for way in ways.values():
        way.close()
    yield Result(name, "images/s", tuple(batch / seconds for seconds in spent["own"]))
    faster = ratios(spent["own"], base=spent["peer"])
    yield Result(f"{name}: speed relative to PyTorch with pytorch-metric-learning", "×", faster)
