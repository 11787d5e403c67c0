"""Small volumes that lie in the world in every awkward way."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cellgan.segmentation.cases import read_cases
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.training import train

QUICK = SegmentConfig(steps=12, size=32, pixel=2.0, width=2, slices=4)


def rotation(angles: tuple[float, float, float]) -> np.ndarray:
    found = np.eye(3)
    for axis, angle in enumerate(angles):
        turn, (a, b) = np.eye(3), [k for k in range(3) if k != axis]
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        found = found @ turn
    return found


def affine(spacing, *, angles=(0.0, 0.0, 0.0), flip=(1, 1, 1), order=(0, 1, 2), origin=(7.0, -11.0, 30.0)):
    found = np.eye(4)
    found[:3, :3] = (rotation(angles) @ np.diag(flip))[:, list(order)] * np.array(spacing)
    found[:3, 3] = origin
    return found


AFFINES = {
    "straight": affine((1.0, 1.0, 1.0)),
    "anisotropic": affine((0.6, 0.8, 3.5)),
    "left-handed": affine((0.7, 0.7, 3.0), flip=(-1, 1, 1)),
    "oblique": affine((0.7, 0.9, 3.0), angles=(0.3, -0.2, 0.15)),
    "oblique, left-handed": affine((0.7, 0.9, 3.0), angles=(0.2, 0.25, -0.3), flip=(1, -1, 1)),
    "sagittal": affine((0.8, 3.0, 0.7), order=(1, 0, 2), flip=(1, 1, -1)),
}


def world_of(matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give the world coordinates of all voxels, ``(3, x, y, z)``."""
    x, y, z = np.indices(shape)
    return np.stack([row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3]])


@pytest.fixture
def world():
    return world_of


@pytest.fixture
def affine_of():
    return affine


@pytest.fixture
def save(tmp_path):
    """Write a NIfTI file with both affines, and give its path."""

    def write(name: str, data: np.ndarray, matrix: np.ndarray, *, sform: int = 1, qform: int = 2) -> Path:
        image = nib.Nifti1Image(data, matrix)
        image.set_sform(matrix, sform)
        image.set_qform(matrix, qform)
        image.header.set_xyzt_units("mm", "sec")
        nib.save(image, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(params=AFFINES, ids=str)
def matrix(request) -> np.ndarray:
    return AFFINES[request.param]


@pytest.fixture
def site(tmp_path, save, affine_of, world):
    """Write cases of a site, bright or dark balls, and give the table."""

    def write(name, *, sign, masks=True):
        lines = ["case,site,image,mask" if masks else "case,site,image"]
        for number in range(2):
            matrix = affine_of((2.0, 2.0, 5.0))
            x, y, z = (each - each.mean() for each in world(matrix, (30, 30, 6)))
            ball = (x**2 + y**2 + z**2 < (10 + number) ** 2).astype(np.uint8)
            noise = np.random.default_rng(number + 10 * (sign > 0)).normal(100, 8, ball.shape)
            save(f"{name}{number}.nii.gz", (noise + sign * 40.0 * ball).astype(np.float32), matrix)
            save(f"{name}{number}_m.nii.gz", ball, matrix)
            mask = f",{name}{number}_m.nii.gz" if masks else ""
            lines.append(f"{name}{number},{name},{name}{number}.nii.gz{mask}")
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
        return tmp_path / f"{name}.csv"

    return write


@pytest.fixture
def sites(site):
    source, target = site("home", sign=1), site("away", sign=-1, masks=False)
    return source, target, train(read_cases(source), QUICK, device="cpu")
