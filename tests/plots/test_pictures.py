"""The PNGs: they open, say what they should where that can be measured, and nothing runs out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab.evaluation.identification import Identified, SearchResult
from tripletlab.faces.store import PairStore
from tripletlab.photos.pairs import Pairs
from tripletlab.plots.distances import draw_distances
from tripletlab.plots.embedding_map import Map
from tripletlab.plots.embedding_sheet import draw_map_sheet
from tripletlab.plots.errors import draw_errors, shown
from tripletlab.plots.identification import draw_identification
from tripletlab.plots.learning import draw_learning
from tripletlab.plots.montage import LONGEST, Panel, draw_montage, shorten
from tripletlab.plots.projection import Neighbours

WHITE = 250
BLUE, ORANGE = (178, 114, 0), (0, 159, 230)  # BGR, as cv2 reads


def pair_store(faces: int = 30) -> PairStore:
    """Faces of one grey each, so that they are found again in a picture; pairs of neighbours."""
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(faces, dtype=np.uint8) * 8, 64 * 64).reshape(faces, 64, 64)
    pairs = Pairs(
        np.arange(faces),
        (np.arange(faces) + 1) % faces,
        rng.random(faces) < 0.5,
        np.arange(faces) % 2,
    )
    fallback = np.arange(faces) == 3
    names = tuple(f"Person_With_A_Long_Name_{row}" for row in range(faces))
    sources = tuple(f"tree/{name}/{name}_0001.jpg" for name in names)
    rows = np.arange(4)
    return PairStore("blobs", images, names, names, sources, fallback, pairs, rows, {}, "0", {})


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (border > WHITE).all()  # nothing runs out of the picture
    return image


def near(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """Pixels of a colour."""
    return int((np.abs(image.astype(int) - colour).max(axis=2) < 12).sum())


def test_the_worst_errors_come_first_and_right_calls_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, panels = pair_store(), []
    monkeypatch.setattr(
        "tripletlab.plots.errors.draw_montage", lambda made, **_: panels.extend(made)
    )
    distances = np.random.default_rng(1).random(30)
    thresholds = np.array([0.4, 0.6])
    draw_errors(store, distances, thresholds, title="errors", path=tmp_path / "errors.png")
    cut = thresholds[store.pairs.fold]
    wrong = {
        0: [k for k in range(30) if not store.pairs.matched[k] and distances[k] <= cut[k]],
        1: [k for k in range(30) if store.pairs.matched[k] and distances[k] > cut[k]],
    }
    for panel, (kind, chosen) in zip(panels, wrong.items(), strict=True):
        order = sorted(chosen, key=lambda k: -abs(distances[k] - cut[k]))
        assert [pair.lines[0] for pair in panel.pairs] == [f"{distances[k]:.3f}" for k in order]
        assert f"({len(chosen)};" in panel.heading, kind


def test_a_montage_shows_every_face_and_frames_what_was_not_found(tmp_path: Path) -> None:
    store = pair_store()
    pairs = [shown(store, pair, "0.5") for pair in (8, 9, 10)]
    assert pairs[0].middle == (False, False)
    draw_montage([Panel("some", pairs, "none")], title="faces", path=tmp_path / "plain.png")
    image = read(tmp_path / "plain.png")
    for row in (8, 9, 10, 11):
        assert near(image, (row * 8,) * 3) > 2000
    assert near(image, ORANGE) == 0
    framed = [shown(store, 3, "0.5")]
    assert framed[0].middle == (True, False)
    draw_montage([Panel("some", framed, "none")], title="faces", path=tmp_path / "framed.png")
    assert near(read(tmp_path / "framed.png"), ORANGE) > 100


def test_a_montage_of_nothing_says_so(tmp_path: Path) -> None:
    images = []
    for text in ("", "no errors"):
        path = tmp_path / "none.png"
        draw_montage([Panel("errors", [], text)] * 2, title="faces", path=path)
        images.append(read(path))
    silent, said = images
    assert silent.shape == said.shape
    columns = np.flatnonzero((silent != said).any(axis=(0, 2))) / said.shape[1]
    assert 0.2 < columns.min() < 0.3  # once in the middle of each panel
    assert 0.7 < columns.max() < 0.8


def test_long_names_keep_their_number() -> None:
    assert shorten("Ann_0001") == "Ann_0001"
    short = shorten("Person_With_A_Long_Name_0012")
    assert len(short) == LONGEST
    assert short.endswith("_0012")


def test_histograms_have_the_colours_of_both_kinds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matched = np.tile([True, False], 300)
    distances = np.abs(rng.normal(np.where(matched, 1.0, 2.5), 0.3))
    path = tmp_path / "distances.png"
    draw_distances(distances, matched, np.full(10, 1.7), title="a run", path=path)
    image = read(path)
    blue = near(image[:, : image.shape[1] // 2], BLUE)
    assert blue > near(image[:, image.shape[1] // 2 :], BLUE)
    assert near(image, ORANGE) > 300
    draw_distances(np.zeros(600), matched, np.zeros(10), title="collapsed", path=path)
    read(path)


def test_learning_curves_of_any_number_of_epochs(tmp_path: Path) -> None:
    for count in (1, 6):
        epochs = [{"train/triplet_loss": 1 / k, "val/auc": 0.5} for k in range(1, count + 1)]
        draw_learning(epochs, best=1, title="a run", path=tmp_path / f"{count}.png")
        assert read(tmp_path / f"{count}.png").shape[0] > 700


def test_identification_with_and_without_strangers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for strangers in (0, 50):
        rank = np.append(rng.integers(1, 12, 100), np.zeros(strangers, np.int64))
        found = SearchResult(rank, rng.random(100 + strangers))
        path = tmp_path / "identification.png"
        draw_identification(Identified(found, [12], [12]), title="a run", path=path)
        image = read(path)
        assert near(image, BLUE) > 100
        assert (near(image, ORANGE) > 100) == bool(strangers)


def test_the_maps_have_a_look_for_each_person(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nobody = Neighbours(np.zeros((60, 0), np.int64), np.zeros((60, 0)))
    maps = [Map(when, rng.normal(size=(60, 2)).astype(np.float32), nobody) for when in "ab"]
    names = [f"Person {k % 20}" for k in range(60)]
    draw_map_sheet(maps, names, title="a run", path=tmp_path / "umap.png")
    image = read(tmp_path / "umap.png")
    assert near(image, (136, 34, 51)) > 100  # the first colour
