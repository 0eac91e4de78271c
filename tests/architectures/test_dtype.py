"""`auto` is what the processor says, and it is settled where a config is composed."""

import pytest

from tripletlab import config
from tripletlab.architectures import precision
from tripletlab.errors import InputError


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
    monkeypatch.setattr(precision, "CPUINFO", path)
    assert precision.fixed("auto") == expected
    assert precision.fixed("float32") == "float32"
    assert config.compose("train", ["precision=auto"]).config["precision"] == expected


def test_an_unknown_precision_is_named():
    with pytest.raises(InputError, match="precision=half: it should be 'float32'"):
        config.check(config.compose("train", ["precision=half"]).config)
