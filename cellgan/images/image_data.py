"""Images to play on that need no download, and those of a user's own file.

All are float tensors ``(n, c, h, w)`` from -1 (black) to 1 (white), with a class each, split into those to
learn from and those held out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cellgan import npz
from cellgan.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MOST = 6000  # images taken of a file: more would not be seen in a demo's rounds
_LEAST = 50
_STILL = 0.5  # a pixel varies little if its standard deviation is below this share of the largest


@dataclass(frozen=True)
class Images:
    """Images with classes, to learn from and held out.

    Parameters
    ----------
    x
        To learn from, ``(n, c, h, w)`` from -1 to 1.
    y
        Their classes, ``(n,)``, from 0.
    x_test, y_test
        Held out.
    names
        What the classes are called.
    origin
        What they are, for the page.
    """

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    names: tuple[str, ...]
    origin: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        c, h, w = self.x.shape[1:]
        return c, h, w

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.names)

    def at_side(self, side: int) -> Images:
        """Return the images at another height and width, by bilinear interpolation that does not alias."""
        if self.shape[1:] == (side, side):
            return self
        small, small_test = (
            interpolate(x, size=(side, side), mode="bilinear", antialias=True).clamp(-1, 1)
            for x in (self.x, self.x_test)
        )
        origin = f"{self.origin}, brought to {side} x {side} pixels"
        return replace(self, x=small, x_test=small_test, origin=origin)


def digits() -> Images:
    """Return scikit-learn's 1,797 handwritten digits of 8 x 8 pixels (UCI, Alpaydin and Kaynak 1998)."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    x = torch.from_numpy(loaded.images).float().unsqueeze(1) / 8 - 1
    return _split(
        x,
        torch.from_numpy(loaded.target).long(),
        names=tuple(str(i) for i in range(10)),
        origin="scikit-learn's handwritten digits, 8 x 8 pixels",
    )


SHAPES = ("disc", "square", "cross")


def shapes() -> Images:
    """Return 3,000 simulated discs, squares and crosses of 16 x 16 pixels, of any size and place."""
    n, side = 3000, 16
    generator = torch.Generator().manual_seed(0)
    kind = torch.arange(n) % len(SHAPES)
    place = 6.0 + 3.0 * torch.rand(n, 2, 1, 1, generator=generator)
    radius = 3.0 + 2.0 * torch.rand(n, 1, 1, generator=generator)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    down, right = (rows - place[:, 0]).abs(), (columns - place[:, 1]).abs()
    outside = torch.stack(
        [
            (down.square() + right.square()).sqrt() - radius,
            torch.maximum(down, right) - 0.85 * radius,
            torch.minimum(
                torch.maximum(down - radius, right - radius / 3),
                torch.maximum(down - radius / 3, right - radius),
            ),
        ]
    )
    distance = outside[kind, torch.arange(n)]  # in pixels, negative inside: edges are a pixel wide
    x = (1 - 2 * (distance + 0.5).clamp(0, 1)).unsqueeze(1)
    return _split(x, kind, names=SHAPES, origin="simulated discs, squares and crosses, 16 x 16 pixels")


def read_npz(path: Path) -> Images:
    """Read images and their classes from an .npz file; nothing in it is unpickled.

    Parameters
    ----------
    path
        ``x`` holds images, ``(n, h, w)`` or ``(n, h, w, c)``, from 0 to 255 (uint8); ``y`` their classes,
        ``(n,)``, whole numbers. Or there is an array of images for each class, called like it. At most 6,000
        images are taken, drawn at random. An edge in which they hardly vary is cut off, as much on every
        side: shrunk to a demo's size, MNIST would be half margin.

    Raises
    ------
    InputError
        The file is missing, is no .npz file, or holds something else.
    """
    x, y, called = _images_and_classes(path)
    if x.dtype != np.uint8 or x.ndim not in {3, 4} or (x.ndim == 4 and x.shape[3] not in {1, 3}):
        msg = (
            f"{path}: x has shape {x.shape} and type {x.dtype}; expected images (n, h, w), or (n, h, w, c) "
            "with 1 or 3 channels, of type uint8 from 0 to 255"
        )
        raise InputError(msg)
    if min(x.shape[1:3]) < 2:
        msg = f"{path}: images of {x.shape[1]} x {x.shape[2]} pixels are too small; expected at least 2 x 2"
        raise InputError(msg)
    if y.shape != x.shape[:1] or y.dtype.kind not in "iu":
        msg = (
            f"{path}: y has shape {y.shape} and type {y.dtype}; expected {x.shape[:1]} whole numbers, one "
            "class an image"
        )
        raise InputError(msg)
    if len(x) < _LEAST:
        msg = f"{path}: there are {len(x)} images; a demo needs at least {_LEAST} to learn from"
        raise InputError(msg)
    classes, index = np.unique(y, return_inverse=True)
    if not 2 <= len(classes) <= 100:
        msg = f"{path}: y has {len(classes)} classes; expected 2 to 100"
        raise InputError(msg)
    pixels = torch.from_numpy(np.ascontiguousarray(x[..., None] if x.ndim == 3 else x)).movedim(-1, 1)
    taken = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:_MOST]
    whole = pixels[taken].float() / 127.5 - 1
    edge = _still_edge(whole)
    h, w = whole.shape[2:]
    return _split(
        whole[:, :, edge : h - edge, edge : w - edge],
        torch.from_numpy(index.astype(np.int64))[taken],
        names=called or tuple(str(c) for c in classes),
        origin=f"{len(taken):,} images of {path.name}"
        + (f" without {edge} pixels of margin" if edge else ""),
    )


def _images_and_classes(path: Path) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """Return images, the class of each, and what classes are called, if the file says so."""
    called = tuple(npz.array_names(path))
    if len(called) < 2 or {"x", "y"} & set(called):
        x, y = npz.read_npz(path, ("x", "y"))
        return x, y, ()
    parts = npz.read_npz(path, called)
    if len({(part.shape[1:], part.dtype) for part in parts}) > 1 or parts[0].ndim < 3:
        kinds = ", ".join(f"{name} {part.shape}" for name, part in zip(called, parts, strict=True))
        msg = f"{path} holds {kinds}; expected x (images) and y (classes), or images of one size by class"
        raise InputError(msg)
    y = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.concatenate(parts), y, called


def _still_edge(x: Tensor) -> int:
    """Return how many pixels on each side hold nothing that varies much; at most a quarter of the side."""
    spread = x.std(0).amax(0)
    edge, most = 0, min(spread.shape) // 4
    while edge < most:
        inner = spread[edge:-edge, edge:-edge] if edge else spread
        ring = torch.cat([inner[0], inner[-1], inner[:, 0], inner[:, -1]])
        if ring.max() >= _STILL * spread.max():
            break
        edge += 1
    return edge


def _split(x: Tensor, y: Tensor, *, names: tuple[str, ...], origin: str) -> Images:
    """Hold out three images in ten, the same ones each time."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    kept, held = order[: round(0.7 * len(x))], order[round(0.7 * len(x)) :]
    return Images(x[kept], y[kept], x[held], y[held], names, origin)
