"""`auto` is what the processor says, and it is settled where a config is composed; its cores."""

import os
import subprocess
import sys

import pytest

from tripletlab import config
from tripletlab.errors import InputError
from tripletlab.system import processor


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fpu avx2 avx512f", "float32"),
        ("flags : fpu avx512_bf16 avx512f", "mixed_bfloat16"),
        ("flags : fpu amx_bf16", "mixed_bfloat16"),
        (None, "float32"),  # no such file: not Linux
    ],
)
def test_auto_is_what_the_processor_has(flags, expected, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if flags:
        path.write_text(f"processor : 0\n{flags}\n")
    monkeypatch.setattr(processor, "CPUINFO", path)
    assert processor.resolve_dtype("auto") == expected
    assert processor.resolve_dtype("float32") == "float32"
    assert config.compose("train", ["dtype=auto"]).dtype == expected


@pytest.mark.parametrize("flags", ["fpu", "fpu amx_bf16"])
def test_the_network_has_the_dtype_that_is_recorded(flags, tmp_path, monkeypatch):
    """Were it still `auto`, each of a sweep's workers would decide again."""
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    processor.CPUINFO.write_text(f"flags : {flags}\n")
    expected = processor.resolve_dtype("auto")
    for composed in (
        config.compose("train", ["dtype=auto"]),
        config.compose("sweep", []),
        config.compose("train", [f"dtype={expected}", "architecture.dtype=auto"]),
    ):
        assert composed.dtype == composed.architecture["dtype"] == expected
        assert composed.tree["architecture"]["dtype"] == expected


def test_an_unknown_dtype_is_named():
    with pytest.raises(InputError, match="dtype=half: it should be 'float32'"):
        config.compose("train", ["dtype=half"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call on this system")
def test_cores_are_those_that_the_process_may_use():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    code += "from tripletlab.system.processor import cores; print(cores())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert processor.cores() == len(os.sched_getaffinity(0))
