"""How the cells of one batch get into the reference's frame, and what is known of each of them there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from cellgan.cytof.mover import Mover
from cellgan.cytof.novelty import Novelty
from cellgan.cytof.response import Response
from cellgan.cytof.transform import Standardise
from cellgan.cytof.uncertainty import Uncertainty

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.cytof.learn import Learned
    from cellgan.cytof.prepare import Prepared

# What mapped cells are called in files: layers, and a column of obs.
LAYERS = ("aligned", "aligned_sd")
NOVEL = "cellgan_novel"


class Mapped(NamedTuple):
    """Mapped cells; arcsinh units.

    Attributes
    ----------
    aligned
        ``(n_cells, n_markers)``.
    sd
        One standard deviation of what `aligned` may be off, ``(n_cells, n_markers)``; 0 where nothing moves.
    novel
        Whether a cell has no counterpart in the reference, ``(n_cells,)``.
    """

    aligned: NDArray[np.float32]
    sd: NDArray[np.float32]
    novel: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BatchMap:
    """The way of one batch.

    Attributes
    ----------
    markers
        Names of the aligned markers in this batch's own spelling, in the model's order.
    lowest
        No aligned value lies below, ``(n_markers,)``, arcsinh units: the lowest seen in either batch.
    units
        Standard units of the reference for these markers.
    mover
        In standard units of the reference; None for the reference itself, which stays.
    uncertainty
        Of aligned values, in the same units; None for the reference.
    novelty
        Tells cells without counterpart; None where every cell has one.
    """

    markers: tuple[str, ...]
    lowest: NDArray[np.float32]
    units: Standardise
    mover: Mover | None = None
    uncertainty: Uncertainty | None = None
    novelty: Novelty | None = None

    def __call__(self, values: NDArray[np.float32]) -> Mapped:
        """Map cells; their aligned markers as measured, ``(n_cells, n_markers)``, arcsinh units."""
        sd, novel = np.zeros_like(values), np.zeros(len(values), dtype=bool)
        if self.mover is None:
            return Mapped(values, sd, novel)
        before = self.units.apply(values).astype(np.float64)
        after = self.mover(before)
        if self.novelty is not None:
            novel = self.novelty(self._told_apart(values, after))
            # Maps of clusters say nothing of cells without counterpart: the batch's mapping is all there is.
            after[novel] = self.mover.batch_mapping(before[novel])
        if self.uncertainty is not None:
            found = self.uncertainty(after)
            # A cell without counterpart was moved as its batch's other cells are: nothing else speaks for it.
            found[novel] = np.hypot(found[novel], after[novel] - before[novel])
            sd = (found * self.units.sd).astype(np.float32)
        aligned = np.maximum(self.units.invert(after.astype(np.float32)), self.lowest)
        still = np.array(self.mover.still if self.mover.moves else range(values.shape[1]), dtype=np.intp)
        aligned[:, still] = np.maximum(values[:, still], self.lowest[still])  # to the last bit
        return Mapped(aligned, sd, novel)

    def _told_apart(self, values: NDArray[np.float32], aligned: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where cells are told apart that have no counterpart, standard units."""
        response = None if self.novelty is None else self.novelty.response
        if response is None:
            return aligned
        return self.units.to_units(np.maximum(response(values.astype(np.float64)), self.lowest))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return all numbers that the map consists of, by name; `from_tensors` takes them back."""
        found = {
            "lowest": torch.from_numpy(self.lowest),
            "units/mean": torch.from_numpy(self.units.mean),
            "units/sd": torch.from_numpy(self.units.sd),
        }
        if self.mover is not None:
            found |= {f"mover/{leaf}": value for leaf, value in self.mover.tensors().items()}
        if self.uncertainty is not None:
            found["uncertainty/level"] = torch.from_numpy(self.uncertainty.level)
            found["uncertainty/sd"] = torch.from_numpy(self.uncertainty.sd)
        if self.novelty is not None:
            found["novelty/familiar"] = torch.from_numpy(self.novelty.familiar)
            found["novelty/novel"] = torch.from_numpy(self.novelty.novel)
            found["novelty/scale"] = torch.from_numpy(self.novelty.scale)
            if self.novelty.response is not None:
                response = self.novelty.response
                found["novelty/log_gain"] = torch.from_numpy(response.log_gain)
                found["novelty/log_power"] = torch.from_numpy(response.log_power)
                found["novelty/background"] = torch.from_numpy(response.background)
        return found

    @classmethod
    def from_tensors(
        cls,
        tensors: Mapping[str, torch.Tensor],
        *,
        markers: tuple[str, ...],
        moved: bool,
        units: Standardise,
    ) -> BatchMap:
        """Build a map from what `tensors` returned; KeyError or RuntimeError where that does not fit.

        Parameters
        ----------
        tensors
            By name. Older models hold neither uncertainty nor novelty nor units.
        markers
            Names of the aligned markers.
        moved
            Whether there is a mover; one that leaves all cells where they are has no tensors.
        units
            Of all markers that the model aligns: those of every batch in older models.
        """
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        own = {
            name.removeprefix("mover/"): value for name, value in tensors.items() if name.startswith("mover/")
        }
        return cls(
            markers=markers,
            lowest=arrays["lowest"],
            units=Standardise(arrays["units/mean"], arrays["units/sd"]) if "units/sd" in arrays else units,
            mover=Mover.from_tensors(own, n_markers=len(markers)) if moved else None,
            uncertainty=Uncertainty(arrays["uncertainty/level"], arrays["uncertainty/sd"])
            if "uncertainty/sd" in arrays
            else None,
            novelty=_novelty(arrays) if "novelty/novel" in arrays else None,
        )


def _novelty(arrays: Mapping[str, NDArray[np.float64]]) -> Novelty:
    """Build what tells cells without counterpart; older models had one scale, and told at the ends."""
    familiar = arrays["novelty/familiar"]
    response = None
    if "novelty/log_gain" in arrays:
        response = Response(
            arrays["novelty/log_gain"], arrays["novelty/log_power"], arrays["novelty/background"]
        )
    scale = arrays.get("novelty/scale", np.ones(familiar.shape[1]))
    return Novelty(familiar, arrays["novelty/novel"], scale, response)


def make_maps(
    prepared: Prepared, learned: Mapping[str, Learned], *, reference: str, units: Standardise
) -> dict[str, BatchMap]:
    """Return the map of every batch, the reference's among them.

    Parameters
    ----------
    prepared
        All batches.
    learned
        By name, of all but the reference.
    reference
        Name of the reference.
    units
        Its standard units, for all shared markers.
    """
    maps = {}
    for batch in prepared.batches:
        shared = prepared.shared_by(batch)
        markers, own = prepared.spelling(batch), units.at(prepared.places(shared))
        least = prepared.only(shared).lowest(prepared.batch(reference))
        lowest = np.minimum(least, prepared.lowest(batch))
        if batch.name in learned:
            pair, novelty, _ = learned[batch.name]
            maps[batch.name] = BatchMap(markers, lowest, own, pair.mover, pair.uncertainty, novelty)
        else:
            maps[batch.name] = BatchMap(markers, lowest, own)
    return maps
