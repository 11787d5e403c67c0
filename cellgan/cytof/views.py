"""A sample of cells before and after an alignment: what the report draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Views:
    """Cells on the arcsinh scale, aligned markers only.

    Attributes
    ----------
    markers
        Names of the columns.
    reference
        Cells of the reference batch, shape ``(n_cells, n_markers)``, arcsinh units; some thousands do.
    batches
        By name of batch: its cells before and after, two arrays of the same shape, row by row the same cells.
    novel
        By name of batch, which of these cells have no counterpart in the reference, ``(n_cells,)``; what is
        not listed has none.
    """

    markers: tuple[str, ...]
    reference: NDArray[np.floating]
    batches: Mapping[str, tuple[NDArray[np.floating], NDArray[np.floating]]]
    novel: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
