"""Cells of a batch that have no counterpart in the reference.

They are looked for where an instrument's response puts them (`response.Response`), not where they end: maps
that follow quantiles draw cells without counterpart towards what is there. Two things are measured of each
cell, in a metric in which every marker varies alike among neighbours, and averaged over its neighbourhood:

- how much farther the reference's nearest cells lie than those of its own batch, of equally many cells: a
  cell of a type that both hold has both equally near;
- how much farther the reference's nearest cells lie than these lie from their own nearest (the local outlier
  factor of Breunig et al. 2000, with respect to the reference): of a type that is merely rarer in the
  reference, its cells lie at their usual distance there.

The first alone would call a rare type novel, the second would be misled by a few stray cells of the reference
that lie where a type is missing. A cell is *novel* if the product is large.

What is novel is remembered by some typical cells of either kind, so that any number of cells can be told
apart, and cells measured later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cellgan.cytof.clusters import nearest, reference_clusters
from cellgan.cytof.neighbours import nearest_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.response import Response

N_CELLS = 5_000  # of each batch at most
N_NEAREST = 10  # neighbours of either batch whose distances are compared
N_LOCAL = 5  # the same, for the local outlier factor
SPARSE = 0.95  # quantile of the reference's own distances: a stray cell's is taken for no larger
N_AVERAGED = 25  # neighbours over which both are averaged, the cell itself included
# The product of both ratios from which a cell has no counterpart. A type that is so many times rarer in the
# reference is farther from there by that to the power of 1/d, if cells vary in d directions.
FARTHER, RARER = 1.5, 20.0
LEAST_CELLS = 20  # fewer novel cells than this are none
LEAST_SHARE = 0.007  # of a batch's cells, for a group of novel cells that lie together to be a population
LEAST_SPREAD = 0.2  # standard units, among neighbours: a marker that varies less is not blown up
N_SPREAD = 2_500  # cells whose neighbours tell how much markers vary among neighbours
LEAST_OF_TYPE = 10  # cells, to tell by how much a type moved
N_TYPICAL = {"novel": 60, "familiar": 200}
CELLS_PER_TYPICAL = 8


@dataclass(frozen=True, eq=False)
class Novelty:
    """Tells cells without counterpart from the others, by the nearest typical cell.

    Attributes
    ----------
    familiar
        Typical cells of types that both batches hold, ``(n_familiar, n_markers)``.
    novel
        Typical cells of types that the reference lacks, ``(n_novel, n_markers)``.
    scale
        What a distance of 1 is for each marker, ``(n_markers,)``.
    response
        Where cells are told apart: where this puts them; None for where they end.
    """

    familiar: NDArray[np.float64]
    novel: NDArray[np.float64]
    scale: NDArray[np.float64]
    response: Response | None = None

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which cells, ``(n_cells, n_markers)`` where they are told apart, have no counterpart."""
        typical = np.concatenate([self.familiar, self.novel]) / self.scale
        is_novel: NDArray[np.bool_] = nearest(cells / self.scale, typical) >= len(self.familiar)
        return is_novel


def fit_novelty(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    seed: int,
    response: Response | None = None,
) -> Novelty | None:
    """Learn which cells of a batch have no counterpart.

    Parameters
    ----------
    reference
        Cells of the reference, standardised, ``(n_cells, n_markers)``.
    cells
        Cells of the other batch where they are to be told apart, in the same units.
    seed
        Of subsamples and typical cells.
    response
        What put them there; kept for cells that come later.

    Returns
    -------
    Novelty or None
        None where every cell has a counterpart, or where there are too few cells to tell.
    """
    rng = np.random.default_rng(seed)
    n_cells = min(len(reference), len(cells), N_CELLS)
    if n_cells < 2 * LEAST_CELLS:
        return None
    reference, cells = (x[rng.permutation(len(x))[:n_cells]] for x in (reference, cells))
    scale = _spread(np.concatenate([reference[:N_SPREAD], cells[:N_SPREAD]]))
    novel = _novel(reference / scale, cells / scale)
    if novel.sum() < LEAST_CELLS:
        return None
    familiar, strange = (
        scale * _typical(own / scale, n, seed=seed)
        for own, n in ((cells[~novel], N_TYPICAL["familiar"]), (cells[novel], N_TYPICAL["novel"]))
    )
    return Novelty(familiar, strange, scale, response)


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


def _novel(reference: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    n = min(N_NEAREST, len(cells) - 1)
    at_own, neighbours = nearest_cells(cells, cells, max(n + 1, min(N_AVERAGED, len(cells))))
    at_reference, which = nearest_cells(cells, reference, n)
    # A cell is no neighbour of itself. Cells that are the same to the last digit lie at no distance at all.
    farther = at_reference.mean(axis=1) / np.maximum(at_own[:, 1 : n + 1].mean(axis=1), 1e-6)
    local = min(N_LOCAL, n)
    usual = nearest_cells(reference, reference, local + 1)[0][:, 1:].mean(axis=1)
    usual = np.maximum(np.minimum(usual, np.quantile(usual, SPARSE)), 1e-6)
    outlying = at_reference[:, :local].mean(axis=1) / usual[which[:, :local]].mean(axis=1)
    around = neighbours[:, :N_AVERAGED]
    limit = max(FARTHER, RARER ** (1 / _directions(at_own[:, 1 : n + 1])))
    novel = farther[around].mean(axis=1) * outlying[around].mean(axis=1) > limit
    return _of_populations(novel, neighbours[:, : n + 1])


def _directions(distances: NDArray[np.float64]) -> float:
    """Return in how many directions cells vary, by their neighbours' distances, ``(n_cells, n)``, rising.

    The maximum likelihood estimate of Levina and Bickel (2004), with the average of MacKay and Ghahramani.
    """
    known = np.maximum(distances, 1e-6)
    return float(max(1 / np.maximum(np.log(known[:, -1:] / known[:, :-1]).mean(), 1e-6), 1.0))


def _of_populations(novel: NDArray[np.bool_], neighbours: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Leave out novel cells that form no population, but lie at the edges of many."""
    marked = np.flatnonzero(novel)
    place = np.full(len(novel), -1)
    place[marked] = np.arange(len(marked))
    beside = place[neighbours[marked]]
    rows, columns = np.nonzero(beside >= 0)
    links = coo_array((np.ones(len(rows)), (rows, beside[rows, columns])), shape=(len(marked), len(marked)))
    _, group = connected_components(links, directed=False)
    large = np.bincount(group, minlength=1) >= LEAST_SHARE * len(novel)
    found = novel.copy()
    found[marked] = large[group] if len(marked) else False
    return found


def _spread(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much each marker varies among neighbours, one standard deviation."""
    whole = np.maximum(cells.std(axis=0), LEAST_SPREAD)
    n = min(N_LOCAL, len(cells) - 1)
    _, near = nearest_cells(cells / whole, cells / whole, n + 1)
    gaps = cells[:, None] - cells[near[:, 1:]]
    found: NDArray[np.float64] = np.maximum(np.sqrt((gaps**2).mean(axis=(0, 1)) / 2), LEAST_SPREAD)
    return found


def _typical(cells: NDArray[np.float64], n: int, *, seed: int) -> NDArray[np.float64]:
    if not len(cells):  # all of a batch may be novel
        return cells
    return reference_clusters(cells, max(1, min(n, len(cells) // CELLS_PER_TYPICAL)), seed=seed)
