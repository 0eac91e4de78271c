"""The README of a bundle is enough to use its network."""

import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

import tripletlab
from tripletlab import config
from tripletlab.photos.conditions import draw_circumstance
from tripletlab.photos.person import draw_person
from tripletlab.photos.rendering import render
from tripletlab.recognition.bundle_readme import CHOSEN_BY, readme


def draw(path, person, shot):
    photo = render(
        draw_person(np.random.default_rng(person)),
        draw_circumstance(np.random.default_rng([person, shot])),
        size=160,
    )
    cv2.imwrite(str(path), cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))


@pytest.mark.parametrize("overrides", [[], ["faces=aligned"], ["faces/detector=whole"]])
def test_its_code_gives_the_distance_that_tripletlab_gives(overrides, write, tmp_path):
    settings = config.compose("prepare", overrides).faces.settings
    folder = write(tmp_path / "bundle", settings=settings).folder
    for name, person in {"a.jpg": 0, "b.jpg": 1}.items():
        draw(folder / name, person, 1)
    text = (folder / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert ("import tripletlab" in code) == bool(overrides)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found = tripletlab.verify(folder / "a.jpg", folder / "b.jpg", bundle=folder)
    distance, word = done.stdout.split()
    assert float(distance) == pytest.approx(found.distance, abs=1e-4)
    assert word == ("same" if found.same else "different")


def test_its_numbers_are_the_bundle_s(write, tmp_path):
    bundle = write(tmp_path / "bundle")
    text = (tmp_path / "bundle" / "README.md").read_text()
    assert f"embedder-{bundle.manifest.network}.onnx" in text
    curve, threshold = bundle.card.calibration, bundle.card.threshold
    assert f"| one person | up to the threshold {threshold:.4f} |" in text
    assert (
        f"| {threshold:.4f} | {curve.far_at(threshold):.2%} | {curve.tar_at(threshold):.1%} |"
        in text
    )
    assert "`detection.haar` with min_neighbors 4, min_size 30, scale_factor 1.1" in text


def test_it_says_how_many_people_the_rates_were_counted_on(card):
    settings = config.compose("prepare", []).faces.settings
    for people, says in ((3, "pairs of 3 people whom"), (None, "pairs of people whom")):
        counted = card.calibration.model_copy(update={"people": people})
        few = card.model_copy(update={"calibration": counted})
        text = " ".join(readme(few, settings, network="n", dim=2).split())
        assert says in text
        assert ("The share of strangers is counted on only 3 people" in text) == (people == 3)


def test_it_says_where_the_rates_are_too_favourable(card):
    settings = config.compose("prepare", []).faces.settings
    written = {
        split: readme(
            card.model_copy(update={"calibrated_on": split}), settings, network="n", dim=2
        )
        for split in ("calibration", "validation")
    }
    sentence = " ".join(CHOSEN_BY.split())
    assert "in use it accepts more strangers" in sentence
    texts = {split: " ".join(text.split()) for split, text in written.items()}
    assert texts["validation"].replace(f" {sentence}", "") == texts["calibration"]
    assert sentence in texts["validation"]
