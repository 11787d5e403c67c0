"""Straight lines: gain and offset come back, order and spacing stay."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.batch_map import BatchMap
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.straight import LEAST_SLOPE, StraightLines, lines_of
from cellgan.cytof.transform import Standardise

GAIN, OFFSET = np.array([2.0, 0.5, 1.0]), np.array([-1.0, 3.0, 0.0])


@pytest.fixture
def cells() -> np.ndarray:
    return np.random.default_rng(0).gamma(2, size=(500, 3)).astype(np.float32)


def test_gain_and_offset_come_back(cells):
    lines = StraightLines.fit(cells, cells * GAIN + OFFSET)
    np.testing.assert_allclose(lines.slope, GAIN, rtol=1e-9)
    np.testing.assert_allclose(lines.offset, OFFSET, atol=1e-9)
    np.testing.assert_allclose(lines(cells), cells * GAIN + OFFSET, atol=1e-9)


def test_of_bent_moves_it_is_the_line_of_least_squares(cells):
    aligned = np.sqrt(cells) + np.random.default_rng(1).normal(0, 0.2, cells.shape)
    lines = StraightLines.fit(cells, aligned)
    for marker in range(3):
        slope, offset = np.polyfit(cells[:, marker].astype(float), aligned[:, marker], 1)
        assert lines.slope[marker] == pytest.approx(slope)
        assert lines.offset[marker] == pytest.approx(offset)
    # Bent moves change who is how far from whom; a line does not.
    far = np.sort(cells[:, 0])[[0, 250, 499]][:, None].repeat(3, axis=1)
    ratio = np.diff(lines(far), axis=0)
    np.testing.assert_allclose(ratio[1] / ratio[0], np.diff(far, axis=0)[1] / np.diff(far, axis=0)[0])


@pytest.mark.parametrize("slope", [-2.0, 0.0, LEAST_SLOPE / 2])
def test_every_line_rises(cells, slope):
    lines = StraightLines.fit(cells, slope * cells + 7)
    np.testing.assert_allclose(lines.slope, LEAST_SLOPE)
    # The middle of all cells arrives where the alignment put it.
    np.testing.assert_allclose(lines(cells).mean(axis=0), slope * cells.mean(axis=0) + 7, atol=1e-5)
    steep = StraightLines.fit(cells, 2 * LEAST_SLOPE * cells)
    np.testing.assert_allclose(steep.slope, 2 * LEAST_SLOPE)


def test_a_marker_with_a_single_value_is_shifted():
    same = np.full((9, 2), 3.0, np.float32)
    lines = StraightLines.fit(same, same + np.array([1.0, -0.5]))
    np.testing.assert_array_equal(lines.slope, [1, 1])
    np.testing.assert_allclose(lines.offset, [1, -0.5])


def test_some_of_the_lines(cells):
    lines = StraightLines(GAIN, OFFSET).at([2, 0])
    np.testing.assert_array_equal(lines.slope, [1.0, 2.0])
    np.testing.assert_array_equal(lines.offset, [0.0, -1.0])
    np.testing.assert_allclose(lines(cells[:, [2, 0]]), (cells * GAIN + OFFSET)[:, [2, 0]])


def batch_map(mover: Mover | None) -> BatchMap:
    units = Standardise(np.array([1, 2], np.float32), np.array([0.5, 2], np.float32))
    return BatchMap(("CD3", "CD19"), np.array([-99, -99], np.float32), units, mover)


def test_lines_of_a_batchs_map_are_in_arcsinh_units():
    """Standard units are doubled and moved up by one: with mean 1 and SD 0.5, x becomes 2x - 1 + 0.5."""
    knots = np.array([[-99.0, -99.0], [99.0, 99.0]])
    cells = np.random.default_rng(0).normal([1, 2], [0.5, 2], (400, 2)).astype(np.float32)
    lines = lines_of(cells, batch_map(Mover(MarkerMaps(knots, 2 * knots + 1))))
    np.testing.assert_allclose(lines.slope, [2, 2], rtol=1e-3)
    np.testing.assert_allclose(lines.offset, [-1 + 0.5, -2 + 2], atol=2e-3)


def test_the_reference_stays_where_it_is():
    cells = np.random.default_rng(0).normal([1, 2], [0.5, 2], (400, 2)).astype(np.float32)
    lines = lines_of(cells, batch_map(None))
    np.testing.assert_allclose(lines.slope, [1, 1], rtol=1e-12)
    np.testing.assert_allclose(lines.offset, [0, 0], atol=1e-12)


def test_lines_of_a_bent_map_are_those_of_least_squares():
    """A map that is flat below its middle: the one line is between its two slopes, 0 and 2."""
    knots, bent = (
        np.array([[-4.0, -4.0], [0.0, 0.0], [4.0, 4.0]]),
        np.array([[0.0, 0.0], [0.0, 0.0], [8.0, 8.0]]),
    )
    cells = np.random.default_rng(0).normal([1, 2], [0.5, 2], (3000, 2)).astype(np.float32)
    own = batch_map(Mover(MarkerMaps(knots, bent)))
    lines = lines_of(cells, own)
    # For normal cells the slope is the mean of the two, by Stein's lemma.
    np.testing.assert_allclose(lines.slope, [1, 1], atol=0.06)
    expected = [np.polyfit(x, y, 1) for x, y in zip(cells.T.astype(float), own(cells).aligned.T, strict=True)]
    np.testing.assert_allclose(np.stack([lines.slope, lines.offset], axis=1), expected, rtol=1e-4, atol=1e-4)
