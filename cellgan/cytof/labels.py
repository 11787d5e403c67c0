"""Labels of cells, for correspondences that somebody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.correspondence import as_tensor
from cellgan.cytof.magan import LabelledPairs
from cellgan.cytof.marker_maps import fit_marker_maps
from cellgan.cytof.obs_column import column_of
from cellgan.cytof.ranks import Ranked, dither
from cellgan.errors import InputError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from cellgan.cytof.marker_maps import MarkerMaps
    from cellgan.cytof.read_write import CellBatch

UNLABELLED = frozenset({"", "nan", "None", "NA", "unlabelled", "unlabeled", "unknown"})
N_PAIRS = 256


@dataclass(frozen=True)
class Known:
    """Labels of cells in both batches; "" where a cell has none."""

    reference: NDArray[np.str_]
    cells: NDArray[np.str_]


def labels_of(batch: CellBatch, key: str) -> NDArray[np.str_]:
    """Return a batch's labels, "" where a cell has none."""
    column = column_of(batch, key, what="labels")
    labels = column.astype(str).to_numpy(dtype=str)
    return np.where(column.isna() | np.isin(labels, list(UNLABELLED)), "", labels)


def shared_labels(known: Known) -> list[str]:
    """Return the labels that occur in both batches.

    Raises
    ------
    InputError
        There is none.
    """
    labels = sorted((set(known.reference) & set(known.cells)) - {""})
    if not labels:
        there = [", ".join(sorted(set(s) - {""})[:5]) or "none" for s in (known.reference, known.cells)]
        msg = (
            "no label occurs in both batches, so no pair of cells is known to correspond; the reference has "
            f"{there[0]}, the other batch {there[1]}. Use the same names for the same type"
        )
        raise InputError(msg)
    return labels


def fit_labelled_start(
    reference: NDArray[np.float64], cells: NDArray[np.float64], known: Known
) -> MarkerMaps:
    """Fit one map a marker to labelled cells, weighted so that each label counts the same in both batches.

    Where the effect is larger than the distance between types, no weights that cells' values suggest would
    do.

    Raises
    ------
    InputError
        No label occurs in both batches.
    """
    weights = []
    for side in (known.reference, known.cells):
        weight = np.zeros(len(side))
        for label in shared_labels(known):
            fewest = min(np.sum(known.reference == label), np.sum(known.cells == label))
            weight[side == label] = fewest / np.sum(side == label)
        weights.append(weight)
    return fit_marker_maps(Ranked.of(reference), Ranked.of(dither(cells)), *weights)


def labelled_pairs(
    reference: NDArray[np.float64],
    positions: NDArray[np.float64],
    known: Known,
    *,
    device: torch.device,
    seed: int,
) -> LabelledPairs:
    """Pair cells of the same label, nearest with nearest, so that pairs do not pull a type to its mean.

    Raises
    ------
    InputError
        No label occurs in both batches.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    labels = shared_labels(known)
    rng = np.random.default_rng(seed)
    each = max(1, N_PAIRS // len(labels))
    ours, theirs = [], []
    for label in labels:
        i, j = (np.flatnonzero(side == label) for side in (known.cells, known.reference))
        n = min(each, len(i), len(j))
        i, j = rng.permutation(i)[:n], rng.permutation(j)[:n]
        # Squared, since of plain distances a shift common to all cells gives any pairing the same sum.
        cost = cdist(positions[i], reference[j], "sqeuclidean")
        rows, columns = linear_sum_assignment(cost)
        ours.append(positions[i[rows]])
        theirs.append(reference[j[columns]])
    return LabelledPairs(
        as_tensor(np.concatenate(ours)).to(device), as_tensor(np.concatenate(theirs)).to(device)
    )
