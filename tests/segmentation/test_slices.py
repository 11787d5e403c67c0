"""Every resampling keeps a ramp of world coordinates a ramp of world coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.segmentation.slices import Grid, weights

SHAPE = (26, 22, 24)


def grid(matrix, *, size: int = 16, pixel: float = 1.1) -> Grid:
    return Grid(SHAPE, matrix, size, pixel)


@pytest.mark.parametrize("pixel", [0.35, 1.0, 1.1, 2.3])
def test_pixels_hold_the_world_coordinates_of_where_they_lie(matrix, world, pixel):
    g = grid(matrix, pixel=pixel)
    voxels, pixels = world(matrix, SHAPE), None
    n_slices = g.slices(voxels[0]).shape[0]
    pixels = world(g.pixel_affine(), (16, 16, n_slices))
    inside = within(g)
    assert inside.sum() > 20
    for axis in range(3):
        got, true = np.moveaxis(g.slices(voxels[axis]), 0, 2), pixels[axis]
        np.testing.assert_allclose(got[inside], true[inside], atol=1e-4)
        assert np.isnan(got[~g.inside()]).all()


def within(g: Grid) -> np.ndarray:
    """Tell which pixels lie between the outermost voxels' centres, where a ramp is known."""
    turned = np.linalg.inv(g.affine) @ g.pixel_affine()
    n = [g.shape[int(np.argmax(np.abs(turned[:3, axis])))] for axis in range(2)]
    start = [turned[int(np.argmax(np.abs(turned[:3, axis]))), 3] for axis in range(2)]
    step = [turned[int(np.argmax(np.abs(turned[:3, axis]))), axis] for axis in range(2)]
    ok = []
    for axis in range(2):
        at = start[axis] + step[axis] * np.arange(g.size)
        ok.append((at >= 0) & (at <= n[axis] - 1))
    return ok[0][:, None] & ok[1][None, :]


@pytest.mark.parametrize("pixel", [0.35, 1.1, 2.3])
def test_voxels_get_the_world_coordinates_of_where_they_lie_back(matrix, world, pixel):
    g = grid(matrix, size=40, pixel=pixel)
    voxels = world(matrix, SHAPE)
    n_slices = g.slices(voxels[0]).shape[0]
    pixels = world(g.pixel_affine(), (40, 40, n_slices))
    index = np.einsum(
        "ab,b...->a...", np.linalg.inv(g.pixel_affine()), np.concatenate([voxels, np.ones((1, *SHAPE))])
    )
    between = ((index[:2] >= 0) & (index[:2] <= 39)).all(0)
    beyond = ((index[:2] < -0.51) | (index[:2] > 39.51)).any(0)
    for axis in range(3):
        back = g.volume(np.moveaxis(pixels[axis], 2, 0), outside=-999.0)
        assert back.shape == SHAPE
        np.testing.assert_allclose(back[between], voxels[axis][between], atol=1e-4)
        assert (back[beyond] == -999).all()
        assert (back[between] != -999).all()


def test_rows_point_right_columns_anterior_and_slices_superior(matrix):
    steps = grid(matrix).pixel_affine()[:3, :3]
    assert (np.argmax(np.abs(steps), axis=0) == [0, 1, 2]).all()
    assert (np.diag(steps) > 0).all()


def test_pixels_are_as_far_apart_as_was_asked(matrix):
    steps = grid(matrix, pixel=1.7).pixel_affine()[:3, :3]
    np.testing.assert_allclose(np.linalg.norm(steps[:, :2], axis=0), 1.7)


def test_a_mask_comes_back_where_it_was(matrix, world):
    place = world(matrix, SHAPE)
    middle = (np.array(SHAPE) - 1) / 2
    centre = (matrix @ (*middle, 1))[:3]
    ball = np.linalg.norm(place - centre[:, None, None, None], axis=0) < 6
    ball &= place[0] > centre[0] - 2  # no mirror may go unnoticed
    ball &= place[1] < centre[1] + 3
    g = grid(matrix, size=64, pixel=0.5)
    labels = g.labels(2 * ball.astype(np.uint8), 3)
    assert set(np.unique(labels)) == {0, 2}
    back = g.volume(labels == 2, outside=0) > 0.5
    overlap = 2 * (back & ball).sum() / (back.sum() + ball.sum())
    assert overlap > 0.97
    mirrored = g.volume((labels == 2)[:, ::-1], outside=0) > 0.5
    assert 2 * (mirrored & ball).sum() / (mirrored.sum() + ball.sum()) < 0.9


def test_merged_pixels_are_averages():
    noise = np.random.default_rng(0).normal(size=(1000,))
    merged = weights(np.arange(2.0, 998, 4), 1000) @ noise
    picked = noise[2:998:4]
    assert merged.std() < 0.5 < picked.std()


def test_a_pixel_on_a_voxel_is_that_voxel():
    np.testing.assert_allclose(weights(np.arange(5.0), 5), np.eye(5), atol=1e-12)


def test_weights_add_up_to_one_everywhere():
    for step in (0.3, 1.0, 2.7):
        np.testing.assert_allclose(weights(np.arange(-4, 14, step), 9).sum(1), 1)
