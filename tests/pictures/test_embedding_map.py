"""The map: the same for the same seed, and a page that asks the network for nothing."""

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tripletlab.pictures.embedding_map import COLOURS, MARKERS, draw_map, project

NAMES = [f"Person_{row % 3}" for row in range(12)]
TITLE = "margin <0.2> & hard"


def write_page(folder: Path) -> Path:
    """A map of twelve random faces of three people."""
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(2, 12, 2)).astype(np.float32)
    faces = rng.integers(0, 256, (12, 16, 16), dtype=np.uint8)
    draw_map(before, after, faces, NAMES, title=TITLE, path=folder / "map.html")
    return folder / "map.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("map"))


class Loads(HTMLParser):
    """Collects what a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"script": "src", "link": "href", "img": "src", "iframe": "src"}.get(tag)
        self.addresses += [value or "" for name, value in attrs if name == wanted]


def models(page: Path, kind: str) -> list[dict[str, Any]]:
    """The attributes of every model of this kind in the page's own JSON."""
    text = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page.read_text(), re.S)
    assert text is not None
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("name") == kind and node.get("type") == "object":
                found.append(node.get("attributes", {}))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.loads(unescape(text[1])))
    return found


def test_the_page_fetches_nothing(page: Path) -> None:
    loads = Loads()
    loads.feed(page.read_text())
    assert [address for address in loads.addresses if not address.startswith("data:")] == []
    assert "@import" not in page.read_text()
    assert "Bokeh" in page.read_text()  # the library itself is inside


def test_every_face_is_there_once_with_its_name_and_picture(page: Path) -> None:
    columns = [dict(source["data"]["entries"]) for source in models(page, "ColumnDataSource")]
    names = [name for one in columns for name in one["name"]]
    assert sorted(names) == sorted(NAMES)
    pictures = [picture for one in columns for picture in one["picture"]]
    assert len(set(pictures)) == 12
    assert all(picture.startswith("data:image/png;base64,iVBOR") for picture in pictures)


def test_points_stand_where_they_were_put(page: Path) -> None:
    before, after = np.random.default_rng(0).normal(size=(2, 12, 2)).astype(np.float32)
    for source in models(page, "ColumnDataSource"):
        columns = dict(source["data"]["entries"])
        rows = [row for row, name in enumerate(NAMES) if name == columns["name"][0]]
        for when, points in (("before", before), ("after", after)):
            got = np.stack([columns[f"{when}_x"], columns[f"{when}_y"]], axis=1)
            np.testing.assert_allclose(got, points[rows], rtol=1e-6)


def test_the_title_is_text_and_not_markup(page: Path) -> None:
    headings = [one["text"] for one in models(page, "Div")]
    assert len(headings) == 1
    assert "margin &lt;0.2&gt; &amp; hard" in headings[0]


def test_both_maps_have_every_person_in_their_legend(page: Path) -> None:
    labels = [item["name"] for item in models(page, "LegendItem")]
    assert labels == sorted(set(NAMES)) * 2


def test_twenty_people_are_told_apart() -> None:
    looks = {(COLOURS[k % len(COLOURS)], list(MARKERS)[k % len(MARKERS)]) for k in range(20)}
    assert len(looks) == 20


def test_only_the_page_is_written(page: Path) -> None:
    assert [path.name for path in page.parent.iterdir()] == ["map.html"]


CLICK = """<script>setTimeout(() => {
  const all = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])])
  const names = all(document).filter((one) => one.matches(".bk-item"))
  const click = (k) => names[k].dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}))
  const turns = CLICKS
  turns.forEach((k, turn) => setTimeout(() => click(k), 200 * turn))
  setTimeout(() => {
    const models = [...Bokeh.documents[0]._all_models.values()]
    const muted = models.filter((one) => one.type == "GlyphRenderer" && one.muted)
    const mark = document.createElement("pre")
    mark.textContent = `names ${names.length}, faded ${muted.map((one) => one.name).sort()}`
    document.body.append(mark)
  }, 1000)
}, 2000)</script>"""


# The legends list three people each: 1 and 4 are the second person's names.
@pytest.mark.parametrize(
    ("clicks", "faded"), [([1], "02"), ([4], "02"), ([1, 5], "0"), ([1, 4], "")]
)
def test_a_browser_draws_it_and_a_click_fades_everybody_else(
    tmp_path: Path, needs: Callable[[str], str], clicks: list[int], faded: str
) -> None:
    chromium = needs("chromium")
    page = write_page(tmp_path)
    start, end = page.read_text().rsplit("</body>", 1)
    page.write_text(f"{start}{CLICK.replace('CLICKS', str(clicks))}</body>{end}")
    dom, console = browse(chromium, page, profile=tmp_path / "profile")
    both = ",".join(f"Person_{person}" for person in faded for _ in ("before", "after"))
    assert f"names 6, faded {both}</pre>" in dom
    assert "document idle" in console
    assert not re.search(r"Uncaught|CONSOLE.*[Ee]rror|Failed to load", console)


def browse(chromium: str, page: Path, *, profile: Path) -> tuple[str, str]:
    """The page as the browser has it after four seconds of its own time, and its console."""
    quiet = ("quic", "background-networking", "component-update", "sync", "gpu", "extensions")
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--no-first-run"),
            *(f"--disable-{what}" for what in quiet),
            *(f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom"),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


def two_people(rows: int) -> np.ndarray:
    """Unit embeddings (rows, 8) of two people, taking turns."""
    rng = np.random.default_rng(0)
    centres = np.eye(8)[np.arange(rows) % 2]
    embeddings = centres + 0.05 * rng.normal(size=(rows, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(embeddings, np.float32)


@pytest.mark.filterwarnings("error::UserWarning:umap")
def test_the_same_seed_gives_the_same_map_and_people_stay_together() -> None:
    embeddings = two_people(40)
    points = project(embeddings, seed=3)
    np.testing.assert_array_equal(points, project(embeddings, seed=3))
    assert points.shape == (40, 2)
    assert np.isfinite(points).all()
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    assert (nearest % 2 == np.arange(40) % 2).all()


@pytest.mark.parametrize("rows", [4, 5, 14, 15, 16])
def test_few_faces_have_a_map_too(rows: int) -> None:
    points = project(two_people(rows), seed=0)
    assert points.shape == (rows, 2)
    assert np.isfinite(points).all()


def test_fewer_than_four_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 4 faces, not 3"):
        project(two_people(3), seed=0)


def test_a_collapsed_network_has_a_map_too() -> None:
    """All embeddings coincide: the picture of that failure must not fail itself."""
    points = project(np.ones((30, 8), np.float32), seed=0)
    assert np.isfinite(points).all()
