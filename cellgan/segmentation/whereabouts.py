"""Where things lie, in mm from the middle of a volume: what the network is told, and where an organ is.

An organ is one piece, and lies where it lay in the training cases. Where all training masks of a label are in
one piece, one piece is kept: that whose voxels have the greatest sum of probability times

    exp(-Σ ((x - mean) / SD)² / 2),    over right, anterior, superior,

with mean and SD of the places of the training masks' voxels. The largest piece alone can be a bladder.

Nor does an organ begin anew in each slice, though a network that sees three slices at a time may think so:
the log probabilities are smoothed across the slices, the more the higher the organ stands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

N_PLACES = 3
_FAR = 50.0  # mm, one unit of the network's place maps
_WHOLE = 0.99  # of a label's voxels, for what is called one piece
_LEAST_SD = 5.0  # mm, if there is a single small case
_MOST_SMOOTHED = 6.0  # mm, one standard deviation
_OF_HEIGHT = 1 / 5  # that a standard deviation may be: what lies in one slice stays as it is
_CERTAIN = 1e-4  # the least probability that is told from none


@dataclass(frozen=True)
class Whereabouts:
    """Where one label lies.

    Attributes
    ----------
    mean, sd
        To the right, anterior and superior of the volume's middle, in mm.
    one_piece
        Whether each training mask holds it in one piece.
    height
        From its lowest to its highest slice in the training mask where that is least, in mm.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    one_piece: bool
    height: float = 0.0

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Whereabouts:
        """Return what `as_json` gave."""
        height = float(content.get("height", 0.0))  # older models do not know it
        return cls(tuple(content["mean"]), tuple(content["sd"]), bool(content["one_piece"]), height)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return asdict(self)

    def likely(self, n_slices: int, *, size: int, pixel: float, gap: float) -> NDArray[np.float64]:
        """Return how much each place counts, ``(n_slices, size, size)``, at most 1."""
        right, ahead, up = _axes(n_slices, size=size, pixel=pixel, gap=gap)
        x, y, z = (
            np.exp(-0.5 * ((at - mean) / sd) ** 2)
            for at, mean, sd in zip((right, ahead, up), self.mean, self.sd, strict=True)
        )
        found: NDArray[np.float64] = z[:, None, None] * x[None, :, None] * y[None, None, :]
        return found


def whereabouts_of(
    masks: Sequence[NDArray[np.uint8]], *, n_labels: int, pixel: float, gaps: Sequence[float]
) -> tuple[Whereabouts, ...]:
    """Return where each label but the background lies in the training cases.

    Parameters
    ----------
    masks
        Of each case, ``(n_slices, size, size)``.
    n_labels
        Labels with the background.
    pixel
        Distance of the pixels in mm.
    gaps
        Distance of each case's slices in mm.
    """
    found = []
    for value in range(1, n_labels):
        means, squares, heights, whole = [], [], [], True
        for mask, gap in zip(masks, gaps, strict=True):
            own = mask == value
            if not own.any():
                continue
            right, ahead, up = _axes(len(mask), size=mask.shape[1], pixel=pixel, gap=gap)
            s, r, c = np.nonzero(own)
            at = np.stack([right[r], ahead[c], up[s]], 1)
            means.append(at.mean(0))
            squares.append((at**2).mean(0))
            heights.append((np.ptp(s) + 1) * gap)
            sizes = np.bincount(label(own)[0].ravel())[1:]
            whole &= bool(sizes.max() >= _WHOLE * sizes.sum())
        mean = np.mean(means, 0)
        sd = np.sqrt(np.maximum(np.mean(squares, 0) - mean**2, _LEAST_SD**2))
        found.append(
            Whereabouts(tuple(mean.tolist()), tuple(sd.tolist()), whole, round(float(min(heights)), 3))
        )
    return tuple(found)


def one_piece(
    maps: NDArray[np.float32], places: Sequence[Whereabouts], *, pixel: float, gap: float
) -> NDArray[np.float32]:
    """Return the maps with one piece of each label that is one piece in training, where it is to be expected.

    Parameters
    ----------
    maps
        The labels' probabilities, ``(n_labels, n_slices, size, size)``.
    places
        Of each label but the background.
    pixel, gap
        Distance of pixels and of slices in mm.

    Returns
    -------
    The same shape. In the other pieces the background has the label's probability as well as its own.
    """
    kept = maps.copy()
    labels = maps.argmax(0)
    _, n_slices, size, _ = maps.shape
    for value, place in enumerate(places, start=1):
        pieces, n = label(labels == value)
        if not place.one_piece or n < 2:
            continue
        worth = maps[value] * place.likely(n_slices, size=size, pixel=pixel, gap=gap)
        sums = np.bincount(pieces.ravel(), weights=worth.ravel())
        others = (pieces > 0) & (pieces != 1 + int(np.argmax(sums[1:])))
        kept[0][others] += kept[value][others]
        kept[value][others] = 0
    return kept


def smoothed(maps: NDArray[np.float32], places: Sequence[Whereabouts], *, gap: float) -> NDArray[np.float32]:
    """Return the maps with their logarithms smoothed across slices, adding up to 1 again.

    By a Gaussian, twice: what the first time took away is smoothed and added, so that round ends stay round.

    Parameters
    ----------
    maps
        The labels' probabilities, ``(n_labels, n_slices, size, size)``.
    places
        Of each label but the background. The standard deviation is a fifth of the least height of any of
        them, at most 6 mm.
    gap
        Distance of slices in mm.

    References
    ----------
    Tukey (1977), Exploratory data analysis, section 16E, "twicing".
    """
    sd = min((place.height * _OF_HEIGHT for place in places), default=0.0)
    if not sd:
        return maps
    logs = np.log(np.maximum(maps, _CERTAIN))
    smooth = partial(gaussian_filter1d, sigma=min(sd, _MOST_SMOOTHED) / gap, axis=1, mode="nearest")
    once = smooth(logs)
    p = np.exp(once + smooth(logs - once))
    found: NDArray[np.float32] = p / p.sum(0)
    return found


def heights_of(n_slices: int, gap: float) -> Tensor:
    """Return how far each slice lies above the volume's middle, in mm, ``(n_slices,)``."""
    return (torch.arange(n_slices) - (n_slices - 1) / 2) * gap


def placed(images: Tensor, heights: Tensor, *, pixel: float) -> Tensor:
    """Tell the network where each pixel is: append three maps to the channels of slices.

    Parameters
    ----------
    images
        ``(n, n_channels, size, size)``: rows point right, columns anterior.
    heights
        Of each slice above the volume's middle in mm, ``(n,)``.
    pixel
        Distance of the pixels in mm.

    Returns
    -------
    ``(n, n_channels + 3, size, size)``: away from the midline to either side, anterior and superior of the
    middle, in units of 5 cm.

    References
    ----------
    Liu et al. (2018), An intriguing failing of convolutional neural networks and the CoordConv solution.
    """
    n, _, size, _ = images.shape
    at = ((torch.arange(size, device=images.device) - (size - 1) / 2) * (pixel / _FAR)).to(images.dtype)
    side = at.abs()[:, None].expand(size, size)
    ahead = at[None, :].expand(size, size)
    up = (heights.to(images) / _FAR).view(n, 1, 1).expand(n, size, size)
    maps = torch.stack([side.expand(n, size, size), ahead.expand(n, size, size), up], 1)
    return torch.cat([images, maps], 1)


def _axes(n_slices: int, *, size: int, pixel: float, gap: float) -> tuple[NDArray[np.floating], ...]:
    """Return the places of rows, columns and slices in mm."""
    across = (np.arange(size) - (size - 1) / 2) * pixel
    return across, across, (np.arange(n_slices) - (n_slices - 1) / 2) * gap
