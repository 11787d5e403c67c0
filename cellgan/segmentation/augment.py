"""Slices turned, shifted, scaled, mirrored and lit otherwise, so that a few cases stand for more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate

from cellgan.segmentation.intensity import LIMIT

if TYPE_CHECKING:
    from torch import Generator, Tensor

ANGLE = math.radians(12)
SHIFT = 0.2  # of half a side
SCALE = 0.3
GAMMA = 0.3
COIL = 0.15  # SD of the logarithm of a factor that varies slowly over the slice
NOISE = 0.1  # at most, of a volume's robust SD
_DARK = 2.0  # below the median, in the same units: about where a volume has no signal


def augment(image: Tensor, mask: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return slices as other patients and scanners might have given them.

    Parameters
    ----------
    image
        ``(n, n_channels, h, w)``: rows point right, 0 is what lies outside.
    mask
        Labels, ``(n, h, w)``.
    generator
        Where the changes are drawn: each slice is turned by up to 12 degrees, scaled by up to 30 %, shifted
        by up to a tenth of its side, mirrored between left and right one time in two; its contrast is changed
        by a power and a factor, its light by a coil somewhere else, and noise is added.

    Returns
    -------
    Both, changed alike, in their own shapes and types.
    """
    n = len(image)

    def draw(spread: float) -> Tensor:
        return (2 * torch.rand(n, generator=generator) - 1) * spread

    angle, scale, mirror = draw(ANGLE), 1 + draw(SCALE), 1 - 2 * (draw(1.0) > 0).float()
    cos, sin = angle.cos() * scale, angle.sin() * scale
    # grid_sample's x runs along columns, its y along rows: mirroring left and right turns y.
    to = torch.stack([cos, -sin, draw(SHIFT), sin * mirror, cos * mirror, draw(SHIFT)], 1)
    grid = affine_grid(to.view(n, 2, 3).to(image.device), [n, 1, *image.shape[-2:]], align_corners=False)
    moved = grid_sample(image, grid, mode="bilinear", align_corners=False)
    labels = grid_sample(mask[:, None].float(), grid, mode="nearest", align_corners=False)
    field = torch.randn(n, 1, 4, 4, generator=generator).mul(COIL).to(image.device)
    coil = interpolate(field, size=image.shape[-2:], mode="bicubic", align_corners=True).exp()
    shaded = ((moved + _DARK) * coil - _DARK).clamp(-LIMIT, LIMIT)
    power, factor = (draw(GAMMA).exp().view(n, 1, 1, 1).to(image.device) for _ in range(2))
    lit = shaded.sign() * (shaded.abs() / LIMIT) ** power * LIMIT * factor
    noise = torch.rand(n, 1, 1, 1, generator=generator) * NOISE * torch.randn(lit.shape, generator=generator)
    seen = (lit + noise.to(image.device)) * (moved != 0)
    return seen, labels[:, 0].round().to(mask.dtype)
