"""Places are in mm, and the piece that is kept is the one that lies where the organ lay."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cellgan.segmentation.whereabouts import (
    Whereabouts,
    heights_of,
    one_piece,
    placed,
    smoothed,
    whereabouts_of,
)


def blob(*boxes):
    mask = np.zeros((10, 32, 32), np.uint8)
    for value, (s, r, c) in boxes:
        mask[s, r, c] = value
    return mask


def test_the_place_of_a_box_is_known_in_mm():
    box = blob((1, (slice(6, 8), slice(20, 24), slice(4, 8))))
    (found,) = whereabouts_of([box, box], n_labels=2, pixel=2.0, gaps=(3.0, 3.0))
    assert found.mean == pytest.approx((2 * (21.5 - 15.5), 2 * (5.5 - 15.5), 3 * (6.5 - 4.5)))
    assert found.sd == pytest.approx((5, 5, 5))  # a box of 4 pixels is smaller than what is taken at least
    assert found.one_piece
    assert found.height == 6
    assert Whereabouts.of(found.as_json()) == found


def test_two_pieces_in_one_training_mask_are_remembered():
    one = blob((1, (slice(4, 6), slice(10, 14), slice(10, 14))))
    two = blob((1, (4, 3, 3)), (1, (slice(6, 8), slice(10, 14), slice(10, 14))))
    assert not whereabouts_of([one, two], n_labels=2, pixel=1.0, gaps=(3.0, 3.0))[0].one_piece


def test_the_piece_where_the_organ_lay_is_kept_not_the_largest():
    organ = (slice(4, 6), slice(14, 18), slice(14, 18))
    bladder = (slice(8, 10), slice(20, 30), slice(20, 30))
    places = whereabouts_of([blob((1, organ))], n_labels=2, pixel=2.0, gaps=(4.0,))
    p = 0.9 * blob((1, organ), (1, bladder)).astype(np.float32)
    maps = np.stack([1 - p, p])
    kept = one_piece(maps, places, pixel=2.0, gap=4.0)
    assert (kept[1] > 0.5).sum() == 2 * 4 * 4
    assert (kept[1][organ] > 0.5).all()
    np.testing.assert_allclose(kept.sum(0), 1)
    assert kept[0][bladder].min() == 1
    many = tuple(Whereabouts(place.mean, place.sd, one_piece=False) for place in places)
    np.testing.assert_array_equal(one_piece(maps, many, pixel=2.0, gap=4.0), maps)


def test_the_network_is_told_where_it_is():
    heights = heights_of(3, 5.0)
    assert heights.tolist() == [-5, 0, 5]
    image = placed(torch.ones(3, 1, 32, 32), heights, pixel=2.0)
    assert image.shape == (3, 4, 32, 32)
    side, ahead, up = image[0, 1:]
    assert side[0, 7] == side[31, 7] == pytest.approx(31 / 50)  # both sides alike: slices are mirrored
    assert (ahead[3, 0], ahead[3, 31]) == (pytest.approx(-31 / 50), pytest.approx(31 / 50))
    assert image[:, 3, 0, 0].tolist() == pytest.approx([-0.1, 0, 0.1])
    assert (up == up[0, 0]).all()


def test_a_slice_that_was_missed_is_filled_in_where_an_organ_is_high():
    organ = blob((1, (slice(1, 9), slice(14, 18), slice(14, 18))))
    p = 0.05 + 0.9 * organ.astype(np.float32)
    p[4] = 0.3
    maps = np.stack([1 - p, p])
    places = whereabouts_of([organ], n_labels=2, pixel=2.0, gaps=(4.0,))
    found = smoothed(maps, places, gap=4.0)
    assert (found[1, 4, 14:18, 14:18] > 0.5).all()
    assert found[1, 4, 0, 0] < 0.5
    np.testing.assert_allclose(found.sum(0), 1, rtol=1e-6)


def test_what_lies_in_one_slice_stays_there():
    lesion = blob((1, (4, slice(14, 18), slice(14, 18))))
    p = 0.05 + 0.9 * lesion.astype(np.float32)
    maps = np.stack([1 - p, p])
    places = whereabouts_of([lesion], n_labels=2, pixel=2.0, gaps=(4.0,))
    np.testing.assert_allclose(smoothed(maps, places, gap=4.0), maps, rtol=1e-5)
    assert smoothed(maps, (), gap=4.0) is maps
