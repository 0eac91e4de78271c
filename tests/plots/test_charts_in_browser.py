"""Charts in a real browser: the style of the page does not cover what a library draws."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import plotly.graph_objects as go

from tripletlab.plots.page import Chart, html_page


def test_a_chart_is_visible(tmp_path: Path, needs: Callable[[str], str]) -> None:
    figure = go.Figure(go.Bar(x=["a", "b"], y=[1, 2], marker_color="#ff0000"))
    chart = Chart("A chart", figure.to_html(full_html=False, include_plotlyjs=True))
    page, screenshot = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(html_page("A page", "", [chart]))
    subprocess.run(
        [
            *(needs("chromium"), "--headless", "--no-sandbox", "--disable-gpu"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=800,900"),
            *("--virtual-time-budget=10000", f"--screenshot={screenshot}", page.as_uri()),
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    blue, green, red = np.moveaxis(cv2.imread(str(screenshot)), 2, 0).astype(int)
    assert np.count_nonzero((red > 200) & (green < 80) & (blue < 80)) > 10_000
