"""Slices on one grid, their neighbours, and what augmentation may and may not do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cellgan.errors import InputError
from cellgan.segmentation.augment import augment
from cellgan.segmentation.cases import Case
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.training_set import AugmentedSlices, beside, read_training_set, stacked

SMALL = SegmentConfig(size=32, pixel=2.0)


def ball(shape, matrix, world, radius, shift=0.0):
    place = world(matrix, shape)
    centre = (matrix @ (*(np.array(shape) - 1) / 2, 1))[:3] + np.array([shift, 0, 0])
    return (np.linalg.norm(place - centre[:, None, None, None], axis=0) < radius).astype(np.uint8)


@pytest.fixture
def cases(tmp_path, save, affine_of, world):
    found = []
    for number, (n_slices, gain) in enumerate([(8, 1), (14, 30)]):
        shape, matrix = (40, 36, n_slices), affine_of((1.5, 1.5, 3.0), flip=(-1, 1, 1))
        mask = ball(shape, matrix, world, 11)
        noise = np.random.default_rng(number).normal(100, 20, shape)
        image = save(f"{number}.nii.gz", ((noise + 60 * mask) * gain).astype(np.float32), matrix)
        found.append(Case(f"p{number}", "A", (image,), save(f"{number}_m.nii.gz", mask, matrix)))
    return found


def test_all_slices_of_all_cases_on_one_scale(cases):
    data = read_training_set(cases, SMALL)
    assert data.images.shape == (22, 2, 32, 32)
    assert data.masks.shape == (22, 32, 32)
    assert (data.n_labels, data.pixel) == (2, 2.0)
    inside = [data.images[part, 0][data.masks[part] == 1].mean() for part in (slice(8), slice(8, 22))]
    assert inside[0] == pytest.approx(inside[1].item(), abs=0.2)
    middle = data.masks[[3, 15]].sum((1, 2)) * 4.0  # mm²
    assert middle == pytest.approx(np.pi * 11**2, rel=0.12)


def test_the_grid_holds_all_masks_with_a_margin(cases, save, affine_of, world):
    matrix = affine_of((1.5, 1.5, 3.0))
    far = ball((60, 36, 8), matrix, world, 11, shift=25)
    image = save("far.nii.gz", np.random.default_rng(0).random(far.shape).astype(np.float32), matrix)
    aside = Case("far", "A", (image,), save("far_m.nii.gz", far, matrix))
    near = read_training_set(cases, SegmentConfig(size=32)).pixel
    wide = read_training_set([*cases, aside], SegmentConfig(size=32))
    assert near == pytest.approx(2 * (11 + 20) / 32, abs=0.1)
    assert wide.pixel == pytest.approx(2 * (25 + 11 + 20) / 32, abs=0.1)
    assert not wide.masks[:, [0, 1, -2, -1]].any()


def test_cases_are_drawn_alike_and_half_of_the_slices_hold_something(cases):
    data = read_training_set(cases, SMALL)
    assert data.weights[:8].sum() == pytest.approx(1)
    assert data.weights[8:].sum() == pytest.approx(1)
    filled = (data.masks > 0).flatten(1).any(1)
    if not filled[:8].all():
        assert data.weights[:8][filled[:8]].sum() == pytest.approx(0.5)
    assert data.weights[8:][filled[8:]].sum() == pytest.approx(0.5)


def test_neighbours_are_of_the_same_case(cases):
    data = read_training_set(cases, SMALL)
    assert data.beside[7].tolist() == [6, 7, 7]
    assert data.beside[8].tolist() == [8, 8, 9]
    image = stacked(data.images, data.beside[3:4])
    np.testing.assert_array_equal(image[0], data.images[2:5].flatten(0, 1))
    assert beside(3, 0).tolist() == [[0], [1], [2]]


def test_shares_are_of_the_pixels_that_are_drawn(cases):
    data = read_training_set(cases, SMALL)
    drawn = AugmentedSlices(data, size=8, seed=0, augmented=False)
    seen = np.mean([(drawn[index]["mask"] == 1).float().mean() for index in range(60)])
    assert sum(data.shares()) == pytest.approx(1)
    assert data.shares()[1] == pytest.approx(seen, rel=0.1)


def test_a_mini_batch_is_a_function_of_seed_and_number(cases):
    data = read_training_set(cases, SMALL)
    a, b, c = (AugmentedSlices(data, size=5, seed=s) for s in (0, 0, 1))
    b[0]
    for name in ("image", "mask"):
        assert torch.equal(a[7][name], b[7][name])
        assert not torch.equal(a[7][name], a[8][name])
        assert not torch.equal(a[7][name], c[7][name])
    plain = AugmentedSlices(data, size=5, seed=0, augmented=False)[7]
    assert plain["image"].shape == (5, 2 * 3 + 3, 32, 32)
    assert not torch.equal(plain["mask"], a[7]["mask"])


def test_image_and_mask_move_together():
    mask = torch.zeros(40, 64, 64, dtype=torch.long)
    mask[:, 20:30, 26:44] = 1
    image, moved = augment(mask[:, None] * 2.0, mask, torch.Generator().manual_seed(0))
    shown = image[:, 0] > 0.25 * image.flatten(1).max(1).values[:, None, None]
    overlap = 2 * (shown & (moved == 1)).sum() / (shown.sum() + (moved == 1).sum())
    assert overlap > 0.9
    assert 2 * ((mask == 1) & (moved == 1)).sum() / (mask.sum() + moved.sum()) < 0.7
    areas = moved.sum((1, 2)) / 180
    assert 0.5 < areas.min() < 0.75
    assert 1.4 < areas.max() < 2.1
    assert moved.dtype == mask.dtype


def test_left_and_right_are_mirrored_but_never_front_and_back():
    mask = torch.zeros(60, 64, 64, dtype=torch.long)
    mask[:, 16:24, 28:36] = 1  # right of the middle, in rows
    mask[:, 28:36, 44:52] = 2  # anterior
    _, moved = augment(mask[:, None].float(), mask, torch.Generator().manual_seed(0))
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")

    def centre(label, along):
        at = (moved == label).float()
        return (at * along).sum((1, 2)) / at.sum((1, 2))

    side = (centre(1, rows) - centre(2, rows)) < 0
    assert 15 < side.sum() < 45
    assert (centre(2, columns) > centre(1, columns)).all()


def test_what_lies_outside_stays_outside():
    image = torch.zeros(3, 1, 32, 32)
    assert (augment(image, torch.zeros(3, 32, 32).long(), torch.Generator())[0] == 0).all()


def test_what_cannot_be_trained_on_is_named(cases, save, affine_of):
    matrix = affine_of((1.5, 1.5, 3.0), flip=(-1, 1, 1))
    empty = np.zeros((40, 36, 8), np.uint8)
    with pytest.raises(InputError, match="no cases"):
        read_training_set([], SMALL)
    with pytest.raises(InputError, match=r"empty\.nii\.gz is empty"):
        read_training_set([Case("x", "A", cases[0].images, save("empty.nii.gz", empty, matrix))], SMALL)
    empty[4:8, 4:8] = 3
    with pytest.raises(InputError, match="but none 1; expected 1 to 3"):
        read_training_set([Case("x", "A", cases[0].images, save("gap.nii.gz", empty, matrix))], SMALL)
    two = Case("x", "A", (*cases[0].images, *cases[1].images), cases[0].mask)
    with pytest.raises(InputError, match=r"1\.nii\.gz: a case whose files hold 1 channels; .* hold 1, 1"):
        read_training_set([two, cases[1]], SMALL)
