"""Markers that a panel did not measure, as MAGAN as published fills them in.

The game is played between two whole panels, each in its own standard units: the generator from one to the
other makes all of the other's markers of a cell, shared and private, and correspondence asks it to leave the
shared ones as they are (Amodio and Krishnaswamy 2018, sections II-D and III-D). How shared and private
markers go together within a panel nobody knows but the discriminator. It is here to compare with:
docs/impute.md shows how it does beside plain regression.

Departures from the paper, besides those in `cellgan.cytof.magan`: mini-batches and rounds are this project's,
256 and what the settings say, where the paper has 100,000 rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.core import Batches, Match, play
from cellgan.cytof.correspondence import MINI_BATCH, as_tensor
from cellgan.cytof.impute import Imputed
from cellgan.cytof.magan import SharedMarkers, magan_for_cells
from cellgan.cytof.regression import apply_network
from cellgan.cytof.transform import Standardise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from cellgan.core import Watcher


@dataclass(frozen=True, eq=False)
class PanelGenerator:
    """From the markers of one panel to those of another.

    Attributes
    ----------
    inputs, outputs
        Standard units of the two panels.
    network
        The generator.
    """

    inputs: Standardise
    outputs: Standardise
    network: nn.Module

    def __call__(self, cells: NDArray[np.float32], columns: Sequence[int], *, draws: int) -> Imputed:
        """Make some of the other panel's markers.

        A generator without noise gives one value and no distribution, so all draws are that value, and how
        far off it may be is not known (NaN).

        Parameters
        ----------
        cells
            All markers of the one panel, ``(n_cells, n_inputs)``, arcsinh units.
        columns
            Which of the other's markers.
        draws
            How often to repeat the value.
        """
        made = apply_network(self.network, self.inputs.apply(cells).astype(np.float64))
        expected = self.outputs.invert(made.astype(np.float32))[:, list(columns)]
        return Imputed(expected, np.full_like(expected, np.nan), np.stack([expected] * draws))


def fit_panel_generator(
    cells: NDArray[np.float32],
    others: NDArray[np.float32],
    shared: Sequence[tuple[int, int]],
    *,
    rounds: int,
    seed: int,
    device: torch.device,
    watchers: Sequence[Watcher] = (),
) -> PanelGenerator:
    """Play MAGAN between two panels.

    Parameters
    ----------
    cells, others
        All markers of either panel, ``(n_cells, n_markers)`` each, arcsinh units.
    shared
        Columns of shared markers, in `cells` and in `others`.
    rounds, seed, device, watchers
        Of the match.
    """
    units = Standardise.of(cells), Standardise.of(others)
    game = magan_for_cells(
        cells.shape[1],
        others.shape[1],
        seed=seed,
        correspondence=SharedMarkers(*zip(*shared, strict=True)),
    )
    a, b = (own.apply(side).astype(np.float64) for own, side in zip(units, (cells, others), strict=True))
    batches = Batches({"a": as_tensor(a), "b": as_tensor(b)}, size=MINI_BATCH, seed=seed, device=device)
    play(Match(game, seed=seed, device=device), batches, rounds=rounds, watchers=watchers)
    return PanelGenerator(*units, game.generator_ab.cpu().eval())
