"""Markers that a panel did not measure, from those that it shares with another: expected values and draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.cytof.conditional import Conditional
from cellgan.cytof.regression import apply_network, fit_network
from cellgan.cytof.transform import Standardise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from cellgan.core import Watcher

HELD_OUT = 0.2
MAX_HELD_OUT = 2_000
LEAST_CELLS = 100  # of the batch to learn from: with fewer, there is nothing to learn


class Imputed(NamedTuple):
    """Markers of cells that did not measure them; the units of the batch they were learned from.

    Attributes
    ----------
    expected
        Expected values, ``(n_cells, n_markers)``.
    sd
        One standard deviation of values around them, ``(n_cells, n_markers)``.
    draws
        Values drawn from their conditional distribution, ``(n_draws, n_cells, n_markers)``.
    """

    expected: NDArray[np.float32]
    sd: NDArray[np.float32]
    draws: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Imputer:
    """From shared markers to others.

    Attributes
    ----------
    inputs, outputs
        Standard units of both, in the batch that was learned from.
    network
        Expected outputs, from standard units to standard units.
    conditional
        How measured values are spread around them, from cells that the network has not seen.
    held_out
        Inputs of these cells, ``(n_known, n_inputs)``, arcsinh units.
    """

    inputs: Standardise
    outputs: Standardise
    network: nn.Module
    conditional: Conditional
    held_out: NDArray[np.float32]

    def expected(self, shared: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return expected values, ``(n_cells, n_outputs)``, of cells in the frame that was learned from."""
        standard = self.inputs.apply(shared.astype(np.float32)).astype(np.float64)
        found = self.outputs.invert(apply_network(self.network, standard).astype(np.float32))
        measured = self.conditional.measured
        # No cell is expected to show what none has shown.
        return np.clip(found, measured.min(axis=0), measured.max(axis=0)) if len(measured) else found

    def __call__(
        self, shared: NDArray[np.floating], *, draws: int, seed: int | np.random.Generator
    ) -> Imputed:
        """Impute cells.

        Parameters
        ----------
        shared
            Shared markers, ``(n_cells, n_inputs)``, arcsinh units, in the frame that was learned from.
        draws
            How many values to draw for each.
        seed
            Of the draws; or where they come from, if these are not the first cells.
        """
        expected = self.expected(shared)
        spread = self.conditional
        return Imputed(expected, spread.sd(expected), spread.draw(expected, draws=draws, seed=seed))


def fit_imputer(
    shared: NDArray[np.floating],
    others: NDArray[np.floating],
    *,
    seed: int,
    device: torch.device,
    watchers: Sequence[Watcher] = (),
) -> Imputer:
    """Learn markers from others within one batch, which measured them all.

    Parameters
    ----------
    shared
        ``(n_cells, n_inputs)``, arcsinh units.
    others
        Of the same cells, ``(n_cells, n_outputs)``, arcsinh units.
    seed, device, watchers
        Of the choice of cells and of the match.
    """
    order = np.random.default_rng(seed).permutation(len(shared))
    n = min(MAX_HELD_OUT, int(HELD_OUT * len(order)))
    unseen, seen = np.sort(order[:n]), np.sort(order[n:])
    inputs, outputs = Standardise.of(shared.astype(np.float32)), Standardise.of(others.astype(np.float32))
    network = fit_network(
        inputs.apply(shared[seen].astype(np.float32)).astype(np.float64),
        outputs.apply(others[seen].astype(np.float32)).astype(np.float64),
        seed=seed,
        device=device,
        watchers=watchers,
    )
    known, measured = shared[unseen].astype(np.float32), others[unseen].astype(np.float32)
    blank = Imputer(inputs, outputs, network, Conditional(measured[:0], measured[:0]), known)
    return replace(blank, conditional=Conditional(blank.expected(known), measured))
