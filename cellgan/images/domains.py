"""Pairs of domains to translate between, whose true pairing is known and not told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, max_pool2d, pad

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellgan.images.image_data import Images

CENTRES_A = torch.tensor([[-1.3, 2.2], [0.1, 1.8], [0.8, 2.0]])
CENTRES_B = torch.tensor([[-0.9, -2.0], [0.0, -2.3], [1.5, -1.5]])
CLUSTER_SD = 0.1


def three_and_three(n: int, *, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return n points of three Gaussians in each of two domains, ``(n, 2)``, and whose they are, ``(n,)``.

    These are the toy of Amodio and Krishnaswamy (2018), MAGAN, figure 4.
    """
    generator = torch.Generator().manual_seed(seed)
    which = torch.arange(n) % 3
    a, b = (
        centres[which] + CLUSTER_SD * torch.randn(n, 2, generator=generator)
        for centres in (CENTRES_A, CENTRES_B)
    )
    return a, b, which


def bold(x: Tensor) -> Tensor:
    """Return images ``(n, c, h, w)`` with strokes one pixel wider, down and to the right."""
    return max_pool2d(pad(x, (0, 1, 0, 1), value=-1.0), 2, stride=1)


def pale(x: Tensor) -> Tensor:
    """Return images ``(n, c, h, w)`` in half the contrast, on grey."""
    return 0.5 * x + 0.5


STYLES = ("thin", "bold", "pale")


def styled(x: Tensor) -> tuple[Tensor, ...]:
    """Return images in every one of `STYLES`."""
    return x, bold(x), pale(x)


def mixed_styles(images: Images) -> tuple[Tensor, Tensor]:
    """Return each training image in one style alone, and which one, ``(n,)``."""
    style = torch.arange(len(images.x)) % len(STYLES)
    return torch.stack(styled(images.x))[style, torch.arange(len(images.x))], style


def turned(x: Tensor, degrees: float) -> Tensor:
    """Return images ``(n, c, h, w)`` turned about their middle; what comes from outside is black."""
    angle = math.radians(degrees)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]])
    grid = affine_grid(turn.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return grid_sample(x + 1, grid, align_corners=False) - 1


@dataclass(frozen=True)
class Unpaired:
    """Two domains of images without pairs, and held-out pairs to score by.

    Parameters
    ----------
    a, b
        To learn from: no image of one is an image of the other changed.
    images_a, images_b
        All images in either domain; rows of ``x_test`` are pairs.
    """

    a: Tensor
    b: Tensor
    images_a: Images
    images_b: Images


def unpaired(images: Images, change: Callable[[Tensor], Tensor]) -> Unpaired:
    """Take every other image as it is, and the rest of them changed."""
    changed = replace(images, x=change(images.x), x_test=change(images.x_test))
    return Unpaired(images.x[::2], changed.x[1::2], images, changed)
