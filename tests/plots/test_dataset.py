import json
import re
from base64 import b64decode
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.stores import make_pairs, make_store
from tripletlab.plots.dataset import (
    ACROSS,
    SHOWN,
    _bars,
    _counted,
    dataset_facts,
    write_dataset_card,
)
from tripletlab.plots.montage import SIDE


@pytest.fixture
def store():
    notes = {
        "photos": 130,
        "kept": 120,
        "rejected": {"<blurred>": {"photos": 10, "such_as": ["one/a/1.jpg"]}},
        "hygiene": {"rule": "refuse", "shared": [], "left_out": {}, "without_names": [0, 0]},
    }
    return replace(make_store(entries=30, photos=4), title="A & B", notes=notes)


def test_facts_are_of_the_store(store):
    facts = dataset_facts(store)
    assert facts["photos_found"] == facts["faces_kept"] + sum(facts["rejected"].values())
    assert facts["people"] == 28  # two are in both trees
    assert facts["faces_of_a_person"]["least"] == 4
    assert facts["faces_of_a_person"]["most"] == 8
    assert facts["split"] == {"training": 28, "validation": 0, "held out": 0, "calibration": 0}
    for histogram in (facts["brightness"], facts["sharpness"]):
        assert sum(histogram["counts"]) == facts["measured_on"] == 120
    light = store.images.mean(axis=(1, 2))
    edges = facts["brightness"]["edges"]
    assert facts["brightness"]["counts"] == np.histogram(light, edges)[0].tolist()


def test_people_with_too_few_faces_are_on_the_card(store, tmp_path):
    write_dataset_card(store, rejected={}, path=tmp_path / "faces.h5")
    assert "people with too few faces" not in (tmp_path / "faces.html").read_text()
    people = {"found": 30, "too_few_faces": 2, "such_as": ["Ann", "<Ben>"]}
    store = replace(store, notes={**store.notes, "people": people})
    write_dataset_card(store, rejected={}, path=tmp_path / "faces.h5")
    assert "2 of 30: Ann, &lt;Ben&gt;" in (tmp_path / "faces.html").read_text()


@pytest.mark.parametrize(("most", "step"), [(1, 1), (19, 1), (20, 2), (31, 2), (530, 27)])
def test_bins_of_whole_numbers_hold_equally_many_each(most, step):
    histogram = _counted(np.arange(1, most + 1))  # one person with each number of faces
    edges, counts = histogram["edges"], histogram["counts"]
    assert len(counts) <= 20
    assert set(np.diff(edges)) == {step}
    assert edges[-2] <= most < edges[-1]
    assert set(counts[1:-1]) <= {step}  # neither teeth nor gaps
    assert sum(counts) == most
    widths = re.findall(
        r'x="([^"]+)" y="[^"]+" width="([^"]+)"', drawn := _bars(histogram, what="Faces")
    )
    assert float(widths[-1][0]) + float(widths[-1][1]) / 0.9 == pytest.approx(ACROSS, abs=0.01)
    last = f"{edges[-2]} to {edges[-1] - 1}" if step > 1 else most
    assert f"<title>{last}: {counts[-1]}</title>" in drawn
    assert f">{edges[-1] - 1}</text>" in drawn  # the axis ends with the last bar
    assert f">{max(counts)}</text>" in drawn


def test_the_page_needs_nothing_else(store, tmp_path):
    photo = np.tile(np.arange(90, dtype=np.uint8), (120, 1))
    write_dataset_card(store, rejected={"<blurred>": [photo]}, path=tmp_path / "faces.h5")
    page = (tmp_path / "faces.html").read_text()
    assert json.loads((tmp_path / "faces.json").read_text()) == dataset_facts(store)
    assert "http" not in page
    assert "<h1>A &amp; B: 120 faces</h1>" in page
    assert "Not used: &lt;blurred&gt; (10 photos)" in page
    assert "Such as one/a/1.jpg" in page
    sheets = [
        cv2.imdecode(np.frombuffer(b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
        for data in re.findall(r"base64,([^\"]+)", page)
    ]
    people, reasons = sheets
    assert people.shape[0] == SHOWN[0] * SIDE
    assert people.shape[1] in (4 * SIDE, 8 * SIDE)  # two people have eight faces
    assert reasons.shape == (SIDE, SIDE)
    assert reasons[:, 48:].min() > 200  # an upright photo leaves the rest of its tile white
    assert page.count('<svg role="img" aria-label=') == 3
    assert "(hygiene.shared=refuse)" in page


def test_a_store_without_rejections_says_so(store, tmp_path):
    notes = {**store.notes, "photos": 120, "rejected": {}}
    write_dataset_card(replace(store, notes=notes), rejected={}, path=tmp_path / "faces.h5")
    assert "None of 120 photos were left out." in (tmp_path / "faces.html").read_text()


def test_photos_of_pairs_are_used_in_spite_of_a_problem(tmp_path):
    rejected = {
        "no face found, middle taken": {"photos": 1, "such_as": ["lfw/Cem/<1>.jpg"]},
        "not a photo; not on the map": {"photos": 2, "such_as": ["lfw/a/1.jpg", "lfw/b/1.jpg"]},
    }
    pairs = replace(make_pairs(people=4, photos=2), notes={"photos": 10, "rejected": rejected})
    write_dataset_card(pairs, rejected={}, path=tmp_path / "pairs.h5")
    page = (tmp_path / "pairs.html").read_text()
    assert "2 of 10 photos were left out. 1 photo has a problem, but is used." in page
    assert "<h2>No face found, middle taken (1 photo)</h2>" in page
    assert "lfw/Cem/&lt;1&gt;.jpg" in page
    assert "Not used: not a photo; not on the map (2 photos)" in page
    assert "lfw/a/1.jpg, lfw/b/1.jpg" in page
