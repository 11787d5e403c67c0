"""Cells of a batch that have no counterpart in the reference, found among aligned cells.

Take equally many cells of both batches. A cell of a type that both hold has neighbours from both; a cell of a
type that the reference lacks has neighbours from its own batch alone. A cell is *novel* if fewer than 15 % of
the neighbours are the reference's, and if the reference's nearest lie clearly farther away than those of its
own batch, both on average over its neighbourhood. The share alone would also call cells novel whose type is
there, but slightly displaced or rarer; these have the reference close by. How far is far: a third farther,
and farther than the nearest cells of a type ten times rarer, which depends on how many directions cells vary
in.

What is novel is remembered by a few typical cells of either kind, so that any number of cells can be told
apart, and cells measured later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.clusters import nearest, reference_clusters
from cellgan.cytof.neighbours import nearest_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_CELLS = 5_000  # of each batch at most
N_NEIGHBOURS = 20
N_AVERAGED = 10  # neighbours over which both are averaged, the cell itself included
LEAST_SHARE = 0.15  # of the reference among the neighbours, for a cell to have a counterpart
N_NEAREST = 10  # neighbours of either batch whose distances are compared
LEAST_DISTANCE = 4 / 3  # to the reference, in distances to the own batch, for a cell to have no counterpart
RARER = 10.0  # times, for a type not to count as absent
LEAST_CELLS = 20  # fewer novel cells than this are none
LEAST_OF_TYPE = 10  # cells, to tell by how much a type moved
N_TYPICAL = {"novel": 30, "familiar": 100}
CELLS_PER_TYPICAL = 8


@dataclass(frozen=True, eq=False)
class Novelty:
    """Tells cells without counterpart from the others, by the nearest typical cell.

    Attributes
    ----------
    familiar
        Typical cells of types that both batches hold, aligned, ``(n_familiar, n_markers)``.
    novel
        Typical cells of types that the reference lacks, ``(n_novel, n_markers)``.
    """

    familiar: NDArray[np.float64]
    novel: NDArray[np.float64]

    def __call__(self, aligned: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which aligned cells, ``(n_cells, n_markers)``, have no counterpart, ``(n_cells,)``."""
        typical = np.concatenate([self.familiar, self.novel])
        is_novel: NDArray[np.bool_] = nearest(aligned, typical) >= len(self.familiar)
        return is_novel


def fit_novelty(reference: NDArray[np.float64], aligned: NDArray[np.float64], *, seed: int) -> Novelty | None:
    """Learn which cells of a batch have no counterpart.

    Parameters
    ----------
    reference
        Cells of the reference, standardised, ``(n_cells, n_markers)``.
    aligned
        Cells of the other batch, aligned, in the same units.
    seed
        Of subsamples and typical cells.

    Returns
    -------
    Novelty or None
        None where every cell has a counterpart, or where there are too few cells to tell.
    """
    rng = np.random.default_rng(seed)
    n_cells = min(len(reference), len(aligned), N_CELLS)
    if n_cells < LEAST_CELLS + N_NEIGHBOURS:
        return None
    reference, aligned = (x[rng.permutation(len(x))[:n_cells]] for x in (reference, aligned))
    novel = _novel(reference, aligned)
    if novel.sum() < LEAST_CELLS:
        return None
    return Novelty(
        familiar=_typical(aligned[~novel], N_TYPICAL["familiar"], seed=seed),
        novel=_typical(aligned[novel], N_TYPICAL["novel"], seed=seed),
    )


def novel_to_labelled(
    labelled: NDArray[np.float32],
    types: NDArray[np.int64],
    cells: NDArray[np.float32],
    named: NDArray[np.int64],
    *,
    seed: int,
) -> NDArray[np.bool_]:
    """Tell the cells of types that another centre's labelled cells lack, aligned or not.

    What moved all types alike is taken away first: of each marker the median, over types, of the difference
    of medians. A frequent type that is lacking would move the others, so cells are told three times: as they
    are, moved by what all of them say, and by what those say that looked familiar as they are. The time at
    which fewest are novel counts.

    Parameters
    ----------
    labelled
        Cells of known type, ``(n, n_markers)``, standardised.
    types
        Of each of them, ``(n,)``.
    cells
        Those to be told, ``(m, n_markers)``, in the same units.
    named
        The type that each of these was given, ``(m,)``.
    seed
        As in `fit_novelty`.

    Returns
    -------
    Which cells are novel, ``(m,)``.
    """
    at_first = _told(labelled, cells, seed=seed)
    if not at_first.any():
        return at_first
    found = [at_first]
    for counted in (np.ones(len(cells), dtype=bool), ~at_first):
        moved = _shift(labelled, types, cells[counted], named[counted])
        found.append(_told(labelled, cells - moved, seed=seed))
    return min(found, key=np.count_nonzero)


def _told(reference: NDArray[np.float32], cells: NDArray[np.float32], *, seed: int) -> NDArray[np.bool_]:
    known, new = reference.astype(np.float64), cells.astype(np.float64)
    found = fit_novelty(known, new, seed=seed)
    return np.zeros(len(cells), dtype=bool) if found is None else found(new)


def _shift(
    labelled: NDArray[np.float32],
    types: NDArray[np.int64],
    cells: NDArray[np.float32],
    named: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return by how much all types moved, ``(n_markers,)``; by nothing if none has enough cells."""
    pairs = [(cells[named == each], labelled[types == each]) for each in np.unique(types)]
    moved = [np.median(there, 0) - np.median(here, 0) for there, here in pairs if len(there) >= LEAST_OF_TYPE]
    shift: NDArray[np.float32] = np.median(moved, 0) if moved else np.zeros_like(labelled[0])
    return shift


def _novel(reference: NDArray[np.float64], aligned: NDArray[np.float64]) -> NDArray[np.bool_]:
    at_own, neighbours = nearest_cells(aligned, aligned, N_NEIGHBOURS + 1)
    at_reference, _ = nearest_cells(aligned, reference, N_NEIGHBOURS)
    distance = np.hstack([at_own[:, 1:], at_reference])  # a cell is no neighbour of itself
    first = np.argpartition(distance, N_NEIGHBOURS - 1, axis=1)[:, :N_NEIGHBOURS]
    share = (first >= N_NEIGHBOURS).mean(axis=1)
    near, far = (at[:, :N_NEAREST].mean(axis=1) for at in (at_own[:, 1:], at_reference))
    # Cells that are the same to the last digit lie at no distance at all.
    apart = far / np.maximum(near, 1e-6)
    around = neighbours[:, :N_AVERAGED]
    far_enough = max(LEAST_DISTANCE, RARER ** (1 / _dimension(at_own)))
    novel: NDArray[np.bool_] = (share[around].mean(axis=1) < LEAST_SHARE) & (
        apart[around].mean(axis=1) > far_enough
    )
    return novel


def _dimension(at_own: NDArray[np.float64]) -> float:
    """Return in how many directions cells vary, from how distances to neighbours grow with their number.

    In d dimensions the n-th nearest lies as far as the n-th part of the volume reaches: n^(1/d).
    """
    few, many = at_own[:, N_NEAREST].mean(), at_own[:, N_NEIGHBOURS].mean()
    growth = np.log(max(many, 1e-6) / max(few, 1e-6)) / np.log(N_NEIGHBOURS / N_NEAREST)
    return float(1 / np.clip(growth, 1e-3, 1))


def _typical(cells: NDArray[np.float64], n: int, *, seed: int) -> NDArray[np.float64]:
    if not len(cells):  # all of a batch may be novel
        return cells
    return reference_clusters(cells, max(1, min(n, len(cells) // CELLS_PER_TYPICAL)), seed=seed)
