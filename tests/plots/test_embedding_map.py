"""The map: the same for the same seed, and a page that asks the network for nothing."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tripletlab.plots.embedding_map import (
    COLOURS,
    MARKERS,
    OTHER,
    SAME,
    Map,
    MapFrame,
    draw_map,
)
from tripletlab.plots.projection import neighbours

NAMES = [f"Person_{row % 3}" for row in range(12)]
TITLE = "margin <0.2> & hard"


def write_page(folder: Path) -> Path:
    """Maps of twelve random faces of three people, and an animation of three frames."""
    rng = np.random.default_rng(0)
    before, between, after = rng.normal(size=(3, 12, 2)).astype(np.float32)
    faces = rng.integers(0, 256, (12, 16, 16), dtype=np.uint8)
    near = neighbours(rng.normal(size=(12, 8)).astype(np.float32), count=3)
    maps = [Map("before", before, near), Map("after", after, near)]
    animation = [
        MapFrame("untrained", before),
        MapFrame("epoch 1", between),
        MapFrame("after", after),
    ]
    draw_map(maps, animation, faces, NAMES, title=TITLE, path=folder / "map.html")
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


def test_every_face_is_there_once_with_its_name_and_place_on_the_sheet(page: Path) -> None:
    columns = [dict(source["data"]["entries"]) for source in models(page, "ColumnDataSource")]
    names = [name for one in columns for name in one["name"]]
    assert sorted(names) == sorted(NAMES)
    assert len({at for one in columns for at in one["at"]}) == 12
    address = re.search(r"--faces: url\(data:image/jpeg;base64,([^)]*)\)", page.read_text())
    sheet = cv2.imdecode(np.frombuffer(base64.b64decode(address[1]), np.uint8), 0)
    assert sheet.shape == (64, 20 * 64)


def test_points_stand_where_they_were_put(page: Path) -> None:
    before, between, after = np.random.default_rng(0).normal(size=(3, 12, 2)).astype(np.float32)
    wanted = {"map_0": before, "map_1": after}
    wanted |= {"frame_0": before, "frame_1": between, "frame_2": after}
    for source in models(page, "ColumnDataSource"):
        columns = dict(source["data"]["entries"])
        rows = [row for row, name in enumerate(NAMES) if name == columns["name"][0]]
        for key, points in wanted.items():
            got = np.stack([columns[f"{key}_x"], columns[f"{key}_y"]], axis=1)
            np.testing.assert_allclose(got, points[rows], rtol=1e-6)


def test_neighbours_are_framed_by_whether_they_are_the_same_person(page: Path) -> None:
    rng = np.random.default_rng(0)
    rng.normal(size=(3, 12, 2))
    rng.integers(0, 256, (12, 16, 16), dtype=np.uint8)
    near = neighbours(rng.normal(size=(12, 8)).astype(np.float32), count=3)
    shown = {}
    for source in models(page, "ColumnDataSource"):
        columns = dict(source["data"]["entries"])
        shown |= dict(zip(columns["at"], columns["near_1"], strict=True))
    for row, others in enumerate(near.rows.tolist()):
        text = shown[f"{-64 * row}px 0px"]
        same = sum(NAMES[row] == NAMES[other] for other in others)
        assert text.count(f"border:3px solid {SAME}") == same
        assert text.count(f"border:3px solid {OTHER}") == 3 - same


def test_the_pointer_says_when_the_faces_were_nearest(page: Path) -> None:
    texts = [tool["tooltips"] for tool in models(page, "HoverTool")]
    assert len(texts) == 2
    for when, column in (("before", "near_0"), ("after", "near_1")):
        (own,) = [text for text in texts if f"@{column}{{safe}}" in text]
        assert f"nearest faces {when}, by squared distance" in own


def test_the_title_is_text_and_not_markup(page: Path) -> None:
    assert "<h1>margin &lt;0.2&gt; &amp; hard</h1>" in page.read_text()
    assert "<0.2>" not in page.read_text()


def test_both_maps_have_every_person_in_their_legend(page: Path) -> None:
    labels = [item["name"] for item in models(page, "LegendItem")]
    assert labels == sorted(set(NAMES)) * 2


def test_twenty_people_are_drawn_differently() -> None:
    drawn = {(COLOURS[k % len(COLOURS)], list(MARKERS)[k % len(MARKERS)]) for k in range(20)}
    assert len(drawn) == 20


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


PLAY = """<script>
  const all = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])])
  const models = () => [...Bokeh.documents[0]._all_models.values()]
  const click = () => all(document).find((one) => one.matches("button.bk-btn")).click()
  for (const time of [1500, 2000]) setTimeout(click, time)
  for (const time of [1600, 2600, 3000]) setTimeout(() => {
    const mark = document.createElement("pre")
    mark.textContent = `frame ${models().find((one) => one.type == "Slider").value}`
    document.body.append(mark)
  }, time)
</script>"""


def test_a_second_click_plays_from_the_start(tmp_path: Path, needs: Callable[[str], str]) -> None:
    page = write_page(tmp_path)
    start, end = page.read_text().rsplit("</body>", 1)
    page.write_text(f"{start}{PLAY}</body>{end}")
    dom, _ = browse(needs("chromium"), page, profile=tmp_path / "profile")
    # The first click's second frame would come at 2,400 ms, the other's comes at 2,900.
    assert re.findall(r"<pre>frame (\d)</pre>", dom) == ["0", "0", "1"]


SHEET = """<script>setTimeout(() => {
  const face = document.createElement("div")
  face.attachShadow({mode: "open"}).innerHTML = "<i style='background:var(--faces)'></i>"
  document.body.append(face)
  const image = getComputedStyle(face.shadowRoot.querySelector("i")).backgroundImage
  const mark = document.createElement("pre")
  mark.textContent = `image ${image.slice(0, 26)}`
  document.body.append(mark)
}, 1000)</script>"""


def test_the_faces_reach_into_a_tooltip(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """Bokeh draws tooltips in shadow roots, where no style sheet of the page counts."""
    page = write_page(tmp_path)
    assert page.read_text().index("--faces: url") < page.read_text().index("<script")
    start, end = page.read_text().rsplit("</body>", 1)
    page.write_text(f"{start}{SHEET}</body>{end}")
    dom, _ = browse(needs("chromium"), page, profile=tmp_path / "profile")
    assert 'image url("data:image/jpeg;base' in unescape(dom)


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
