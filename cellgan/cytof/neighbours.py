"""The nearest cells of cells, by comparing each with all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 512  # cells at a time: their distances to some thousand others stay in the cache


def nearest_cells(
    cells: NDArray[np.float64], among: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return distances and rows of the nearest cells, nearest first, both ``(n_cells, n)``.

    A few thousand cells in tens of markers are too many directions for a tree to be faster.

    Parameters
    ----------
    cells
        Whose neighbours are sought, ``(n_cells, n_markers)``.
    among
        Where, ``(n_others, n_markers)``; a cell that is among them is its own first neighbour.
    n
        How many, fewer than there are others at most.
    """
    # Differences of large numbers lose digits: distances are taken from the middle.
    middle = among.mean(axis=0)
    a, b = torch.from_numpy(cells - middle), torch.from_numpy(among - middle)
    square = (b**2).sum(dim=1)
    distance, near = np.empty((len(cells), n)), np.empty((len(cells), n), dtype=np.intp)
    for first in range(0, len(cells), BLOCK):
        rows = slice(first, first + BLOCK)
        apart, found = torch.topk(torch.addmm(square, a[rows], b.T, alpha=-2), n, largest=False)
        apart += (a[rows] ** 2).sum(dim=1, keepdim=True)
        distance[rows], near[rows] = apart.clamp_(min=0).sqrt_().numpy(), found.numpy()
    return distance, near
