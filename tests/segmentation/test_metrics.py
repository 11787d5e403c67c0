"""Figures against closed forms; nothing is ever NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellgan.segmentation.metrics import METRICS, distances, score, surface


def spacing(*mm: float) -> np.ndarray:
    return np.diag([*mm, 1.0])


def cube(at, length=10, shape=(26, 24, 25)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + length) for a in at)] = True
    return mask


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_shifted_cube_with_uneven_voxels(axis, steps):
    mm = (0.5, 1.0, 3.0)
    a = cube((6, 6, 6))
    at = [6, 6, 6]
    at[axis] += steps
    got = score(cube(at), a, spacing(*mm))
    assert got["dice"] == pytest.approx((10 - steps) / 10)
    assert got["sensitivity"] == pytest.approx((10 - steps) / 10)
    assert got["specificity"] == pytest.approx(1 - 100 * steps / (a.size - 1000))
    assert (got["volume_error"], got["volume_ml"]) == (0, 0)
    # A fifth of the surface is the face that was moved away, each of its voxels by as much as the shift.
    side = [mm[k] for k in range(3) if k != axis]
    if steps * mm[axis] < min(side):  # else a side face may be nearer
        assert got["hd95"] == pytest.approx(steps * mm[axis])
    face = np.quantile([nearest(p, cube(at), mm) for p in np.argwhere(rim(a))], 0.95)
    assert got["hd95"] == pytest.approx(face)


def rim(mask: np.ndarray) -> np.ndarray:
    """Give the surface by looking at all six neighbours of every voxel."""
    padded = np.pad(mask, 1)
    kept = np.ones_like(mask)
    for axis in range(3):
        for step in (-1, 1):
            kept &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return mask & ~kept


def nearest(point, mask, mm) -> float:
    apart = (np.argwhere(rim(mask)) - point) * np.array(mm)
    return float(np.sqrt((apart**2).sum(1)).min())


def test_distances_are_those_of_a_loop_over_all_pairs():
    rng = np.random.default_rng(0)
    mm, a, b = (0.7, 1.1, 2.9), *(rng.random((2, 7, 6, 5)) < 0.3)
    there = [nearest(point, b, mm) for point in np.argwhere(rim(a))]
    back = [nearest(point, a, mm) for point in np.argwhere(rim(b))]
    far, mean = distances(a, b, spacing(*mm))
    assert far == pytest.approx(max(np.quantile(there, 0.95), np.quantile(back, 0.95)))
    assert mean == pytest.approx(np.mean(there + back))


def sphere(radius: float, mm) -> np.ndarray:
    place = np.indices((61, 61, 61)) - 30
    return ((place * np.array(mm)[:, None, None, None]) ** 2).sum(0) <= radius**2


@pytest.mark.parametrize("mm", [(1.0, 1.0, 1.0), (0.8, 0.9, 1.2)])
def test_concentric_spheres(mm):
    small, large = sphere(14, mm), sphere(20, mm)
    got = score(small, large, spacing(*mm))
    r = 14**3 / 20**3
    assert got["dice"] == pytest.approx(2 * r / (1 + r), abs=0.01)
    assert got["sensitivity"] == pytest.approx(r, abs=0.01)
    assert got["volume_error"] == pytest.approx(2 * (r - 1) / (r + 1), abs=0.02)
    assert got["volume_ml"] == pytest.approx(4 / 3 * math.pi * (14**3 - 20**3) / 1000, rel=0.02)
    assert got["hd95"] == pytest.approx(6, abs=0.9)
    assert got["surface"] == pytest.approx(6, abs=0.4)


def test_a_turned_or_mirrored_world_changes_nothing(matrix):
    a, b = cube((6, 6, 6)), cube((8, 7, 6))
    mm = np.linalg.norm(matrix[:3, :3], axis=0)
    turned, straight = score(a, b, matrix), score(a, b, spacing(*mm))
    for name in METRICS:
        assert turned[name] == pytest.approx(straight[name]), name


EMPTY, SOME = np.zeros((5, 6, 7), bool), cube((1, 1, 1), 2, (5, 6, 7))
EXTENT = math.sqrt((4 * 1) ** 2 + (5 * 2) ** 2 + (6 * 3) ** 2)


@pytest.mark.parametrize(
    ("predicted", "truth", "dice", "distance", "sensitivity", "specificity", "volume"),
    [
        (EMPTY, EMPTY, 1, 0, 1, 1, 0),
        (EMPTY, SOME, 0, EXTENT, 0, 1, -2),
        (SOME, EMPTY, 0, EXTENT, 1, 1 - 8 / 210, 2),
        (SOME, SOME, 1, 0, 1, 1, 0),
        (SOME, ~EMPTY, 16 / 218, None, 8 / 210, 1, 2 * (8 - 210) / 218),
    ],
)
def test_what_is_empty_or_full_has_a_value(
    predicted, truth, dice, distance, sensitivity, specificity, volume
):
    got = score(predicted, truth, spacing(1, 2, 3))
    assert set(got) == set(METRICS)
    assert all(math.isfinite(value) for value in got.values())
    assert got["dice"] == pytest.approx(dice)
    assert (got["sensitivity"], got["specificity"]) == pytest.approx((sensitivity, specificity))
    assert got["volume_error"] == pytest.approx(volume)
    if distance is not None:
        assert (got["hd95"], got["surface"]) == pytest.approx((distance, distance))


def test_nothing_is_further_away_than_what_is_missing(matrix):
    a, b = (np.zeros((5, 6, 7), bool) for _ in range(2))
    for corner in np.ndindex(2, 2, 2):
        a[:], b[:] = False, False
        a[tuple(-k for k in corner)] = b[tuple(k - 1 for k in corner)] = True
        sheared = matrix.copy()
        sheared[0, 1] += 0.4
        for world in (matrix, sheared):
            assert distances(a, b, world)[0] <= distances(a, EMPTY, world)[0] + 1e-9


def test_an_outline_is_the_surface_within_slices():
    flat = np.zeros((9, 9, 1), bool)
    flat[2:7, 2:7] = True
    assert len(surface(flat)) == 25
    assert len(surface(flat, axis=2)) == 16
    shifted = np.roll(flat, 1, 0)
    assert distances(flat, shifted, spacing(2, 1, 5), axis=2)[0] == pytest.approx(2)
    assert distances(flat, shifted, spacing(0.5, 1, 5), axis=2)[0] == pytest.approx(0.5)
