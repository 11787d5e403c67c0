"""Draw three simulated volumes with masks: an ellipsoid with a bright rim, among bright and dark things."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter

HERE = Path(__file__).parent


def draw(seed: int, shape: tuple[int, int, int], spacing: tuple[float, float, float], gain: float) -> None:
    """Write one volume and the mask of its ellipsoid; x points left in the file."""
    rng = np.random.default_rng(seed)
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    affine[:3, 3] = np.array(spacing) * (np.array(shape) - 1) / 2 * [1, -1, -1]
    index = np.indices(shape)
    x, y, z = (affine[k, k] * index[k] + affine[k, 3] for k in range(3))

    def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> np.ndarray:
        return sum(((a - c) / r) ** 2 for a, c, r in zip((x, y, z), centre, radii, strict=True))

    at = (*rng.uniform(-5, 5, 2), 0.0)
    radii = rng.uniform((20, 16, 13), (25, 20, 16))
    gland = ball(at, radii)
    image = np.full(shape, 30.0)
    image[ball((0, 0, 0), (44, 36, 99)) < 1] = 70
    image[gland < 1] = 130  # rim
    image[gland < 0.55] = 100  # middle
    image[ball((at[0], at[1] - radii[1] - 7, 0), (11, 7, 99)) < 1] = 15  # rectum
    image[ball((at[0], at[1] + 6, 19), (18, 14, 8)) < 1] = 160  # bladder
    image = gaussian_filter(image, 0.6) * (1 + 0.006 * y) + rng.normal(0, 7, shape)
    name = ("a", "b", "new")[seed]
    for kind, data in (
        ("t2w", (gain * image).clip(0).astype(np.int16)),
        ("gland", (gland < 1).astype(np.uint8)),
    ):
        volume = nib.Nifti1Image(data, affine)
        volume.header.set_xyzt_units("mm")
        nib.save(volume, HERE / f"{name}_{kind}.nii.gz")


if __name__ == "__main__":
    draw(0, (64, 56, 12), (1.5, 1.5, 3.0), 3.0)
    draw(1, (56, 48, 14), (1.7, 1.7, 2.8), 40.0)
    draw(2, (60, 52, 12), (1.6, 1.6, 3.2), 12.0)
