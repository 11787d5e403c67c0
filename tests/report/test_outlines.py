"""Outlines lie where regions end, and dots where their values are."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cellgan.report.charts import Axis
from cellgan.report.outlines import WIDTH, Region, outline, outlined
from cellgan.report.strips import Row, strip


def points(path: str) -> np.ndarray:
    return np.array([[float(v) for v in pair.split(",")] for pair in re.split("[MLZ]", path) if pair])


def test_an_outline_runs_half_way_between_pixels():
    inside = np.zeros((9, 12), bool)
    inside[2:5, 3:9] = True
    (line,) = outline(inside)
    np.testing.assert_allclose([line[:, 0].min(), line[:, 0].max()], [2.5, 8.5])
    np.testing.assert_allclose([line[:, 1].min(), line[:, 1].max()], [1.5, 4.5])
    assert outline(np.zeros((3, 3), bool)) == []
    inside[7, 1] = inside[0, 0] = True  # at the border an outline closes as well
    assert len(outline(inside)) == 3
    inside[3, 5] = False
    assert len(outline(inside)) == 4  # a hole


def test_pixels_are_as_tall_as_they_are():
    image, inside = np.zeros((10, 20), np.uint8), np.zeros((10, 20), bool)
    inside[5:, 10:] = True
    drawn = str(outlined(image, [Region(inside, "#123456")], pixel=(3.0, 1.0), alt="a <b>"))
    assert f'viewBox="0 0 {WIDTH:.1f} {WIDTH / 20 * 3 * 10:.1f}"' in drawn
    assert 'aria-label="a &lt;b&gt;"' in drawn
    (path,) = re.findall('<path d="([^"]*)" fill="none" stroke="#123456"', drawn)
    np.testing.assert_allclose(points(path).min(0), [WIDTH / 20 * 10, WIDTH / 20 * 3 * 5], atol=0.1)


def test_dots_lie_at_their_values_and_do_not_cover_each_other():
    rows = [Row("A", [0.25, 0.25, 0.251, 0.75], [False, False, True, False]), Row("B <b>", [2.0], [False])]
    drawn = str(strip(rows, Axis("Dice", 0.0, 1.0), colour="#123456", alt="x"))
    dots = re.findall('<circle cx="([^"]*)" cy="([^"]*)" r="4" fill="([^"]*)"', drawn)
    x, y = (np.array([float(dot[k]) for dot in dots]) for k in (0, 1))
    assert x[0] == pytest.approx(x[1])
    assert x[3] - x[0] == pytest.approx((x[4] - x[0]) * 2 / 3, abs=0.5)  # 2 is drawn at the axis's end, 1
    assert len(set(y[:3])) == 3
    assert [dot[2] == "#fff" for dot in dots] == [False, False, True, False, False]
    assert "B &lt;b&gt;" in drawn
