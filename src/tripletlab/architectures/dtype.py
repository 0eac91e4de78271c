"""What a network computes in while it learns: float32, or bfloat16 where the processor has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Precision = Literal["float32", "mixed_bfloat16", "auto"]
CPUINFO = Path("/proc/cpuinfo")
INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


def fixed(precision: Precision) -> Precision:
    """`auto` becomes what this processor is good at; without its instructions bfloat16 is slow.

    Only the processor is asked, in the way of Linux; elsewhere it is float32.
    """
    if precision != "auto":
        return precision
    known = CPUINFO.read_text().split() if CPUINFO.is_file() else []
    return "mixed_bfloat16" if INSTRUCTIONS & set(known) else "float32"


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Layers that are made here compute in this precision; their weights are float32 anyway."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(fixed(precision))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
