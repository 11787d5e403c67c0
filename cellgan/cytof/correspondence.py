"""Which cells of two batches correspond, and the movers that follow from it.

Everything here is in standard units of the reference. Two proposals are made:

- *start*: each marker's quantiles are mapped to the reference's, from cells that are weighted so that joint
  clusters hold the same share of both batches. Weights and maps take turns: a type that one batch lacks soon
  weighs nothing, so its absence is not mistaken for a batch effect. The turns begin where cells were
  measured; or where quantile matching of all cells puts them, if held-out cells say so: a marker that is
  alike in all cells and shifted by more than its spread would set the batches apart at the first turn.
- *game*: MAGAN is played on cells drawn by these weights, from the start, with the start as correspondence:
  the generator may leave it only where the discriminator can tell the batches apart.

From either one the same maps follow: joint clusters of the proposed positions, quantile maps of the original
cells within them. Which proposal is taken is decided by cells that neither has seen (`align_pair`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from cellgan.core import Batches, Match, play
from cellgan.cytof.clusters import joint_clusters
from cellgan.cytof.magan import SharedMarkers, magan_for_cells
from cellgan.cytof.maps import fit_cluster_maps, fit_marker_maps
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import Ranked, dither
from cellgan.cytof.threads import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from cellgan.core import Watcher
    from cellgan.cytof.magan import Correspondence
    from cellgan.cytof.maps import ClusterMaps, MarkerMaps

CLUSTER_COUNTS = (20, 28, 40, 56)
BALANCE_CLUSTERS = 45
CELLS_PER_CLUSTER = 40  # on average and at least, of the smaller batch
# Shares are known from fewer cells than maps, and with fewer clusters types would fall into one.
LEAST_CLUSTERS, CELLS_PER_SHARE = 15, 10
START_TURNS = 10
PASSES = 2
HIDDEN = (64, 64)  # twice as wide plays no better, and takes thrice the time
MINI_BATCH = 256
SHARED_WEIGHT = 1.0


class Weights(NamedTuple):
    """How much each cell counts, so that what both batches hold counts the same in both, ``(n_cells,)``."""

    reference: NDArray[np.float64]
    cells: NDArray[np.float64]


def balance(
    reference: NDArray[np.float64], positions: NDArray[np.float64], *, seed: int, draws: int = 2
) -> Weights:
    """Weigh cells so that joint clusters hold the same share of both batches.

    Parameters
    ----------
    reference
        ``(n_cells, n_markers)``.
    positions
        Cells of the other batch, in the reference's frame as far as is known by now.
    seed
        Of the clusters.
    draws
        Clusterings to average over.
    """
    weigh = partial(_weigh, reference, positions)
    drawn = side_by_side(weigh, [1000 * seed + draw for draw in range(draws)])
    # No cell weighs nothing: a batch that shares no cluster at all could not be mapped.
    return Weights(*(np.mean(side, axis=0) + 1e-6 for side in zip(*drawn, strict=True)))


def _weigh(reference: NDArray[np.float64], positions: NDArray[np.float64], seed: int) -> Weights:
    sizes = len(reference), len(positions)
    n_clusters = max(carried(BALANCE_CLUSTERS, *sizes), carried(LEAST_CLUSTERS, *sizes, each=CELLS_PER_SHARE))
    clusters = joint_clusters(reference, positions, n_clusters, seed=seed)
    near_r, in_r = clusters.memberships(reference)
    near_c, in_c = clusters.memberships(positions)
    shares_r, shares_c = clusters.shares(near_r, in_r), clusters.shares(near_c, in_c)
    common = np.minimum(shares_r, shares_c)
    return Weights(
        (in_r * (common / np.maximum(shares_r, 1e-12))[near_r]).sum(axis=1),
        (in_c * (common / np.maximum(shares_c, 1e-12))[near_c]).sum(axis=1),
    )


def carried(n_clusters: int, *n_cells: int, each: int = CELLS_PER_CLUSTER) -> int:
    """Return how many of so many clusters the smallest batch can carry, with so many cells in each."""
    return max(1, min(n_clusters, min(n_cells) // each))


def fit_start(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    seed: int,
    guess: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    turns: int = START_TURNS,
) -> MarkerMaps:
    """Fit one map a marker to the part of the batches that corresponds. See the top of this file.

    Parameters
    ----------
    reference, cells
        ``(n_cells, n_markers)``.
    seed
        Of the clusters.
    guess
        Where cells may stand in the reference's frame, to begin with; where they were measured if not given.
    turns
        How often weights and maps take turns; fewer do where the guess is a good one.
    """
    cells = dither(cells)
    positions = cells if guess is None else guess(cells)
    ranked = Ranked.of(reference), Ranked.of(cells)
    for turn in range(turns):
        weights = balance(reference, positions, seed=seed + turn, draws=1)
        maps = fit_marker_maps(*ranked, weights.reference, weights.cells)
        positions = maps(cells)
    return maps


def fit_passes(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    positions: NDArray[np.float64],
    *,
    seed: int,
    cluster_counts: tuple[int, ...] = CLUSTER_COUNTS,
) -> tuple[tuple[ClusterMaps, ...], ...]:
    """Fit the passes of a mover: maps of `cells` within joint clusters of `reference` and `positions`."""
    passes = []
    cells = dither(cells)
    ranked = Ranked.of(reference), Ranked.of(cells)
    for number in range(PASSES):
        weights = balance(reference, positions, seed=seed + 100 + number)
        counts = dict.fromkeys(carried(n, len(reference), len(cells)) for n in cluster_counts)
        fit = partial(_fit_and_apply, *ranked, positions, weights, seed + number)
        maps, moved = zip(*side_by_side(fit, counts), strict=True)
        passes.append(maps)
        positions = np.mean(moved, axis=0)
    return tuple(passes)


def fit_mover(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    seed: int,
    cluster_counts: tuple[int, ...] = CLUSTER_COUNTS,
    guess: MarkerMaps | None = None,
    turns: int = START_TURNS,
) -> Mover:
    """Fit a start and the passes after it: the whole way of `cells`, without a game."""
    start = fit_start(reference, cells, seed=seed, guess=guess, turns=turns)
    passes = fit_passes(reference, cells, Mover(start)(cells), seed=seed, cluster_counts=cluster_counts)
    return Mover(start, passes=passes)


def _fit_and_apply(  # noqa: PLR0917 - all but the last are bound once
    reference: Ranked,
    cells: Ranked,
    positions: NDArray[np.float64],
    weights: Weights,
    seed: int,
    n_clusters: int,
) -> tuple[ClusterMaps, NDArray[np.float64]]:
    clusters = joint_clusters(reference.cells, positions, n_clusters, seed=seed)
    maps = fit_cluster_maps(reference, cells, positions, clusters, weights)
    return maps, maps(cells.cells, positions)


def play_game(  # noqa: PLR0913 - a game needs two sides, weights, what is known, and how to play
    reference: NDArray[np.float64],
    positions: NDArray[np.float64],
    weights: Weights,
    correspondence: Correspondence | None,
    *,
    rounds: int,
    seed: int,
    device: torch.device,
    watchers: Sequence[Watcher] = (),
    hidden: Sequence[int] = HIDDEN,
) -> nn.Module:
    """Play MAGAN from where cells stand, and return the generator that leads on to the reference.

    Parameters
    ----------
    reference, positions
        ``(n_cells, n_markers)``.
    weights
        Chance of each cell to be drawn.
    correspondence
        What holds the generator back; None for nothing.
    rounds, seed, device, watchers
        Of the match.
    hidden
        Widths of the networks.
    """
    n_markers = reference.shape[1]
    game = magan_for_cells(
        n_markers,
        n_markers,
        seed=seed,
        correspondence=correspondence,
        correspondence_weight=SHARED_WEIGHT,
        generators="residual",
        hidden=hidden,
    )
    batches = Batches(
        {"a": as_tensor(positions), "b": as_tensor(reference)},
        size=MINI_BATCH,
        seed=seed,
        weights={"a": torch.from_numpy(weights.cells), "b": torch.from_numpy(weights.reference)},
        device=device,
    )
    play(Match(game, seed=seed, device=device), batches, rounds=rounds, watchers=watchers)
    return game.generator_ab


def stay_near(n_markers: int) -> SharedMarkers:
    """Return the correspondence of shared markers: a cell's counterpart has its values."""
    columns = range(n_markers)
    return SharedMarkers(columns, columns)


def as_tensor(cells: NDArray[np.float64]) -> torch.Tensor:
    """Return cells as the games take them: float32."""
    return torch.from_numpy(np.ascontiguousarray(cells, dtype=np.float32))
