"""Which cells of two batches correspond, and the movers that follow from it.

Everything here is in standard units of the reference. Two proposals are made:

- *Initial alignment*: each marker's quantiles are mapped to the reference's, from cells that are weighted so
  that joint clusters hold the same share of both batches. Weights and maps take turns: a type that one batch
  lacks soon weighs nothing, so its absence is not mistaken for a batch effect. Over ten turns the maps are
  held to what an instrument can do (`response`): a type that the reference lacks cannot be pressed into
  another one, whatever the weights say. Then the cells that correspond may bend the maps, within narrow
  bounds.
- *Game*: MAGAN is played on cells drawn by these weights, from the initial alignment, with that as
  correspondence: the generator may leave it only where the discriminator can tell the batches apart.

From either one the same maps follow: joint clusters of the proposed positions, quantile maps of the original
cells within them, held to the neighbourhood of the batch's mapping. Which proposal is taken is decided by
cells that neither has seen (`align_pair`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from cellgan.core import Batches, Match, play
from cellgan.cytof.balance import Weights, balance, carried
from cellgan.cytof.cluster_maps import BatchMapping, fit_cluster_maps
from cellgan.cytof.clusters import joint_clusters
from cellgan.cytof.magan import SharedMarkers, magan_for_cells
from cellgan.cytof.marker_maps import RISE, MarkerMaps, fit_marker_maps
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import Ranked, dither
from cellgan.cytof.response import Response, fit_response, reach
from cellgan.cytof.threads import side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from cellgan.core import Watcher
    from cellgan.cytof.cluster_maps import ClusterMaps
    from cellgan.cytof.magan import Correspondence
    from cellgan.cytof.transform import Standardise

CLUSTER_COUNTS = (20, 28, 40, 56)
START_TURNS, START_DRAWS = 10, 4
# How far cells that correspond may bend the maps of an instrument: a third more or less gain, one cofactor of
# background.
BENDING_TURNS, BENT_GAIN, BENT_BACKGROUND = 3, 0.3, 1.0
BENDING_SEED = 200
SPREAD_KNOTS = 60
PASSES = 2
HIDDEN = (64, 64)  # twice as wide plays no better, and takes thrice the time
MINI_BATCH = 256
SHARED_WEIGHT = 1.0


class Start(NamedTuple):
    """An initial alignment.

    Attributes
    ----------
    maps
        One a marker, standard units.
    response
        The instrument's part of them; None where they follow labels.
    still
        Markers that differ by no more than chance, and are kept as measured.
    """

    maps: MarkerMaps
    response: Response | None = None
    still: tuple[int, ...] = ()

    def keeping(self, still: tuple[int, ...]) -> Start:
        """Return the same with some markers as they were measured."""
        target = self.maps.target.copy()
        target[:, still] = self.maps.source[:, still]
        response = None if self.response is None else self.response.without(still)
        return Start(MarkerMaps(self.maps.source, target), response, still)

    @property
    def strength(self) -> float:
        """How much the gains differ from marker to marker."""
        return float("nan") if self.response is None else self.response.strength


def fit_start(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    units: Standardise,
    seed: int,
    guess: MarkerMaps | None = None,
    turns: int = START_TURNS,
) -> Start:
    """Fit one map a marker to the part of the batches that corresponds. See the top of this file.

    Parameters
    ----------
    reference, cells
        ``(n_cells, n_markers)``.
    units
        Standard units of both.
    seed
        Of the clusters.
    guess
        Where cells may stand in the reference's frame, to begin with; where they were measured if not given.
    turns
        How often weights and maps take turns; fewer do where the guess is a good one.
    """
    cells = dither(cells)
    ranked = Ranked.of(reference), Ranked.of(cells)
    to_values, to_units = units.to_values, units.to_units
    lowest = to_values(reference).min(axis=0)
    floor = np.minimum(lowest, to_values(cells).min(axis=0))

    def free(positions: NDArray[np.float64], seed: int, draws: int) -> MarkerMaps:
        weights = balance(reference, positions, seed=seed, draws=draws)
        return fit_marker_maps(*ranked, weights.reference, weights.cells)

    def instrument(maps: MarkerMaps, guess: Response | None) -> Response:
        source, target = to_values(maps.source), to_values(maps.target)
        return fit_response(
            source, target, sd=units.sd.astype(np.float64), lowest=lowest, guess=guess
        ).response

    positions = cells if guess is None else guess(cells)
    response = instrument(free(positions, seed, 1), None)
    for turn in range(1, turns + 1):
        positions = to_units(np.maximum(response(to_values(cells)), floor))
        # The last word is more than one clustering's.
        found = free(positions, seed + turn, START_DRAWS if turn == turns else 1)
        response = instrument(found, response)
    knots = np.sort(np.concatenate([found.source, _spread(cells)]), axis=0)
    mapped = np.maximum(response(to_values(knots)), floor)
    positions = MarkerMaps.of(knots, to_units(mapped))(cells)
    low, high = map(to_units, reach(mapped, gain=BENT_GAIN, background=BENT_BACKGROUND))
    for turn in range(BENDING_TURNS):
        found = free(positions, seed + BENDING_SEED + turn, 2)
        maps = MarkerMaps.of(knots, np.clip(found(knots), low, high))
        positions = maps(cells)
    return Start(maps, response)


def _spread(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return knots between the lowest and the highest value of each marker."""
    return np.linspace(cells.min(axis=0) - RISE, cells.max(axis=0) + RISE, SPREAD_KNOTS)


def fit_passes(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    positions: NDArray[np.float64],
    *,
    seed: int,
    batch: BatchMapping | None = None,
    cluster_counts: tuple[int, ...] = CLUSTER_COUNTS,
) -> tuple[tuple[ClusterMaps, ...], ...]:
    """Fit the passes of a mover: maps of `cells` within joint clusters of `reference` and `positions`.

    Parameters
    ----------
    reference, cells, positions
        ``(n_cells, n_markers)``; positions are those of `cells` in the reference's frame.
    seed
        Of the clusters.
    batch
        What the maps depart from, within bounds; free ones if not given.
    cluster_counts
        Numbers of clusters over which the maps are averaged.
    """
    passes = []
    cells = dither(cells)
    ranked = Ranked.of(reference), Ranked.of(cells)
    for number in range(PASSES):
        weights = balance(reference, positions, seed=seed + 100 + number)
        counts = dict.fromkeys(carried(n, len(reference), len(cells)) for n in cluster_counts)
        fit = partial(_fit_and_apply, *ranked, positions, weights, seed + number, batch)
        maps, moved = zip(*side_by_side(fit, counts), strict=True)
        passes.append(maps)
        positions = np.mean(moved, axis=0)
    return tuple(passes)


def fit_mover(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    units: Standardise,
    seed: int,
    cluster_counts: tuple[int, ...] = CLUSTER_COUNTS,
    guess: MarkerMaps | None = None,
    turns: int = START_TURNS,
) -> Mover:
    """Fit an initial alignment and the passes after it: the whole way of `cells`, without a game."""
    start = fit_start(reference, cells, units=units, seed=seed, guess=guess, turns=turns).maps
    passes = fit_passes(
        reference,
        cells,
        Mover(start)(cells),
        seed=seed,
        batch=BatchMapping(start, units),
        cluster_counts=cluster_counts,
    )
    return Mover(start, passes=passes)


def _fit_and_apply(  # noqa: PLR0917 - all but the last are bound once
    reference: Ranked,
    cells: Ranked,
    positions: NDArray[np.float64],
    weights: Weights,
    seed: int,
    batch: BatchMapping | None,
    n_clusters: int,
) -> tuple[ClusterMaps, NDArray[np.float64]]:
    clusters = joint_clusters(reference.cells, positions, n_clusters, seed=seed)
    maps = fit_cluster_maps(reference, cells, positions, clusters, weights, batch)
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
