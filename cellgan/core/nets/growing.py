"""A generator and a critic whose images double in size, one faded-in layer after the other.

While a new size fades in, with weight α from 0 to 1, images are (figure 2)

    (1 - α) · doubled image of the size before + α · image of the new size

before the tanh that bounds them, and the critic sees them alike. At α = 0 nothing has changed.

References
----------
Karras et al. (2018), Progressive growing of GANs for improved quality, stability, and variation. ICLR,
arXiv:1710.10196.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.nets.resizing import double, halve
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALLEST = 4  # pixels, height and width


class Growing(nn.Module):
    """What both networks have: how far they are grown.

    Parameters
    ----------
    widths
        Channels of each size, from 4 x 4 pixels on; each further size has twice the pixels each way.
    """

    grown: Tensor
    rounds: Tensor

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths) < 1:
            msg = f"widths={list(widths)}: expected channels for at least two sizes, at least 1 each."
            raise ConfigError(msg)
        self.last = len(widths) - 1
        self.register_buffer("grown", torch.zeros(()))
        self.register_buffer("rounds", torch.zeros((), dtype=torch.long))

    def level(self) -> tuple[int, float]:
        """Return the size that is worked on, 0 for the smallest, and α, how far it is faded in."""
        grown = float(self.grown)
        level = math.ceil(grown)
        return level, grown - level + 1


class GrowingGenerator(Growing):
    """From noise ``(n, n_noise)`` to images ``(n, n_out, s, s)``, s = 4 · 2 ** level, from -1 to 1.

    Parameters
    ----------
    n_noise
        Length of the noise.
    n_out
        Channels of the images.
    widths
        Channels of each size.
    """

    def __init__(self, n_noise: int, n_out: int, *, widths: Sequence[int]) -> None:
        super().__init__(widths)
        first = nn.Linear(n_noise, widths[0] * SMALLEST**2)
        shape = (widths[0], SMALLEST, SMALLEST)
        self.start = nn.Sequential(first, nn.LeakyReLU(0.2), nn.Unflatten(1, shape), PixelNorm())
        self.blocks = nn.ModuleList(
            nn.Sequential(*_layer(a, b), PixelNorm(), *_layer(b, b), PixelNorm()) for a, b in pairwise(widths)
        )
        self.to_image = nn.ModuleList(nn.Conv2d(width, n_out, 1) for width in widths)

    def forward(self, z: Tensor) -> Tensor:
        """Draw images of the size that is worked on."""
        level, alpha = self.level()
        x = before = self.start(z)
        for block in self.blocks[:level]:
            before, x = x, block(double(x))
        image: Tensor = self.to_image[level](x)
        if level and alpha < 1:
            image = torch.lerp(double(self.to_image[level - 1](before)), image, alpha)
        return image.tanh()


class GrowingCritic(Growing):
    """From images of the size that is worked on to unbounded scores ``(n, 1)``.

    Parameters
    ----------
    n_in
        Channels of the images.
    widths
        Channels of each size.
    """

    def __init__(self, n_in: int, *, widths: Sequence[int]) -> None:
        super().__init__(widths)
        self.from_image = nn.ModuleList(nn.Conv2d(n_in, width, 1) for width in widths)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(0.2), *_layer(b, b), *_layer(b, a), nn.AvgPool2d(2))
            for a, b in pairwise(widths)
        )
        self.end = nn.Sequential(
            *_layer(widths[0], widths[0]), nn.Flatten(), nn.Linear(widths[0] * SMALLEST**2, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Score images."""
        level, alpha = self.level()
        seen = self.from_image[level](x)
        for number in range(level - 1, -1, -1):
            seen = self.blocks[number](seen)
            if number == level - 1 and alpha < 1:
                seen = torch.lerp(self.from_image[number](halve(x)), seen, alpha)
        scores: Tensor = self.end(seen)
        return scores


class PixelNorm(nn.Module):
    """Bring each pixel's features to a mean square of 1 (section 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x, each pixel scaled."""
        return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def _layer(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.LeakyReLU(0.2)]
