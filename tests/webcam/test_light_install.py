"""The wheel with the extra `webcam`, and nothing else, recognises people and opens the app."""

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import cv2
import pytest
from packaging.requirements import Requirement

from tests.webcam.people import ANN, BEN, before_the_camera, write_video

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")
HEAVY = ("tensorflow", "keras", "mlflow", "optuna", "hydra", "h5py", "sklearn", "yaml")
pytestmark = pytest.mark.slow


def dependencies(dist, extras, found):
    """The installed packages that a package needs with these extras, and those that they need."""
    for line in dist.requires or ():
        one = Requirement(line)
        wanted = not one.marker or any(one.marker.evaluate({"extra": e}) for e in ("", *extras))
        if wanted and one.name not in found:
            found[one.name] = distribution(one.name)
            dependencies(found[one.name], one.extras, found)
    return found.values()


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """The Python of an environment with the wheel and what it declares, as links: no network."""
    folder = tmp_path_factory.mktemp("light")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, ROOT], check=True)
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    ZipFile(next(folder.glob("*.whl"))).extractall(site)
    wheel = Distribution.at(next(site.glob("*.dist-info")))
    for dist in dependencies(wheel, ["webcam"], {}):
        for name in {file.parts[0] for file in dist.files} - {"..", "__pycache__", ""}:
            (site / name).symlink_to(dist.locate_file(name))
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def command(light, bundle, tmp_path):
    """Run Python there, in a folder with a bundle and photos of Ann and Ben: its output."""
    (tmp_path / "bundle").symlink_to(bundle.folder)
    for name, seed in (("ann", ANN), ("ben", BEN)):
        for number, picture in enumerate(before_the_camera(seed, 2)):
            cv2.imwrite(str(tmp_path / f"{name}{number}.png"), picture)

    def run(*words, code=0):
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [light, *words], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr[-2000:]
        return done.stdout if code == 0 else done.stderr

    return run


def test_people_are_verified_enrolled_and_recognised(command):
    tripletlab = ("-m", "tripletlab")
    assert command(*tripletlab, "verify", "ann0.png", "ann1.png").startswith("same")
    command(*tripletlab, "enrol", "Ann", "ann0.png")
    said = command(*tripletlab, "recognise", "ann1.png", "ben0.png", "--json").splitlines()
    assert [json.loads(line)["faces"][0]["name"] for line in said] == ["Ann", None]
    said = command(*tripletlab, "gallery", "list", "--json")
    assert json.loads(said)["photos"] == 1
    code = "import tripletlab, sys; print(tripletlab.verify('ann0.png', 'ben0.png').same);"
    code += (
        f"print([name for name in {HEAVY} if __import__('importlib.util').util.find_spec(name)])"
    )
    assert command("-c", code).splitlines() == ["False", "[]"]


@pytest.mark.parametrize("words", [["train"], ["sweep"], ["export", "b"], ["serve"], ["ui"]])
def test_a_command_that_needs_more_is_one_line(words, command):
    said = command("-m", "tripletlab", *words, code=2)
    assert said.startswith("tripletlab: ")
    assert said.endswith(" is not installed: pip install -e '.[train]' in tripletlab's folder\n")
    assert said.count("\n") == 1


def test_the_app_opens(light, command, screen, tmp_path):
    write_video(tmp_path / "ann.avi", before_the_camera(ANN))
    env = {**os.environ, "DISPLAY": screen, "KIVY_HOME": str(tmp_path / "kivy")}
    env.pop("PYTHONPATH", None)
    app = subprocess.Popen(
        [light, DRIVER, "webcam", "--source", "ann.avi"],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        texts = []
        while not any("Record a person to begin" in one for one in texts):  # or pytest's timeout
            app.stdin.write("\n")
            app.stdin.flush()
            texts = json.loads(app.stdout.readline())["texts"]
    finally:
        app.terminate()
        app.wait(20)
