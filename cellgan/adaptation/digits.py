"""Digits of two sites: read, sampled, and brought onto one grid.

Most failures to reproduce this benchmark were failures here: one domain scaled to 0-1, the other to 0-255,
digits that fill their image beside digits with a margin. So there is one preprocessing, for both:

- ``"resize"``: the image is stretched to 28 x 28 pixels, as is, as in the adaptation papers. A USPS digit
  then fills its image, and an MNIST digit does not.
- ``"box"``: the digit is cut out, scaled to 20 pixels along its longer side, and put onto 28 x 28 pixels with
  its centre of mass in the middle, which is how MNIST was made (LeCun et al. 1998).

Both give ink from 0 to 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate

from cellgan.adaptation.lenet import SIDE
from cellgan.errors import InputError
from cellgan.npz import read_npz

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Generator, Tensor

Framing = Literal["box", "resize"]
BOX = 20
INK = 0.25  # of the brightest pixel; what is darker is no part of a digit
N_CLASSES = 10

TURN, SHIFT, SCALE, SHEAR, WEIGHT = math.radians(15), 0.1, 0.15, 0.15, 0.5


class Digits(NamedTuple):
    """Digits of one site.

    Attributes
    ----------
    images
        ``(n, 1, 28, 28)``, ink from 0 to 1.
    labels
        ``(n,)``, 0 to 9.
    """

    images: Tensor
    labels: Tensor


def read_digits(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read ``x``, ``(n, h, w)`` of 0 to 255, and ``y``, ``(n,)`` of 0 to 9.

    Raises
    ------
    InputError
        The file cannot be used.
    """
    x, y = read_npz(path, ("x", "y"))
    if x.ndim != 3 or y.shape != x.shape[:1] or x.dtype != np.uint8:
        msg = (
            f"{path}: x is {x.dtype} of shape {x.shape}, y of shape {y.shape}; expected x as uint8 "
            "(n, height, width), and one y an image"
        )
        raise InputError(msg)
    if not np.array_equal(np.unique(y), np.arange(N_CLASSES)):
        there = ", ".join(map(str, np.unique(y)[:12]))
        msg = f"{path}: y holds {there or 'nothing'}; expected each of the digits 0 to 9"
        raise InputError(msg)
    return x, y.astype(np.int64)


def draw(
    x: NDArray[np.uint8], y: NDArray[np.int64], *, counts: tuple[int, ...], seed: int, framing: Framing
) -> list[Digits]:
    """Draw samples that share no digit, and bring them onto the grid.

    Parameters
    ----------
    x, y
        What `read_digits` gave.
    counts
        Digits of each sample; fewer in the last where the file has no more.
    seed
        Of the draw.
    framing
        See the top of this file.

    Raises
    ------
    InputError
        There are too few digits.
    """
    order = np.random.default_rng(seed).permutation(len(x))
    if len(x) <= sum(counts[:-1]):
        msg = f"there are {len(x)} digits; expected more than {sum(counts[:-1])}"
        raise InputError(msg)
    found, start = [], 0
    for count in counts:
        rows = order[start : start + count]
        found.append(Digits(frame(x[rows], framing), torch.from_numpy(y[rows])))
        start += count
    return found


def frame(x: NDArray[np.uint8], framing: Framing) -> Tensor:
    """Bring images ``(n, h, w)`` of 0 to 255 onto the grid, ``(n, 1, 28, 28)`` of 0 to 1."""
    images = torch.from_numpy(x).float()[:, None] / 255
    if framing == "resize":
        return interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return torch.stack([_boxed(image[0]) for image in images])[:, None]


def _boxed(image: Tensor) -> Tensor:
    framed = torch.zeros(SIDE, SIDE)
    if not float(image.max()) > 0:
        return framed
    ink = image > INK * image.max()
    rows, columns = (ink.any(axis).nonzero()[:, 0] for axis in (1, 0))
    digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / image.max()
    scale = BOX / max(digit.shape)
    sides = [max(1, round(side * scale)) for side in digit.shape]
    digit = interpolate(digit[None, None], size=sides, mode="bilinear", align_corners=False, antialias=True)[
        0, 0
    ]
    place = []
    for axis, side in enumerate(sides):
        mass = digit.sum(1 - axis)
        centre = float((mass * torch.arange(side)).sum() / mass.sum())
        place.append(min(max(round((SIDE - 1) / 2 - centre), 0), SIDE - side))
    framed[place[0] : place[0] + sides[0], place[1] : place[1] + sides[1]] = digit
    return framed


def rewrite(images: Tensor, generator: Generator) -> Tensor:
    """Return digits ``(n, 1, h, w)`` as another hand might have written them.

    Each is turned by up to 15 degrees, stretched by up to 15 % along either axis, sheared, shifted by up to a
    twentieth of its side, and its strokes are made fainter or bolder by a power of up to e to the 1/2.
    """
    n = len(images)

    def spread(most: float) -> Tensor:
        return (2 * torch.rand(n, generator=generator) - 1) * most

    angle, wide, high = spread(TURN), 1 + spread(SCALE), 1 + spread(SCALE)
    cos, sin = angle.cos(), angle.sin()
    to = torch.stack(
        [cos * wide, spread(SHEAR) - sin * high, spread(SHIFT), sin * wide, cos * high, spread(SHIFT)]
    )
    grid = affine_grid(to.T.reshape(n, 2, 3), list(images.shape), align_corners=False)
    moved = grid_sample(images, grid, mode="bilinear", align_corners=False).clamp(0, 1)
    rewritten: Tensor = moved ** spread(WEIGHT).exp().view(n, 1, 1, 1)
    return rewritten
