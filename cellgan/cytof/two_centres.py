"""Labelled cells of one centre and cells of another, through one preprocessing.

Markers are matched by name, one decision is made on the scale, and values are standardised in the units of
the labelled cells; the other centre's may be aligned to them first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.align import Screen, align_batches
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.labels import labels_of
from cellgan.cytof.novelty import novel_to_labelled
from cellgan.cytof.obs_column import column_of
from cellgan.cytof.prepare import prepare
from cellgan.cytof.transform import Standardise
from cellgan.cytof.type_classifier import LEAST
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.alignment import Alignment
    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch

UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class TwoCentres:
    """Cells of both centres, made comparable.

    Attributes
    ----------
    source, target
        ``(n_cells, n_markers)``, in `units`.
    units
        Mean and SD of the labelled cells, arcsinh units.
    panel
        Which markers both measured, and which one of them alone.
    alignment
        The verdict and the warnings of the alignment that came first, as in its report; None without one.
    """

    source: NDArray[np.float32]
    target: NDArray[np.float32]
    units: Standardise
    panel: Panel
    alignment: Mapping[str, Any] | None = None


def comparable(
    batches: list[CellBatch],
    codes: NDArray[np.int64],
    *,
    align: bool = False,
    seed: int = 0,
    screen: Screen | None = None,
) -> TwoCentres:
    """Bring both batches through one preprocessing.

    Parameters
    ----------
    batches
        Source and target.
    codes
        Types of the source's cells, -1 where not known; cells of known type give the units.
    align
        Align the target to the source first, as `cellgan align` does.
    seed
        Of that alignment.
    screen
        Where its progress and words go.

    Raises
    ------
    CellganError
        The panels share too little, or values cannot be used.
    """
    source, target = batches
    if source.sha256 and source.sha256 == target.sha256:
        msg = f"{source.name} and {target.name} are copies of one file; expected cells of two centres"
        raise InputError(msg)
    prepared, told = prepare(batches, AlignConfig(), reference=source.name), None
    if align:
        aligned = _aligned(batches, seed=seed, screen=screen or Screen())
        ours, theirs = _cells_of(aligned, batches, prepared.panel.shared)
        (batch,) = aligned.report["batches"]
        told = {"verdict": batch["verdict"], "warnings": batch["warnings"]}
    else:
        ours, theirs = (prepared.values(batch) for batch in batches)
    units = Standardise.of(ours[codes >= 0])
    return TwoCentres(units.apply(ours), units.apply(theirs), units, prepared.panel, told)


def _aligned(batches: list[CellBatch], *, seed: int, screen: Screen) -> Alignment:
    return align_batches(batches, AlignConfig(impute=False, seed=seed), screen)


def _cells_of(
    aligned: Alignment, batches: list[CellBatch], markers: Sequence[str]
) -> list[NDArray[np.float32]]:
    """Return the aligned values of each batch, ``(n_cells, n_markers)``, arcsinh units."""
    cells = aligned.adata
    columns = cells[:, list(markers)].layers["aligned"]
    return [np.asarray(columns[cells.obs["batch"] == batch.name]) for batch in batches]


def find_novel(
    batches: list[CellBatch],
    codes: NDArray[np.int64],
    both: TwoCentres,
    named: NDArray[np.int64],
    *,
    seed: int,
    screen: Screen,
) -> NDArray[np.bool_]:
    """Tell which of the target's cells look like no labelled cell of the source.

    Another instrument can move a type so far that it looks like no other. So where cells look novel and were
    not aligned, they are aligned for this alone, and told once more.

    Parameters
    ----------
    batches
        Source and target.
    codes
        Types of the source's cells, -1 where not known.
    both
        The same cells, made comparable.
    named
        The type that each of the target's cells was given.
    seed
        Of samples, and of the alignment.
    screen
        Where progress goes.

    Returns
    -------
    ``(n_cells,)`` of the target.
    """
    known = codes >= 0
    found = novel_to_labelled(both.source[known], codes[known], both.target, named, seed=seed)
    if both.alignment is not None or not found.any():
        return found
    aligned = _aligned(batches, seed=seed, screen=Screen(progress=screen.progress))
    ours, theirs = map(both.units.apply, _cells_of(aligned, batches, both.panel.shared))
    return novel_to_labelled(ours[known], codes[known], theirs, named, seed=seed)


def known_types(source: CellBatch, label: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the source's types, and of each of its cells which one it is; -1 where that is not known.

    Raises
    ------
    InputError
        There is no such column, it holds measurements, fewer than two types, or a type of very few cells.
    """
    column = column_of(source, label, what="labels").dropna()
    if column.dtype.kind == "f" and np.any(column % 1):
        msg = f"{source.name}: obs[{label!r}] holds numbers such as {column.iloc[0]}; expected cell types"
        raise InputError(msg)
    labels = labels_of(source, label)
    types = sorted({str(name) for name in labels} - {""})
    if len(types) < 2:
        there = f"only {types[0]!r}" if types else "none"
        msg = f"{source.name}: obs[{label!r}] holds {there}; expected at least two types to tell apart"
        raise InputError(msg)
    counts = {name: int(np.sum(labels == name)) for name in types}
    if small := [name for name in types if counts[name] < LEAST]:
        n = counts[small[0]]
        msg = (
            f"{source.name}: the type {small[0]!r} has {n} labelled cell{'s' if n > 1 else ''}; expected at "
            f"least {LEAST}. Merge it with another, or call these cells {UNKNOWN}"
        )
        raise InputError(msg)
    place = {name: k for k, name in enumerate(types)}
    return types, np.array([place.get(str(name), -1) for name in labels], dtype=np.int64)
