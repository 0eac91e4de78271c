"""What a network is worth against what it costs."""

import pytest

from tripletlab.sweeping.charts import worth


def test_every_network_is_a_point_with_its_name():
    (points,) = worth({"small": (2e6, 0.7), "large": (9e7, 0.8)}).data
    assert list(points.x) == pytest.approx([2, 90])
    assert list(points.y) == [0.7, 0.8]
    assert list(points.text) == ["small", "large"]
