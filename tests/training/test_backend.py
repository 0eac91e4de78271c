"""Nothing personal decides what is computed: keras.json, the environment, the GPU's short cuts."""

import gc
import json
import os
import platform
import subprocess
import sys

import keras
import pytest
import tensorflow

from tests.training.fits import small_network
from tripletlab.cli import main
from tripletlab.errors import InputError
from tripletlab.training import backend

LOADED = """
from tripletlab.training import backend
backend.load()
import keras
from tests.training.fits import small_network
policy, data_format = keras.config.dtype_policy().name, keras.config.image_data_format()
print(keras.config.backend(), keras.config.floatx(), policy, data_format, keras.config.epsilon())
print(small_network().count_params())
"""

FAULTS = """
import resource, sys, threading
import numpy as np
from tripletlab.training import backend
if "load" in sys.argv:
    backend.load()
def work():
    for _ in range(20):
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        arrays = [np.ones(600_000, np.uint8) for _ in range(3)]
        faults.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
        del arrays
faults = []
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(faults[-1])
"""


def elsewhere(home, *words, **variables):
    """A process of its own, with a personal folder of Keras'."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KERAS_")}
    return subprocess.run(
        [sys.executable, *words],
        env={**clean, "KERAS_HOME": str(home), **variables},
        capture_output=True,
        text=True,
    )


def test_a_personal_keras_json_changes_nothing(tmp_path):
    personal = {
        "image_data_format": "channels_first",
        "floatx": "float16",
        "epsilon": 0.01,
        "backend": "jax",
    }
    (tmp_path / "keras.json").write_text(json.dumps(personal))
    done = elsewhere(tmp_path, "-c", LOADED)
    assert done.returncode == 0, done.stderr[-2000:]
    settings, parameters = done.stdout.splitlines()
    assert settings.split() == ["tensorflow", "float32", "float32", "channels_last", "1e-07"]
    assert int(parameters) == small_network().count_params()


def test_a_keras_json_that_keras_refuses_is_named(tmp_path):
    (tmp_path / "keras.json").write_text('{"floatx": "float8"}')
    done = elsewhere(tmp_path, "-m", "tripletlab", "describe")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path / 'keras.json'}: Keras cannot use it" in done.stderr
    assert "float8" in done.stderr


def test_channels_are_last_in_ones_own_code_too():
    expected = small_network().count_params()
    keras.config.set_image_data_format("channels_first")
    try:
        assert small_network().count_params() == expected
        assert keras.config.image_data_format() == "channels_first"  # as it was found
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", ["torch", "openvino", "nonsense"])
def test_another_backend_is_refused_in_one_line(name, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", name)
    assert main(["train"]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"tripletlab: KERAS_BACKEND={name}: the backends are tensorflow and jax; unset it\n"
    )


def test_a_backend_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="KERAS_BACKEND=jax: jax is not installed"):
        backend.load()


@pytest.mark.parametrize("variable", backend.LIMITS)
def test_a_limit_on_every_fit_is_refused(variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(InputError, match=rf"{variable} .* give {backend.LIMITS[variable]}="):
        backend.load()


@pytest.mark.parametrize("settle", [backend.load, lambda: backend.start(seed=1)])
def test_float32_is_float32_on_every_gpu(settle):
    tensorflow.config.experimental.enable_tensor_float_32_execution(True)
    settle()
    assert not tensorflow.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize(
    ("given", "computes"), [({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)]
)
def test_onednn_computes_on_every_processor_unless_it_is_switched_off(given, computes):
    code = "from tripletlab.training import backend; backend.load(); print(backend.description())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={name: os.environ[name] for name in os.environ if "ONEDNN" not in name} | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'backend': 'tensorflow'" in done.stdout
    assert f"'onednn': {computes}" in done.stdout


def test_what_is_collected_does_not_look_through_the_libraries():
    backend.load()
    assert gc.get_freeze_count() > 100_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is set")
def test_a_thread_keeps_the_memory_of_its_last_batch():
    def faults(*words):
        command = [sys.executable, "-c", FAULTS, *words]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults("load") < 10 < 100 < faults()
