"""This processor: its name, its cores, its instructions, and the dtype that it is fast in."""

import os
import platform
import re
from pathlib import Path
from typing import Literal

DType = Literal["float32", "mixed_bfloat16", "auto"]
CPUINFO = Path("/proc/cpuinfo")
BFLOAT16 = {"avx512_bf16", "amx_bf16"}


def resolve_dtype(dtype: DType) -> DType:
    """Replace `auto` by the dtype that this processor is fast in; without the instructions
    bfloat16 is slow.

    Without /proc/cpuinfo, outside Linux, `auto` is float32. It depends on the instructions and not
    on a timing, which a busy machine could turn round: the same command gives the same figures.
    """
    if dtype != "auto":
        return dtype
    return "mixed_bfloat16" if BFLOAT16 & instructions() else "float32"


def instructions() -> set[str]:
    """The names of this processor's features, from Linux's /proc/cpuinfo; elsewhere none."""
    return set(_cpuinfo().split())


def processor_name() -> str:
    """The model where Linux has it in /proc/cpuinfo; elsewhere what the platform calls it."""
    model = re.search(r"model name\s*: (.+)", _cpuinfo())
    return model[1] if model else platform.processor() or platform.machine()


def _cpuinfo() -> str:
    return CPUINFO.read_text("utf-8") if CPUINFO.is_file() else ""


def cores() -> int:
    """How many cores this process may use."""
    return len(visible_cores())


def visible_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
