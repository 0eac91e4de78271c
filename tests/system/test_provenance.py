"""Where a result was made: enough to explain another machine's numbers, and no secret."""

import json
from importlib.metadata import version

from tripletlab.system import processor, provenance


def test_the_environment_names_what_computes(monkeypatch, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: A Processor @ 2 GHz\nflags\t\t: fpu avx2 fma amx_bf16 vmx\n")
    monkeypatch.setattr(processor, "CPUINFO", cpuinfo)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("TF_VAR_password", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    seen = provenance.environment()
    assert seen["processor"] == "A Processor @ 2 GHz"
    assert seen["instructions"] == ["amx_bf16", "avx2", "fma"]
    assert seen["variables"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert seen["variables"]["OMP_NUM_THREADS"] == "2"
    assert "secret" not in json.dumps(seen)
    for package in ("keras", "tensorflow", "numpy", "opencv-python-headless"):
        assert seen["packages"][package] == version(package)


def test_without_cpuinfo_the_processor_still_has_a_name(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert provenance.environment()["processor"]
