"""A bundle whose network knows synthetic people by their pixels, and an app in a real window."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.recognition.conftest import make_card
from tripletlab import config
from tripletlab.recognition.bundle import write_bundle

SIZE, GRID = 64, 8  # pixels along the side of a face, and of its embedding
THRESHOLD = 0.55  # between the distances of Ann and Ben, see people.py


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """A face's embedding is the face itself, coarse, without its mean, made unit."""
    folder = tmp_path_factory.mktemp("pixels")
    side = np.kron(np.eye(GRID), np.ones((SIZE // GRID, 1)))  # (SIZE, GRID)
    coarse = np.kron(side, side).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "coarse"], ["grid"]),
        helper.make_node("ReduceMean", ["grid"], ["mean"], axes=[1]),
        helper.make_node("Sub", ["grid", "mean"], ["even"]),
        helper.make_node("LpNormalization", ["even"], ["unit"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "pixels",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", SIZE, SIZE, 1])],
        [helper.make_tensor_value_info("unit", TensorProto.FLOAT, ["n", GRID * GRID])],
        [numpy_helper.from_array(coarse, "coarse")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "pixels.onnx")
    settings = config.compose("prepare", []).faces.settings
    return write_bundle(
        folder / "bundle",
        folder / "pixels.onnx",
        weights="0" * 64,
        faces=settings,
        card=make_card(threshold=THRESHOLD),
    )


@pytest.fixture(scope="session")
def screen():
    """An X server of our own; its DISPLAY."""
    missing = [name for name in ("Xvfb", "xdotool") if not shutil.which(name)]
    if missing:
        why = f"install the Debian packages xvfb and xdotool: no {' and no '.join(missing)} here"
        if os.environ.get("TRIPLETLAB_REQUIRE_SYSTEM"):
            pytest.fail(why)
        pytest.skip(why)
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield f":{server.stdout.readline().strip()}"
    server.terminate()
    server.wait()


class Window:
    """A running app: what is written in its window, and a hand on mouse and keyboard."""

    def __init__(self, display, arguments, cwd):
        self._env = {**os.environ, "DISPLAY": display, "KIVY_HOME": str(cwd / "kivy")}
        here = os.path.dirname(__file__)
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(here, "driver.py"), "webcam", *map(str, arguments)],
            env=self._env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # What a window manager does, of which there is none on that screen.
        self._do("search", "--sync", "--onlyvisible", "--class", "tripletlab", "windowfocus")

    def inspect(self, wanted=""):
        self.process.stdin.write(wanted + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def texts(self):
        return " | ".join(self.inspect()["texts"])

    def until(self, condition, *, seconds=30):
        """The texts in sight, once the condition holds for them."""
        end = time.monotonic() + seconds
        while not condition(texts := self.texts()):
            assert time.monotonic() < end, f"in vain; the window says: {texts}"
            time.sleep(0.05)
        return texts

    def click(self, wanted, *, at=0.5):
        """Press the mouse on the widget with this text, or of this class; `at` of its width."""
        for _ in range(100):
            places = self.inspect(wanted)["places"]
            if places:
                break
            time.sleep(0.05)
        assert places, self.texts()
        (x, y, width), *_ = places
        self._do("mousemove", str(round(x + (at - 0.5) * width)), str(round(y)))
        self._do("mousedown", "1")
        time.sleep(0.05)  # a person's finger; the app looks at events 60 times a second
        self._do("mouseup", "1")

    def key(self, *names):
        self._do("key", *names)

    def write(self, text):
        self._do("type", "--delay", "30", text)

    def _do(self, *words):
        subprocess.run(["xdotool", *words], env=self._env, check=True, timeout=60)

    def close(self):
        self.key("ctrl+q")
        assert self.process.wait(20) == 0


@pytest.fixture
def app(screen, tmp_path):
    """Start the app with these arguments of `tripletlab webcam`."""
    started = []

    def start(*arguments):
        started.append(Window(screen, arguments, tmp_path))
        return started[-1]

    yield start
    for window in started:
        window.process.kill()
        window.process.wait()
