"""The PNGs: they open, say what they should where that can be measured, and nothing runs out."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tripletlab.evaluation.identification import Identified, SearchResult
from tripletlab.faces.store import PairStore
from tripletlab.photos.pairs import Pairs
from tripletlab.plots.distances import draw_distances
from tripletlab.plots.embedding_map import COLOURS, Map
from tripletlab.plots.embedding_sheet import draw_map_sheet
from tripletlab.plots.errors import draw_errors, shown
from tripletlab.plots.identification import draw_identification
from tripletlab.plots.learning import draw_learning
from tripletlab.plots.montage import COLUMNS, LONGEST, ROWS, Panel, draw_montage, shorten
from tripletlab.plots.projection import Neighbours

WHITE = 250
BLUE, ORANGE, GREY = (178, 114, 0), (0, 159, 230), (120, 112, 107)  # BGR, as cv2 reads


def pair_store(faces: int = 30) -> PairStore:
    """Faces of one grey each, so that they are found again in a picture; pairs of neighbours."""
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(faces) * 8 % 256, 64 * 64).reshape(faces, 64, 64).astype(np.uint8)
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


def centre(image: np.ndarray, colour: tuple[int, int, int]) -> float:
    """The mean column of the pixels of a colour."""
    return float(np.nonzero(np.abs(image.astype(int) - colour).max(axis=2) < 12)[1].mean())


@pytest.mark.parametrize("cut", [(0.4, 0.6), (4.0, -1.0)])
def test_the_worst_errors_come_first_and_correct_decisions_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: tuple[float, float]
) -> None:
    store, panels = pair_store(120), []
    monkeypatch.setattr(
        "tripletlab.plots.errors.draw_montage", lambda made, **_: panels.extend(made)
    )
    distances = np.random.default_rng(1).random(120)
    thresholds = np.array(cut)
    draw_errors(store, distances, thresholds, title="errors", path=tmp_path / "errors.png")
    excess = distances - thresholds[store.pairs.fold]
    wrong = {
        0: [k for k in range(120) if not store.pairs.matched[k] and excess[k] <= 0],
        1: [k for k in range(120) if store.pairs.matched[k] and excess[k] > 0],
    }
    for panel, (kind, chosen) in zip(panels, wrong.items(), strict=True):
        order = sorted(chosen, key=lambda k: -abs(excess[k]))[: COLUMNS * ROWS]
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


@pytest.mark.parametrize("count", [1, 6])
def test_learning_curves_show_the_metrics_and_the_kept_epoch(tmp_path: Path, count: int) -> None:
    path, images = tmp_path / "learning.png", []
    training = {"train/triplet_loss": 0.5, "val/auc": 0.5}
    for metrics, best in ((training, 1), ({**training, "val/loss": 0.7}, 1), (training, count)):
        draw_learning([metrics] * count, best=best, title="a run", path=path)
        images.append(read(path))
    plain, with_loss, kept_last = images
    assert near(with_loss, ORANGE) > near(plain, ORANGE) + 20
    first, last = (centre(image, GREY) for image in (plain, kept_last))
    assert first < last - 8 if count > 1 else first == last


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


def test_the_maps_have_every_colour(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nobody = Neighbours(np.zeros((60, 0), np.int64), np.zeros((60, 0)))
    maps = [Map(when, rng.normal(size=(60, 2)).astype(np.float32), nobody) for when in "ab"]
    names = [f"Person {k % 20}" for k in range(60)]
    draw_map_sheet(maps, names, title="a run", path=tmp_path / "umap.png")
    image = read(tmp_path / "umap.png")
    for colour in COLOURS:
        assert near(image, tuple(bytes.fromhex(colour[1:])[::-1])) > 100, colour
