"""Many piecewise-linear maps looked up at once, which is where most of the time of mapping cells goes.

The same values are looked up in the maps of some fifteen clusters each, so what can be known without the
cluster is found once: between which of a few hundred *edges* a value lies. A table then tells how many of a
cluster's knots lie below the edge on the left. Few values have a knot between themselves and that edge; these
walk on to the right piece, so the table saves time and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.marker_maps import MarkerMaps

# Halvings to find a value's bucket; each doubles the number of edges. With more of them the piece is found at
# once more often, but they take their time, and the table leaves the nearest cache.
HALVINGS = 9


class Placed(NamedTuple):
    """Values and the buckets of a grid in which they lie, both ``(n_markers, n_cells)``."""

    values: NDArray[np.float64]
    buckets: NDArray[np.intp]


class Belonging(NamedTuple):
    """Which cell belongs to which cluster, and with what share; ``(n_entries,)``, in order of clusters."""

    rows: NDArray[np.intp]
    clusters: NDArray[np.intp]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, clusters: NDArray[np.intp], shares: NDArray[np.float64]) -> Belonging:
        """List the entries of two arrays ``(n_cells, n_gates)``, but for those without a share."""
        rows, gates = np.nonzero(shares)
        clusters, shares = clusters[rows, gates], shares[rows, gates]
        # Cluster by cluster, what is looked up lies close together. Small integers sort in linear time.
        order = np.argsort(clusters.astype(np.min_scalar_type(int(clusters.max(initial=0)))), kind="stable")
        return cls(rows[order], clusters[order], shares[order])

    @classmethod
    def to_one(cls, n_cells: int) -> Belonging:
        """Let all cells belong to one cluster alone."""
        return cls(np.arange(n_cells), np.zeros(n_cells, dtype=np.intp), np.ones(n_cells))


@dataclass(frozen=True, eq=False)
class Grid:
    """Edges that part each marker's values into buckets; all maps' knots are spread evenly over these.

    Attributes
    ----------
    edges
        From lowest to highest, one fewer than a power of two, ``(n_markers, n_edges)``. Bucket 0 lies below
        the first of them, and every edge belongs to the bucket above it.
    """

    edges: NDArray[np.float64]

    @classmethod
    def of(cls, maps: Iterable[MarkerMaps], *, n_markers: int) -> Grid:
        """Lay a grid for maps that will be looked up in it."""
        knots = np.concatenate([np.empty((0, n_markers)), *(each.source for each in maps)])
        halvings = min(HALVINGS, len(knots).bit_length())
        edges = np.full((n_markers, 2**halvings - 1), np.inf)
        n = min(len(knots), edges.shape[1])
        picked = np.linspace(0, len(knots) - 1, n).round().astype(np.intp)
        edges[:, :n] = np.sort(knots, axis=0)[picked].T
        return cls(edges)

    def __len__(self) -> int:
        """Return the number of buckets."""
        return int(self.edges.shape[1]) + 1

    @property
    def _depth(self) -> int:
        return len(self).bit_length() - 1

    @cached_property
    def _tree(self) -> NDArray[np.float64]:
        """The edges as a binary tree, from place 1 on: the middle one, those of both halves, and so on."""
        steps = [len(self) >> depth for depth in range(self._depth)]
        order = [place - 1 for step in steps for place in range(step // 2, len(self), step)]
        return np.concatenate([np.zeros((len(self.edges), 1)), self.edges[:, order]], axis=1)

    def place(self, cells: NDArray[np.float64]) -> Placed:
        """Look up cells, ``(n_cells, n_markers)``."""
        values = np.ascontiguousarray(cells.T)
        buckets = np.ones(values.shape, dtype=np.intp)
        # All values of a marker go down the tree side by side. A search for one value after the other takes
        # thrice the time: at every step it must guess which way to go.
        for value, at, tree in zip(values, buckets, self._tree, strict=True):
            for _ in range(self._depth):
                right = tree.take(at, mode="clip") <= value
                np.add(at, at, out=at)
                np.add(at, right, out=at)
        buckets -= len(self)
        return Placed(values, buckets)


@dataclass(frozen=True, eq=False)
class Pieces:
    """The linear pieces of several clusters' maps, one cluster's after the other's.

    A map of n knots has n + 1 pieces: those before its first and after its last knot keep distances.

    Attributes
    ----------
    first
        Where each cluster's pieces begin, ``(n_clusters,)``.
    below
        How many knots of a cluster lie at or below a bucket's left edge,
        ``(n_markers, n_clusters * n_buckets)``.
    ends, source, slope, target
        Of each piece: where the next one begins, and a point and the slope of its line,
        ``(n_markers, n_pieces)``.
    """

    first: NDArray[np.intp]
    below: NDArray[np.unsignedinteger]
    ends: NDArray[np.float64]
    source: NDArray[np.float64]
    slope: NDArray[np.float64]
    target: NDArray[np.float64]

    @classmethod
    def of(cls, maps: Sequence[MarkerMaps | None], grid: Grid) -> Pieces:
        """Take maps of clusters apart; a cluster that has none gets a piece that no cell should need."""
        n_knots = np.array([0 if each is None else len(each.source) for each in maps])
        first = np.concatenate([[0], np.cumsum(n_knots + 1)])
        shape = len(grid.edges), first[-1]
        ends, slope = np.full(shape, np.inf), np.ones(shape)
        source, target = np.zeros((2, *shape))
        for each, start, n in zip(maps, first, n_knots, strict=False):
            if each is None:
                continue
            x, y = each.source.T, each.target.T
            ends[:, start : start + n] = x
            for point, knots in ((source, x), (target, y)):
                point[:, start] = knots[:, 0]
                point[:, start + 1 : start + 1 + n] = knots
            run, rise = np.diff(x), np.diff(y)
            # Among values so large that knots fall together, a piece may have no width, and no value in it.
            slope[:, start + 1 : start + n] = np.divide(rise, run, out=np.zeros_like(run), where=run > 0)
        last = first[1:] - 1
        below = _below(grid, np.delete(ends, last, axis=1), n_knots)
        return cls(first[:-1], below, ends, source, slope, target)

    def __call__(self, cells: Placed, belonging: Belonging) -> NDArray[np.float64]:
        """Return the sum of each cell's mapped values, weighted by its shares, ``(n_markers, n_cells)``."""
        rows, clusters, shares = belonging
        first, start = clusters * (self.below.shape[1] // len(self.first)), self.first[clusters]
        value, moved, part = np.empty((3, len(rows)))
        at, below = np.empty(len(rows), dtype=np.intp), np.empty(len(rows), dtype=self.below.dtype)
        total = np.empty_like(cells.values)
        # Taking with "clip" writes where it should; with the default it makes copies, to be safe from errors.
        for marker in range(len(total)):
            cells.values[marker].take(rows, out=value, mode="clip")
            cells.buckets[marker].take(rows, out=at, mode="clip")
            at += first
            self.below[marker].take(at, out=below, mode="clip")
            np.add(start, below, out=at)
            _walk(value, at, self.ends[marker])
            self.source[marker].take(at, out=part, mode="clip")
            np.subtract(value, part, out=moved)
            moved *= self.slope[marker].take(at, out=part, mode="clip")
            moved += self.target[marker].take(at, out=part, mode="clip")
            moved *= shares
            total[marker] = np.bincount(rows, weights=moved, minlength=len(total[marker]))
        return total


def _below(grid: Grid, knots: NDArray[np.float64], n_knots: NDArray[np.intp]) -> NDArray[np.unsignedinteger]:
    """Count the knots of every cluster, side by side in `knots`, at or below the left edge of each bucket."""
    n_clusters, n_buckets = len(n_knots), len(grid)
    # A knot counts from the bucket on that begins at or above it; one above all edges counts in none.
    owner = np.repeat(np.arange(n_clusters), n_knots) * (n_buckets + 1) + 1
    dtype = np.min_scalar_type(int(n_knots.max()))
    below = np.empty((len(knots), n_clusters * n_buckets), dtype=dtype)
    for own, edges, here in zip(below, grid.edges, knots, strict=True):
        new = np.bincount(owner + np.searchsorted(edges, here), minlength=n_clusters * (n_buckets + 1) + 1)
        counted = new[:-1].reshape(n_clusters, n_buckets + 1).cumsum(axis=1)[:, :-1]
        own[:] = counted.ravel()
    return below


def _walk(values: NDArray[np.float64], at: NDArray[np.intp], ends: NDArray[np.float64]) -> None:
    """Step on, in place, from piece to piece until every value lies before the end of its own."""
    late = np.flatnonzero(values >= ends.take(at, mode="clip"))
    values, here = values[late], at[late]
    while len(late):
        here += 1
        at[late] = here
        on = values >= ends[here]
        late, values, here = late[on], values[on], here[on]
