"""The networks of conf/, as the tests build them."""

import functools

from tripletlab import config

NAMES = list(config.groups()["architecture"])
# nn4_small2 is nn4_small2_half at twice its width: where a test sets the width, they are the same
DISTINCT = [name for name in NAMES if name != "nn4_small2"]
PLAIN = {
    "embedding_dim": 128,
    "width": 1.0,
    "batch_norm": False,
    "pool": None,
    "dtype": "float32",
}


def build(name, *, size, **changes):
    return _architecture(name).build(input_size=size, **changes)


@functools.cache
def _architecture(name):
    return config.compose("train", [f"architecture={name}"]).architecture
