"""A bundle that knows synthetic people, and an app in a real window."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.webcam.bundles import write_pixel_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return write_pixel_bundle(tmp_path_factory.mktemp("pixels"))


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

    def resize(self, width, height):
        place = ["search", "--onlyvisible", "--class", "tripletlab"]
        self._do(*place, "windowsize", str(width), str(height), "windowmove", "0", "0")

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
