"""Every choice in conf/ is described, and can be composed, checked and built."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import keras
import numpy as np
import pytest

from tests.protocols import two_lines, write_agedb
from tests.stores import make_store
from tripletlab import config
from tripletlab.config.files import first_comment
from tripletlab.errors import InputError
from tripletlab.sweeping.plan import read_plan
from tripletlab.sweeping.samplers import draw_points
from tripletlab.triplets.losses import hinge
from tripletlab.triplets.miners import given, semihard
from tripletlab.triplets.regularizers import none

CHOICES = [(noun, choice) for noun, choices in config.groups().items() for choice in choices]
GIVEN = {  # what a choice cannot know
    ("faces", "yunet"): ["faces.detector.model={people}/Ann/1.jpg"],
    ("photos", "folder"): ["photos.detected=[{people}]"],
    ("photos", "lfw"): ["photos.path={lfw}"],
    ("photos", "vggface2"): ["photos.path={people}"],
    ("photos", "synthetic"): ["photos.people=4", "photos.photos=2", "data={people}"],
    ("verification", "agedb30"): ["verification.path={sets}"],
    ("verification", "bin"): ["verification.path={sets}/lfw.bin"],
    ("verification", "calfw"): ["verification.path={sets}"],
    ("verification", "cplfw"): ["verification.path={sets}"],
    ("verification", "lfw"): ["verification.path={lfw}"],
    ("verification", "pairs"): ["verification.path={lfw}"],
    ("verification", "synthetic"): [
        "verification.people=60",
        "verification.per_fold=5",
        "data={people}",
    ],
}


def network_of_one_layer():
    return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])


NEEDS = {  # what only a run knows
    "architecture": lambda: {"input_size": 64},
    "batches": lambda: {
        "store": make_store(entries=40, photos=20),
        "augmentation": lambda faces, rng: faces,
        "miner": semihard,
        "seed": 1,
    },
    "graph": lambda: {
        "embedder": network_of_one_layer(),
        "miner": given,
        "loss": hinge,
        "regularizer": none,
        "margin": 0.2,
        "batch_size": 6,
        "seed": 1,
    },
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A folder with a person, one laid out as LFW is, and one with the lists of further sets."""
    root = tmp_path_factory.mktemp("photos")
    (root / "people" / "Ann").mkdir(parents=True)
    (root / "people" / "Ann" / "1.jpg").touch()
    (root / "lfw" / "lfw" / "Ann").mkdir(parents=True)
    (root / "lfw" / "lfw" / "Ann" / "Ann_0001.jpg").touch()
    (root / "lfw" / "pairs.txt").write_text("1\t0\n")
    (root / "sets").mkdir()
    (root / "sets" / "lfw.bin").touch()
    (root / "sets" / "Ann_0001.jpg").touch()
    pairs = [("Ann_0001", "Ann_0001", label) for label in (1, -1)]
    write_agedb(root / "sets" / "04_FINAL_protocol_30_years.mat", [pairs, pairs])
    lines = two_lines([("Ann_0001.jpg", "Ann_0001.jpg", label) for label in (1, 0)] * 10)
    for name in ("pairs_CALFW.txt", "pairs_CPLFW.txt"):
        (root / "sets" / name).write_text(lines)
    return {name: root / name for name in ("people", "lfw", "sets")}


@pytest.mark.parametrize(("noun", "choice"), CHOICES)
def test_every_choice_is_built(noun, choice, places):
    given = [text.format(**places) for text in GIVEN.get((noun, choice), [])]
    if noun == "experiment":  # a recipe on top, which is no part of its own
        assert config.compose("sweep", [f"+{noun}={choice}"]).choices[noun] == choice
        return
    composed = config.compose("sweep", [f"{noun}={choice}", *given])
    assert composed.choices[noun] == choice
    if noun == "metrics":
        assert composed.metrics == {}
        return
    built = getattr(composed, noun).build(**NEEDS.get(noun, dict)())
    if getattr(composed, noun).partial:
        assert built.func is getattr(composed, noun).target
    else:
        target = getattr(composed, noun).target
        made = target if inspect.isclass(target) else get_type_hints(target)["return"]
        assert isinstance(built, made)


def mines(miner, choice):
    distances = np.random.default_rng(0).uniform(0.5, 1.5, (12, 12)).astype(np.float32)
    labels = np.repeat(np.arange(4), 3).astype(np.int32)
    draws = np.full((12, 12), 0.5, np.float32)
    mined = miner(distances, labels, margin=0.2, draws=draws)
    loss, kept, active = map(float, mined.measure(distances, loss=hinge, margin=0.2))
    assert loss > 0
    assert 0 < active <= kept <= 1


def measures(loss, choice):
    near, far = np.float32([0.1]), np.float32([1.5])
    assert float(loss(far, near, margin=0.2)[0]) > 1.4 > 0.3 > float(loss(near, far, margin=0.2)[0])


def regularizes(regularizer, choice):
    one_point = np.zeros((6, 6), np.float32), np.repeat(np.arange(3), 2).astype(np.int32)
    assert (float(regularizer(*one_point, dim=8)) > 0) == (choice != "none")


def sets_margins(schedule, choice):
    margins = [schedule(progress, distance=1.0) for progress in (0.0, 0.5, 1.0)]
    assert margins[-1] == pytest.approx(0.2)
    assert all(0 < margin <= 4 for margin in margins)


def scales_rates(schedule, choice):
    factors = [float(schedule(keras.ops.convert_to_tensor(at))) for at in (0.5, 1.0)]
    assert all(0 < factor <= 1 for factor in factors)
    assert (factors[1] < 1) == (choice != "constant")


def guards(guard, choice):
    assert guard([0.5] * 6) is None
    assert bool(guard([0.5] + [1e-5] * 6)) == (choice == "collapse")


def varies(augmentation, choice):
    faces = np.random.default_rng(0).integers(0, 256, (8, 32, 32)).astype(np.uint8)
    varied = augmentation(faces, np.random.default_rng(1))
    assert (varied.shape, varied.dtype) == (faces.shape, faces.dtype)
    assert (varied != faces).any() == (choice != "none")


WORK = {
    "miner": mines,
    "loss": measures,
    "regularizer": regularizes,
    "margin_schedule": sets_margins,
    "rate_schedule": scales_rates,
    "guard": guards,
    "augmentation": varies,
}


@pytest.mark.parametrize(("noun", "choice"), [one for one in CHOICES if one[0] in WORK])
def test_every_choice_does_its_work(noun, choice):
    """With the values that conf/ gives it, as a fit calls it."""
    composed = config.compose("train", [f"{noun}={choice}"])
    WORK[noun](getattr(composed, noun).build(**NEEDS.get(noun, dict)()), choice)


@pytest.mark.parametrize(("noun", "choice"), CHOICES)
def test_every_choice_says_what_it_is(noun, choice):
    path = config.folder("conf") / noun / f"{choice}.yaml"
    assert 10 < len(first_comment(path)) < 100


@pytest.mark.parametrize(
    "path", sorted(config.folder("sweeps").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_space_can_be_swept(path):
    """Each value of each axis is one of the config's, and the sampler and the pruner are there."""
    if path.stem == "gp":
        pytest.importorskip("torch")  # an extra
    plan = read_plan([str(path)])
    plan.check()
    assert len(draw_points(plan.space)) == plan.space.points


def test_an_interpolated_value_is_reported_under_the_key_to_change():
    with pytest.raises(InputError, match=r"^margin=5: it should be less than or equal to 4"):
        config.compose("train", ["margin=5"])


def test_the_papers_settings_can_be_asked_for():
    composed = config.compose("train", ["optimizer=adam_paper"])
    assert composed.optimizer["learning_rate"] == 1e-4
    assert composed.margin == 0.2


@pytest.mark.parametrize("optimizer", ["adam", "adam_paper"])
def test_the_moving_averages_are_over_a_small_part_of_a_default_run(optimizer):
    """Over all of it they would lag behind what was learned."""
    composed = config.compose("train", [f"optimizer={optimizer}"])
    averaged = 1 / (1 - composed.optimizer["ema_momentum"])
    assert 10 < averaged <= 0.1 * composed.batches["steps"] * composed.fit["epochs"]


def test_the_wheel_carries_conf_and_sweeps_and_works_alone(tmp_path):
    """Built, unpacked elsewhere, and asked for help there, without the checkout."""
    root = Path(__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        pytest.skip("not a checkout")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(tmp_path), str(root)], check=True)
    wheel = next(tmp_path.glob("*.whl"))
    apart = tmp_path / "apart"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(apart)], check=True)
    code = (
        "import tripletlab.config as c, sys; assert c.files.PACKAGE.is_relative_to(sys.argv[1]);"
        "print(c.compose('train', ['miner=hard']).choices['miner'], c.folder('sweeps'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(apart)],
        env={**os.environ, "PYTHONPATH": str(apart)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split()[0] == "hard"
    assert Path(answer.stdout.split()[1]).is_relative_to(apart)
