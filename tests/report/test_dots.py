import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from cellgan.report.dots import PIXELS, Cloud, Contours, draw


def picture(uri: str) -> np.ndarray:
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")).astype(int)


def test_dots_lie_where_they_belong():
    # One cell at a quarter from the left, three quarters up; rows of a picture count from above.
    drawn = picture(draw([Cloud(np.array([[1.0, 3.0]]), "#ff0000")], (0, 4), (0, 4), pixels=400))
    assert drawn.shape == (400, 400, 4)
    rows, columns = np.nonzero(drawn[..., 3])
    assert abs(rows.mean() - 100) < 2
    assert abs(columns.mean() - 100) < 2
    red, green, blue, _ = drawn[100, 100]
    assert red > 240
    assert green == pytest.approx(blue, abs=6)
    assert green < 130


def test_ground_is_see_through():
    drawn = picture(draw([Cloud(np.array([[0.5, 0.5]]), "#0072b2")], (0, 1), (0, 1)))
    assert drawn.shape[:2] == (PIXELS, PIXELS)
    assert (drawn[..., 3] == 0).mean() > 0.99


def test_no_cloud_hides_the_other():
    cells = np.random.default_rng(0).normal(size=(20000, 2))
    for order in (["#ff0000", "#0000ff"], ["#0000ff", "#ff0000"]):
        drawn = picture(draw([Cloud(cells, colour) for colour in order], (-1, 1), (-1, 1), pixels=200))
        seen = drawn[drawn[..., 3] > 0]
        assert 0.8 < seen[:, 0].mean() / seen[:, 2].mean() < 1.25


def test_outline_is_drawn():
    grid = np.linspace(-3, 3, 61)
    density = np.exp(-(grid[None] ** 2 + grid[:, None] ** 2) / 2)
    outline = Contours(grid, grid, density, (float(np.exp(-0.5)),), "#000000")  # the circle of radius 1
    drawn = picture(draw([Cloud(np.array([[9.0, 9.0]]), "#ff0000")], (-3, 3), (-3, 3), outline=outline))
    rows, columns = np.nonzero(drawn[..., 3])
    radius = np.hypot(rows - PIXELS / 2, columns - PIXELS / 2) * 6 / PIXELS
    assert np.abs(radius - 1).max() < 0.05


def test_same_dots_same_bytes_whatever_the_users_style():
    clouds = [Cloud(np.random.default_rng(0).normal(size=(500, 2)), "#0072b2")]
    first = draw(clouds, (-3, 3), (-3, 3))
    with mpl.rc_context({"savefig.bbox": "tight", "savefig.dpi": 20, "figure.facecolor": "black"}):
        assert draw(clouds, (-3, 3), (-3, 3)) == first
    # Neither a date nor the name of a program is in the file.
    assert Image.open(io.BytesIO(base64.b64decode(first.split(",")[1]))).text == {}
