import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cellgan.report.charts import Axis, Curve, Range, curves, dumbbell, frame, swatch

HOSTILE = '"><script>alert(1)</script>'


def parsed(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314 (drawn here, not a stranger's)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (0, 7.3, 5, [0, 2, 4, 6]),
        (-0.31, 0.42, 5, [-0.2, 0.0, 0.2, 0.4]),
        (0.003, 0.009, 3, [0.004, 0.006, 0.008]),
        (0, 600, 5, [0, 200, 400, 600]),
        (3, 3, 5, [3]),
    ],
)
def test_ticks_are_round(low, high, most, expected):
    assert Range(low, high, 0, 1).ticks(most) == expected


def test_range_places_values():
    down = Range(0, 4, 100, 20)
    np.testing.assert_allclose(down.place(np.array([0, 1, 4])), [100, 80, 20])
    np.testing.assert_allclose(Range(5, 5, 10, 90).place(np.array([5.0])), [10])


def test_curve_goes_through_its_points():
    drawing = parsed(curves([Curve(np.array([0, 1, 2]), np.array([0, 3, 1]), "#000")], alt="a"))
    points = drawing.find("polyline").get("points")
    assert points == "4.0,92.0 100.0,8.0 196.0,64.0"


def test_area_stands_on_the_axis():
    area = Curve(np.array([0, 2]), np.array([1, 1]), "#000", "area")
    shape = parsed(curves([area], alt="a")).find("path").get("d")
    assert shape == "M4.0,92.0 L4.0,8.0 196.0,8.0 L196.0,92.0Z"


def test_curve_of_losses_has_numbers_on_both_axes():
    line = Curve(np.array([0, 100]), np.array([-1.0, 1.0]), "#000")
    words = [t.text for t in parsed(curves([line], alt="a", y_axis=True)).iter("text")]
    assert words == ["0", "20", "40", "60", "80", "100", "−1", "0", "1"]


def test_words_are_escaped():
    axes = [Axis(HOSTILE, 0, 1), Axis("y", 0, 1)]
    for drawing in (
        frame("data:image/png;base64,", *axes, alt=HOSTILE),
        curves([Curve(np.array([0, 1]), np.array([0, 1]), "#000")], alt=HOSTILE),
        dumbbell((0, "#000"), (1, "#fff"), high=1, alt=HOSTILE),
    ):
        tree = parsed(drawing)
        assert tree.get("aria-label") == HOSTILE
        assert tree.find(".//script") is None


def test_frame_without_ticks_has_names_only():
    x, y = Axis("UMAP 1", 0, 1, ticks=False), Axis("UMAP 2", 0, 1, ticks=False)
    words = [t.text for t in parsed(frame("data:,", x, y, alt="a")).iter("text")]
    assert words == ["UMAP 1", "UMAP 2"]


def test_dumbbell_is_to_scale():
    drawing = parsed(dumbbell((0.5, "#d55e00"), (2.0, "#0072b2"), high=2.0, alt="a"))
    assert [dot.get("cx") for dot in drawing.iter("circle")] == ["49.0", "172.0"]


@pytest.mark.parametrize("style", ["area", "line", "dashed", "dot", "ring", "contour"])
def test_swatches_have_their_colour(style):
    drawing = swatch("#123456", style)
    parsed(drawing)
    assert re.search('(fill|stroke)="#123456"', drawing)
