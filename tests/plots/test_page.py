"""Pages: nothing of what they show is code, and they need no other file."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from jinja2 import UndefinedError

from tripletlab.plots.page import (
    Chart,
    PageTable,
    Picture,
    embedded_jpeg,
    html_page,
    markdown_page,
    template,
)

EVIL = "<script>alert(1)</script> | & \"'"


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def page(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 3), np.uint8))
    table = PageTable(EVIL, ("a", EVIL), [(EVIL, "1"), ("b", "2")], note=EVIL, marked=[1])
    return [table, Picture(EVIL, tmp_path / "a.png"), Chart("chart", "<b>drawn</b>")]


def test_texts_are_escaped_and_only_a_chart_is_html(tmp_path):
    found = Tags(html_page(EVIL, EVIL, page(tmp_path)))
    names = [tag for tag, _ in found.tags]
    assert "script" not in names
    assert names.count("b") == 1
    assert found.texts.count(EVIL) == 8  # title and heading, lead, four of the table, the picture
    assert [tag for tag, attributes in found.tags if attributes.get("class") == "marked"] == ["tr"]


def test_a_page_is_one_file(tmp_path):
    text = html_page("title", "", page(tmp_path))
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    (source,) = [one["src"] for tag, one in Tags(text).tags if tag == "img"]
    kept = base64.b64decode(source.partition(",")[2])
    assert kept == (tmp_path / "a.png").read_bytes()


def test_only_a_picture_with_panels_is_scrolled(tmp_path):
    classes = []
    for width in (1092, 1482):  # one panel, and two
        cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, width), np.uint8))
        text = html_page("title", "", [Picture("a", tmp_path / "a.png")])
        classes += [one.get("class") for tag, one in Tags(text).tags if tag == "img"]
    assert classes == [None, "wide"]


def test_markdown_has_the_tables_and_no_cell_breaks_its_row(tmp_path):
    lines = markdown_page("title", "lead", page(tmp_path)).splitlines()
    assert lines[:3] == ["# title", "", "lead"]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 4  # heading, divider and two
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    cell = markdown_page("t", "l", [PageTable("t", ("a",), [("two\nlines",)])])
    assert "| two lines |" in cell


def test_the_summary_keeps_its_lines():
    assert "# t\n\none\\\ntwo\n" in markdown_page("t", "one\ntwo", [])
    page = html_page("t", "one\ntwo", [])
    assert '<p class="lead">one\ntwo</p>' in page
    (style,) = re.findall(r"p\.lead \{(.*)\}", page)
    assert "white-space: pre-line" in style


def test_a_page_of_nothing():
    assert "<h1>title</h1>" in html_page("title", "", [])
    assert markdown_page("title", "lead", []) == "# title\n\nlead\n"


def test_a_picture_in_the_page_is_the_picture():
    picture = np.tile(np.arange(0, 250, 5, dtype=np.uint8), (40, 1))
    kept = base64.b64decode(embedded_jpeg(picture).removeprefix("data:image/jpeg;base64,"))
    again = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert again.shape == picture.shape
    assert np.abs(again.astype(int) - picture).max() < 12


def test_a_value_that_is_missing_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError):
        template("page.html.j2").render(title="without the rest")
