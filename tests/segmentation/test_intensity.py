"""What a coil beside the gland does to the two views of an image."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.segmentation.intensity import LIMIT, local_contrast, normalise


@pytest.fixture
def slices():
    found = 100 + 40 * np.random.default_rng(0).standard_normal((3, 64, 64)).clip(-2, 2)
    found[:, 20:40, 20:40] += 80
    found[:, :4] = np.nan
    return found


def test_local_contrast_does_not_know_its_scanner(slices):
    plain = local_contrast(slices, pixel=1.25)
    np.testing.assert_allclose(plain, local_contrast(slices * 30 + 700, pixel=1.25), atol=1e-4)
    assert (plain[:, :4] == 0).all()
    assert np.abs(plain).max() <= LIMIT


def test_local_contrast_sees_through_a_coil_that_blinds_the_whole_image(slices):
    distance = np.hypot(*(np.indices((64, 64)) - np.array([[[30]], [[0]]]))) * 1.25
    coil = slices * (1 + 60 * np.exp(-distance / 15))

    def kept(view):
        pair = [view(values)[:, 20:40, 5:60].ravel() for values in (slices, coil)]
        return np.corrcoef(*pair)[0, 1]

    assert kept(lambda values: local_contrast(values, pixel=1.25)) > 0.75
    assert kept(lambda values: normalise(values, path="x")) < 0.6


def test_the_edge_of_a_volume_is_no_edge_of_its_image():
    noise = np.random.default_rng(0).normal(100, 10, (4, 64, 64))
    noise[:, :, :20] = np.nan
    found = local_contrast(noise, pixel=2.0)
    assert abs(found[:, :, 20:23].mean()) < 0.1
    assert found[:, :, 20:].std() == pytest.approx(0.9, abs=0.1)
