"""The saved map of each batch: the same cells, or cells measured later, into the reference's frame."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from cellgan.atomic import check_output
from cellgan.core.checkpoint import read_tensors, write_tensors
from cellgan.cytof.batch_map import NOVEL, BatchMap, Mapped
from cellgan.cytof.cell_file import ROWS
from cellgan.cytof.cofactors import Cofactors
from cellgan.cytof.columns import Columns
from cellgan.cytof.input_files import naming
from cellgan.cytof.transform import Standardise, other_scale, to_arcsinh, to_linear
from cellgan.errors import ConfigError, InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

    from cellgan.cytof.cell_file import CellFile


@dataclass(frozen=True, eq=False)
class Model:
    """All that is needed to map cells: it is saved beside the aligned cells.

    Attributes
    ----------
    reference
        Name of the reference batch.
    markers
        Aligned markers, as the reference spells them; a batch may share but some of them.
    transform, cofactors
        ``arcsinh``: values are ion counts; ``none``: they are on the arcsinh scale already.
    units
        Standard units of the reference.
    batches
        By name of batch, the reference among them.
    about
        Version, settings and inputs of the run that made the model; JSON.
    """

    reference: str
    markers: tuple[str, ...]
    transform: Literal["arcsinh", "none"]
    cofactors: Cofactors
    units: Standardise
    batches: Mapping[str, BatchMap]
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        """Return which batches the model maps."""
        moved = ", ".join(name for name, own in self.batches.items() if own.mover is not None)
        return f"Model: {moved} onto {self.reference}, {len(self.markers)} markers"

    def mapped(self, values: NDArray[np.float32], columns: Columns, batch: str) -> Mapped:
        """Map cells of one batch, with all their columns.

        Parameters
        ----------
        values
            All columns as measured, ``(n_cells, n_columns)``.
        columns
            What these are.
        batch
            Name of the batch.

        Returns
        -------
        Mapped
            Arcsinh units: aligned markers, other ion counts as measured; time, scatter and the like
            unchanged.
        """
        out, sd, novel = values.copy(), np.zeros_like(values), np.zeros(len(values), dtype=bool)
        if self.transform == "arcsinh":
            by = self.cofactors.each(columns.names)[columns.counts]
            out[:, columns.counts] = to_arcsinh(values[:, columns.counts], by)
        own = self.batches[batch]
        for first in range(0, len(out) if own.mover is not None else 0, ROWS):
            here = slice(first, first + ROWS)
            found = own(out[here, columns.aligned])
            out[here, columns.aligned], sd[here, columns.aligned], novel[here] = found
        return Mapped(out, sd, novel)

    def linear(
        self, values: NDArray[np.float32], mapped: Mapped, columns: Columns, batch: str
    ) -> NDArray[np.float32]:
        """Return cells on the linear scale, for FCS, where they are mapped; what is not moved is not touched.

        Parameters
        ----------
        values
            All columns as measured, ``(n_cells, n_columns)``.
        mapped
            The same as mapped.
        columns
            What these are.
        batch
            Name of the batch.
        """
        out, by = values.copy(), self.cofactors.each(columns.names)
        if self.transform == "none":
            out[:, columns.counts] = to_linear(values[:, columns.counts], by[columns.counts])
        if self.batches[batch].mover is not None:
            out[:, columns.aligned] = to_linear(mapped.aligned[:, columns.aligned], by[columns.aligned])
        return out

    def map(self, adata: ad.AnnData, batch: str | None = None) -> ad.AnnData:
        """Map cells in memory.

        Parameters
        ----------
        adata
            Cells measured like those of `batch`; not changed.
        batch
            Whose map to use; may be left out where the model has only one.

        Returns
        -------
        AnnData
            A copy with ``layers["aligned"]``, ``layers["aligned_sd"]`` and ``obs["cellgan_novel"]``.

        Raises
        ------
        PanelError
            A marker of the model is missing.
        InputError
            The cells cannot be used as they are.
        """
        from cellgan.cytof.cells import own_copy

        name = self.pick(batch)
        copy = own_copy(adata, "the cells to be mapped", n_least=1)
        columns = self.columns(copy.var_names, copy.var["channel"], name)
        self._check_scale(copy.X, columns)
        mapped = self.mapped(copy.X, columns, name)
        copy.layers["aligned"], copy.layers["aligned_sd"] = mapped.aligned, mapped.sd
        copy.obs[NOVEL] = mapped.novel
        return copy

    def map_file(self, source: CellFile, out_path: Path, *, batch: str | None = None) -> int | None:
        """Map a file piece by piece into another, ``.h5ad``, ``.zarr`` or ``.fcs``; memory stays bounded.

        Parameters
        ----------
        source
            Cells measured like those of `batch`, from `open_for_map`.
        out_path
            An ``.h5ad`` file or ``.zarr`` folder gets a copy of the source with what `map` adds; an ``.fcs``
            file the aligned cells on the linear scale.
        batch
            Whose map to use; may be left out where the model has only one.

        Returns
        -------
        int or None
            How many cells have no counterpart in the reference; None where nobody can tell: of the
            reference's own cells, and with older models.

        Raises
        ------
        PanelError
            A marker of the model is missing.
        InputError, OutputError
            A file cannot be read or written.
        """
        from cellgan.cytof.fcs_write import stream_fcs
        from cellgan.cytof.streaming import stream_store

        name = self.pick(batch)
        columns = self.columns(source.names, source.channels, name)
        n_novel = 0

        def pieces() -> Iterator[tuple[NDArray[np.float32], Mapped]]:
            nonlocal n_novel
            for chunk in self._chunks(source, columns):
                mapped = self.mapped(chunk, columns, name)
                n_novel += int(mapped.novel.sum())
                yield chunk, mapped

        own = self.batches[name]
        if out_path.suffix == ".fcs":
            linear = (self.linear(chunk, mapped, columns, name) for chunk, mapped in pieces())
            stream_fcs(
                out_path, linear, channels=source.channels, markers=source.names, keywords=source.keywords
            )
        else:
            added = (mapped for _, mapped in pieces())
            stream_store(source, out_path, added, uns={**_flat(self.about), "mapped_as": name})
        return None if own.uncertainty is None else n_novel

    def _chunks(self, source: CellFile, columns: Columns) -> Iterator[NDArray[np.float32]]:
        """Read a file piece by piece; its first cells tell the scale."""
        for number, chunk in enumerate(source.chunks(ROWS)):
            if number == 0:
                with naming(source.path):
                    self._check_scale(chunk, columns)
            yield chunk

    def _check_scale(self, values: NDArray[np.float32], columns: Columns) -> None:
        """Refuse cells that are plainly on another scale than those that the model was made from."""
        insisted = bool(self.about["transform"].get("warning"))
        if differ := other_scale(values[:, columns.aligned], self.transform, insisted=insisted):
            msg = f"the model was made from {differ}. Give them on the scale that `cellgan align` was given"
            raise InputError(msg)

    def pick(self, batch: str | None) -> str:
        """Return whose map is meant; ConfigError where that is open."""
        moved = [name for name, own in self.batches.items() if own.mover is not None]
        if batch is None and len(moved) == 1:
            return moved[0]
        if batch is None or batch not in self.batches:
            said = "no batch was named" if batch is None else f"there is no batch {batch!r}"
            msg = f"{said}; the model maps {', '.join(moved)} onto {self.reference}: name one with --batch"
            raise ConfigError(msg)
        return batch

    def columns(self, names: Any, channels: Any, batch: str) -> Columns:  # noqa: ANN401 - any sequence of names
        """Return what the columns of new cells are; PanelError where a marker of the model is missing."""
        return Columns.find(
            [str(name) for name in names],
            [str(channel) for channel in channels],
            markers=self.batches[batch].markers,
            batch=batch,
        )

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the model to one file, whole or not at all; OutputError where that fails."""
        check_output(path, overwrite=overwrite)
        tensors = {
            "units/mean": torch.from_numpy(self.units.mean),
            "units/sd": torch.from_numpy(self.units.sd),
        }
        batches = {}
        for number, (name, own) in enumerate(self.batches.items()):
            key = f"batches/{number}"
            batches[name] = {"key": key, "markers": own.markers, "moved": own.mover is not None}
            tensors |= {f"{key}/{leaf}": value for leaf, value in own.tensors().items()}
        meta = {
            "kind": "alignment",
            "reference": self.reference,
            "markers": self.markers,
            "transform": self.transform,
            "cofactor": self.cofactors.usual,
            "cofactors": dict(self.cofactors.own),
            "batches": batches,
            "about": self.about,
        }
        write_tensors(path, tensors, meta)

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a model; ModelError where the file is damaged or not one of ours."""
        tensors, meta = read_tensors(path)
        try:
            if meta["kind"] != "alignment":
                raise KeyError(meta["kind"])
            units = Standardise(tensors["units/mean"].numpy(), tensors["units/sd"].numpy())
            batches = {
                name: BatchMap.from_tensors(
                    _under(tensors, own["key"]),
                    markers=tuple(own["markers"]),
                    moved=own["moved"],
                    units=units,
                )
                for name, own in meta["batches"].items()
            }
            return cls(
                reference=meta["reference"],
                markers=tuple(meta["markers"]),
                transform=meta["transform"],
                cofactors=Cofactors(meta["cofactor"], meta.get("cofactors", {})),
                units=units,
                batches=batches,
                about=meta["about"],
            )
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            msg = f"{path} is no model of `cellgan align`, or damaged: give the .model file that it wrote"
            raise ModelError(msg) from error


def _under(tensors: Mapping[str, torch.Tensor], key: str) -> dict[str, torch.Tensor]:
    prefix = f"{key}/"
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _flat(about: Mapping[str, Any]) -> dict[str, str]:
    """Return what AnnData can write to ``uns``: text, with JSON for what is nested."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
