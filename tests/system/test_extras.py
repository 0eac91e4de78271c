"""A module that a light installation lacks is named with the extra that has it."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import tripletlab
from tripletlab.cli import main
from tripletlab.system.extras import EXTRAS, missing_extra

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL", "hydra-core": "hydra"}
MODULES |= {"scikit-learn": "sklearn", "umap-learn": "umap", "psycopg2-binary": "psycopg2"}
OPTIONAL = {"jax"}  # one of Keras' backends, which the user chooses


def modules_of(requirements):
    names = {re.split(r"[<>=\[,]", one)[0] for one in requirements} - {"tripletlab"}
    return {MODULES.get(name, name) for name in names}


def test_the_extras_are_those_of_the_package():
    extras = {name: modules_of(some) for name, some in PROJECT["optional-dependencies"].items()}
    assert extras.pop("bench") == {"pytorch-metric-learning", "torch"}  # peers, beside other extras
    assert set(extras) == set(EXTRAS)
    assert all(modules <= EXTRAS[name] for name, modules in extras.items())


def test_whatever_is_imported_is_installed_by_something():
    known = modules_of(PROJECT["dependencies"]).union(*EXTRAS.values(), OPTIONAL)
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            imported |= {name.partition(".")[0] for name in names}
    assert imported - known - sys.stdlib_module_names - {"tripletlab"} == set()


@pytest.mark.parametrize(
    ("module", "extra"), [("kivy.core.window", "webcam"), ("ray", "cluster"), ("mine", None)]
)
def test_the_extra_of_a_module(module, extra):
    said = missing_extra(ModuleNotFoundError(name=module))
    assert (said or "None").endswith(f"'.[{extra}]' in tripletlab's folder" if extra else "None")


def test_a_command_names_the_extra_that_it_lacks(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "hydra", None)
    assert main(["train", "--config"]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == "tripletlab: hydra is not installed: pip install -e '.[train]' in tripletlab's folder\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_the_package_says_what_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delitem(sys.modules, "tripletlab.triplets.keras_loss", raising=False)
    with pytest.raises(ImportError, match=r"TripletLoss: keras .* '\.\[train\]'"):
        tripletlab.TripletLoss  # noqa: B018
