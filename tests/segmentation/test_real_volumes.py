"""Volumes that come with the code, and real ones where CELLGAN_DATA names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cellgan.segmentation.cases import Case, read_cases, read_pair
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.metrics import score
from cellgan.segmentation.prediction import predict
from cellgan.segmentation.slices import grid_of
from cellgan.segmentation.training import train
from cellgan.segmentation.training_set import image_slices
from cellgan.segmentation.volumes import write_like

EXAMPLE = Path(__file__).parents[2] / "example_data/prostate"


@pytest.fixture
def real_cases() -> list[Case]:
    if "CELLGAN_DATA" not in os.environ:
        pytest.skip("needs real data: set CELLGAN_DATA to its folder")
    return read_cases(Path(os.environ["CELLGAN_DATA"]) / "mri/cases.csv")


def test_the_example_teaches_what_its_third_volume_asks():
    model = train(
        EXAMPLE / "CASES.csv", SegmentConfig(steps=60, size=48, width=4, slices=8, learning_rate=5e-3)
    )
    truth = np.asanyarray(nib.load(EXAMPLE / "new_gland.nii.gz").dataobj) == 1
    found = predict(model, EXAMPLE / "new_t2w.nii.gz")
    assert score(found.mask == 1, truth, found.volume.affine)["dice"] > 0.7


def test_the_example_is_small():
    assert sum(path.stat().st_size for path in EXAMPLE.iterdir()) < 300_000


def test_real_masks_survive_the_training_grid_and_come_back(real_cases, tmp_path):
    for case in real_cases[::5]:
        read, mask = read_pair(case)
        first = read.first
        grid = grid_of(first, size=96, pixel=1.25)
        back = grid.volume(grid.labels(mask.data, 2), outside=0) > 0.5
        assert score(back, mask.data == 1, first.affine)["dice"] > 0.95
        images = image_slices(read, size=96, pixel=1.25)
        assert np.abs(np.median(images)) < 0.3  # outside of the volume is 0
        write_like(first, back.astype(np.uint8), tmp_path / "back.nii.gz")
        a, b = (nib.load(path).header for path in (case.images[0], tmp_path / "back.nii.gz"))
        assert a.get_best_affine().tobytes() == b.get_best_affine().tobytes()


def test_real_scanners_differ_much_less_once_normalised(real_cases):
    raw, normalised = [], []
    for case in real_cases:
        read, mask = read_pair(case)
        first = read.first
        raw.append(np.median(first.data[mask.data == 1]))
        images = image_slices(read, size=96, pixel=1.25)
        labels = grid_of(first, size=96, pixel=1.25).labels(mask.data, 2)
        normalised.append(np.median(images[:, 0][labels == 1]))
    assert max(raw) / min(raw) > 5
    assert max(normalised) - min(normalised) < 3  # robust SD of one volume; ratios of 5 are gone
