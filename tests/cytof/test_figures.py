import re

import numpy as np
import pytest

from cellgan.cytof import figures
from cellgan.cytof.views import Views
from cellgan.report.palette import NOVEL


def test_density_finds_the_modes():
    draw = np.random.default_rng(0)
    cells = np.concatenate([draw.normal(1, 0.2, 4000), draw.normal(4, 0.2, 1000)])
    heights = figures._density(cells, 0.0, 6.0)
    x = np.linspace(0, 6, len(heights))
    assert heights.sum() * (x[1] - x[0]) == pytest.approx(1, abs=0.01)
    low, high = x < 2.5, x >= 2.5
    assert x[low][heights[low].argmax()] == pytest.approx(1, abs=0.1)
    assert x[high][heights[high].argmax()] == pytest.approx(4, abs=0.1)
    assert heights[low].max() / heights[high].max() == pytest.approx(4, abs=0.5)


def test_outlines_hold_their_share_of_cells():
    cells = np.random.default_rng(0).normal(size=(4000, 2))
    outline = figures._outline(cells, (-5, 5), (-5, 5))
    assert list(outline.heights) == sorted(outline.heights)
    for height, share in zip(outline.heights, figures.CONTOUR_SHARES, strict=True):
        inside = outline.density[outline.density >= height].sum() / outline.density.sum()
        assert inside == pytest.approx(share, abs=0.01)


def test_partners_part_other_cells():
    draw = np.random.default_rng(0)
    a, c = draw.normal(size=(2, 500))
    b = a + 0.1 * draw.normal(size=500)  # rises with a
    views = Views(("a", "b", "c"), np.stack([a, b, c], axis=1), {})
    assert figures.telling_pairs(views, ["a", "b", "c"], 3) == [("a", "c")]
    assert figures.telling_pairs(views, ["a"], 3) == []


def test_losses_leave_out_what_is_not_finite():
    history = {
        "rounds": [0, 1, 2, 3],
        "terms": {"g/a": [1.0, float("nan"), 3.0, 2.0], "g/b": [float("nan")] * 4, "g/c": [1.0] * 4},
    }
    drawn = figures.losses(history)
    assert [figure.title for figure in drawn] == ["g: a", "g: c"]
    assert drawn[0].caption == "1.00 → 2.00"
    assert len(re.search('<polyline points="(.*?)"', drawn[0].drawing)[1].split()) == 3
    assert figures.losses({}) == ()


def test_map_keeps_the_reference_in_place():
    draw = np.random.default_rng(0)
    reference, before = draw.normal(size=(2, 80, 4))
    views = Views(("a", "b", "c", "d"), reference, {"x": (before + 6, before)})
    first, second = figures.maps(views, "x", n_cells=50, seed=0)
    assert (first.title, second.title) == ("Before", "After")
    assert first.drawing != second.drawing
    assert figures.maps(views, "x", n_cells=50, seed=0) == (first, second)
    assert figures.maps(views, "x", n_cells=50, seed=1) != (first, second)


def test_map_shows_cells_without_counterpart_in_their_own_colour(monkeypatch):
    drawn = []
    draw_dots = figures.dots.draw
    monkeypatch.setattr(
        figures.dots, "draw", lambda clouds, *a, **k: drawn.append(clouds) or draw_dots(clouds, *a, **k)
    )
    reference, before = np.random.default_rng(0).normal(size=(2, 80, 4))
    novel = np.arange(80) >= 70
    views = Views(("a", "b", "c", "d"), reference, {"x": (before + 6 * novel[:, None], before)}, {"x": novel})
    figures.maps(views, "x", n_cells=80, seed=0)
    assert [[len(cloud.points) for cloud in clouds] for clouds in drawn] == [[80, 70, 10]] * 2
    assert all(clouds[-1].colour == NOVEL for clouds in drawn)
    # They were put apart from all others before: that is where the black dots are.
    centre = drawn[0][1].points.mean(axis=0)
    assert np.linalg.norm(drawn[0][2].points - centre, axis=1).min() > np.median(
        np.linalg.norm(drawn[0][1].points - centre, axis=1)
    )
