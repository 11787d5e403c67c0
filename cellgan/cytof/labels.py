"""Labels of cells, for correspondences that somebody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.read_write import CellBatch

UNLABELLED = frozenset({"", "nan", "None", "NA", "unlabelled", "unlabeled", "unknown"})


def labels_of(batch: CellBatch, key: str) -> NDArray[np.str_]:
    """Return a batch's labels, "" where a cell has none."""
    if key not in batch.adata.obs:
        there = ", ".join(map(str, batch.adata.obs)) or "no column at all"
        msg = f"batch {batch.name!r} has no obs column {key!r} with labels; its obs has {there}"
        raise InputError(msg)
    labels = batch.adata.obs[key].astype(str).to_numpy(dtype=str)
    return np.where(np.isin(labels, list(UNLABELLED)), "", labels)
