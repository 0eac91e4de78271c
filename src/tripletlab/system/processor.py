"""What this processor computes fast: bfloat16 where it has the instructions, else float32."""

from pathlib import Path
from typing import Literal

DType = Literal["float32", "mixed_bfloat16", "auto"]
CPUINFO = Path("/proc/cpuinfo")
INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


def resolve_dtype(dtype: DType) -> DType:
    """Replace `auto` by the dtype that this processor is fast in; without the instructions
    bfloat16 is slow.

    Reads Linux's /proc/cpuinfo; elsewhere `auto` is float32.
    """
    if dtype != "auto":
        return dtype
    flags = CPUINFO.read_text().split() if CPUINFO.is_file() else []
    return "mixed_bfloat16" if INSTRUCTIONS & set(flags) else "float32"
