"""The networks of conf/, as the tests build them."""

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
    overrides = [f"architecture.{key}={value}" for key, value in changes.items()]
    composed = config.compose("train", [f"architecture={name}", *overrides])
    return composed.architecture.build(input_size=size)
