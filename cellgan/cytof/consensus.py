"""Cells that lie in the middle of all batches, to serve as reference where no batch shall be privileged.

Each cell is put where every batch would have measured it, and the mean of these positions is taken: the
Wasserstein barycentre of the batches, if the maps between them are optimal, and in one dimension the
distribution whose quantiles are the means of the batches' quantiles. Since maps are fitted to what
corresponds (`cytof/correspondence.py`), positions are averaged, not compositions: each type of cell lies in
the middle of what the batches make of it, and the proportions of types are those of all batches together.

Departures from the papers. Maps between all pairs of batches would be needed, k(k - 1) of them; here all ways
lead over one batch, the *hub*, so 2(k - 1) do. This is one step of the fixed-point iteration that
Álvarez-Esteban et al. propose, begun at the hub; more would change nothing if maps were functions of single
markers, and within a cluster they are. In its own batch a cell counts as measured, without the way to the hub
and back, so which batch is the hub matters little.

A batch that lacks a type of cell still has a say in where it lies: the movers send such cells where the start
does, by what the batch does to each marker of the cells that it has. Without this batch, the type would lie
in the middle of the others, and out of line with all types that the batch has.

References
----------
Agueh and Carlier (2011), Barycenters in the Wasserstein space. Álvarez-Esteban, del Barrio, Cuesta-Albertos
and Matrán (2016), A fixed-point approach to barycenters in Wasserstein space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.correspondence import fit_mover
from cellgan.cytof.transform import Standardise
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.cytof.mover import Mover

FIT_CELLS = 6_000  # of each batch, to learn the way to the hub and back from


def consensus_cells(
    samples: Mapping[str, NDArray[np.float32]], *, seed: int, n_cells: int = 16_000
) -> NDArray[np.float32]:
    """Return cells that lie in the middle of all batches, type by type.

    Parameters
    ----------
    samples
        By batch, its cells on the arcsinh scale, ``(n_cells, n_markers)``, the same markers in all. The order
        of batches does not matter.
    seed
        Of everything random.
    n_cells
        How many to return at most; each batch provides as many as the others, or all that it has.

    Returns
    -------
    NDArray
        Arcsinh units, ``(n_cells, n_markers)``.

    Raises
    ------
    ConfigError
        There is nothing between fewer than two batches, or there are more batches than cells are wanted.
    """
    if not 2 <= len(samples) <= n_cells:
        msg = f"a consensus of {len(samples)} batches in {n_cells} cells: expected two batches or more, and a"
        msg += " cell of each; take one of the batches as the reference instead"
        raise ConfigError(msg)
    names = sorted(samples)
    hub = _medoid({name: samples[name] for name in names})
    units = Standardise.of(samples[hub])
    # The same draw from every batch: nothing depends on a batch's name or number.
    cells = {name: _drawn(samples[name], units, seed=seed) for name in names}
    ways = {
        name: _there_and_back(cells[hub], cells[name], units=units, seed=seed)
        for name in names
        if name != hub
    }
    pool = {name: own[: n_cells // len(names)] for name, own in cells.items()}
    in_hub = np.concatenate([ways[name][0](own) if name in ways else own for name, own in pool.items()])
    total, first = np.zeros_like(in_hub), 0
    for name, own in pool.items():
        measured = ways[name][1](in_hub) if name in ways else in_hub.copy()
        measured[first : first + len(own)] = own
        first += len(own)
        total += measured
    return units.invert((total / len(names)).astype(np.float32))


def _medoid(samples: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the batch whose markers' means and standard deviations are nearest to those of all others.

    Of several, it is the first.
    """
    means, sds = (
        np.stack([own(cells, axis=0, dtype=np.float64) for cells in samples.values()])
        for own in (np.mean, np.std)
    )
    # Within each marker, the distance between two normal distributions, in its own units.
    profiles = np.hstack([means, sds]) / np.tile(np.maximum(sds.mean(axis=0), 1e-6), 2)
    distances = [np.sqrt(((profiles - one) ** 2).sum(axis=1)).sum() for one in profiles]
    return list(samples)[int(np.argmin(distances))]


def _drawn(cells: NDArray[np.float32], units: Standardise, *, seed: int) -> NDArray[np.float64]:
    """Return all cells in standard units and in an order drawn at random, ``(n_cells, n_markers)``."""
    order = np.random.default_rng(seed).permutation(len(cells))
    return units.apply(cells[order]).astype(np.float64)


def _there_and_back(
    hub: NDArray[np.float64], cells: NDArray[np.float64], *, units: Standardise, seed: int
) -> tuple[Mover, Mover]:
    """Fit the movers from a batch to the hub and from the hub to the batch."""
    hub, cells = hub[:FIT_CELLS], cells[:FIT_CELLS]
    return (
        fit_mover(hub, cells, units=units, seed=seed),
        fit_mover(cells, hub, units=units, seed=seed),
    )
