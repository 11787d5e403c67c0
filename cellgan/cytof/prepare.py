"""Batches made comparable: which markers they share, and on which scale their values are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.columns import Columns
from cellgan.cytof.draws import N_DRAWN, draw
from cellgan.cytof.input_files import naming
from cellgan.cytof.marker_names import marker_key
from cellgan.cytof.panel import match_panels, only, without
from cellgan.cytof.silent import silent_markers
from cellgan.cytof.transform import Standardise, decide, other_scale, to_arcsinh
from cellgan.errors import InputError
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.transform import Decision


@dataclass(frozen=True, eq=False)
class Prepared:
    """Batches whose shared markers are known. Values are made when they are asked for, to save memory.

    Attributes
    ----------
    batches
        As read.
    panel
        Which of their columns correspond.
    decision
        Whether values are to be transformed.
    """

    batches: Sequence[CellBatch]
    panel: Panel
    decision: Decision

    def batch(self, name: str) -> CellBatch:
        """Return a batch by its name."""
        return next(batch for batch in self.batches if batch.name == name)

    def values(self, batch: CellBatch, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Return shared markers of all or some cells of a batch, arcsinh units, ``(n_cells, n_markers)``."""
        return self._scaled(_markers(batch, self.panel, rows), self.shared_by(batch))

    def values_of(self, batch: CellBatch, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the same of cells that were read, all columns of them, ``(n_cells, n_columns)``."""
        return self._scaled(values[:, list(self.panel.columns[batch.name].values())], self.shared_by(batch))

    def units(self, batch: CellBatch, seed: int) -> Standardise:
        """Return standard units of a batch's shared markers, as at most `N_DRAWN` of its cells have them."""
        return Standardise.of(self.values(batch, draw(batch.cells, N_DRAWN, seed)))

    def proteins(
        self, batch: CellBatch, markers: Iterable[str], rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.float32]:
        """Return any proteins of a batch by the names they go by here, arcsinh units."""
        names = list(markers)
        return self._scaled(_columns(batch, self.protein_columns(batch, names), rows), names)

    def proteins_of(
        self, batch: CellBatch, markers: Iterable[str], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the same of cells that were read, all columns of them, ``(n_cells, n_columns)``."""
        names = list(markers)
        return self._scaled(values[:, self.protein_columns(batch, names)], names)

    def protein_columns(self, batch: CellBatch, markers: Iterable[str]) -> NDArray[np.intp]:
        """Return where proteins stand among a batch's columns."""
        own = self.panel.proteins[batch.name]
        return np.array([own[marker] for marker in markers], dtype=np.intp)

    def shared_by(self, batch: CellBatch) -> tuple[str, ...]:
        """Return the markers that a batch shares with the reference, in the panel's order."""
        return tuple(self.panel.columns[batch.name])

    def places(self, markers: Iterable[str]) -> list[int]:
        """Return where markers stand among the shared ones."""
        return [self.panel.shared.index(marker) for marker in markers]

    def only(self, markers: Sequence[str]) -> Prepared:
        """Return the same with fewer shared markers."""
        return replace(self, panel=only(self.panel, markers))

    def of_control(self, control: CellBatch, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the same of a control, measured with the panel of the batch whose name it bears."""
        with naming(control.path or f"the control of {control.name}"):
            return self._scaled(self._of_control(control, rows), self.shared_by(self.batch(control.name)))

    def _of_control(self, control: CellBatch, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        batch = self.batch(control.name)
        at = Columns.find(
            control.markers,
            control.channels,
            markers=self.spelling(batch),
            batch=batch.name,
        )
        values = control.cells.values(rows, at.aligned)
        if differ := other_scale(values, self.decision.name, insisted=bool(self.decision.warning)):
            whose = f"the control of batch {batch.name!r}"
            msg = f"{whose} is on another scale than the batches, which hold {differ}"
            raise InputError(msg)
        return values

    def spelling(self, batch: CellBatch) -> tuple[str, ...]:
        """Return the markers that a batch shares, as its file spells them, in the panel's order."""
        return tuple(batch.spelling(column) for column in self.panel.columns[batch.name].values())

    def lowest(self, batch: CellBatch) -> NDArray[np.float32]:
        """Return the lowest value of each marker that a batch shares, arcsinh units, ``(n_markers,)``."""
        lowest, _ = batch.cells.extremes()
        return self._scaled(lowest[list(self.panel.columns[batch.name].values())], self.shared_by(batch))

    def columns(self, batch: CellBatch) -> Columns:
        """Return what a batch's columns are; the aligned ones are those it shares."""
        return Columns.at(list(self.panel.columns[batch.name].values()), batch.markers, batch.channels)

    def joined_by(self, batch: CellBatch) -> Prepared:
        """Return the same with one more batch, whose columns are the shared markers in the panel's order."""
        own = {marker: at for at, marker in enumerate(self.panel.shared)}
        panel = replace(
            self.panel,
            columns={**self.panel.columns, batch.name: own},
            proteins={**self.panel.proteins, batch.name: own},
        )
        return replace(self, batches=[*self.batches, batch], panel=panel)

    def _scaled(self, values: NDArray[np.float32], markers: Sequence[str]) -> NDArray[np.float32]:
        if self.decision.name == "none":
            return values
        return to_arcsinh(values, self.decision.cofactors.each(markers))


def prepare(batches: Sequence[CellBatch], config: AlignConfig, *, reference: str) -> Prepared:
    """Match the batches' panels and decide on which scale their values are.

    Parameters
    ----------
    batches
        As read.
    config
        Markers and transform that were asked for.
    reference
        The batch whose spelling of markers is taken.

    Raises
    ------
    PanelError
        Panels share too little.
    InputError
        The scale of the values is open, or differs between batches.
    """
    panel = match_panels(batches, reference=reference, markers=config.markers)
    drawn = {batch.name: draw(batch.cells, N_DRAWN, config.seed) for batch in batches}
    decision = decide(
        [_markers(batch, panel, drawn[batch.name]) for batch in batches],
        requested=config.transform,
        cofactor=config.cofactor,
        own=_own_cofactors(batches, panel, config.cofactors),
        names=[batch.name for batch in batches],
        instruments=[batch.keywords.get("$CYT", "") for batch in batches],
    )
    found = Prepared(batches, panel, decision)
    silent = silent_markers(
        {batch.name: found.values(batch, drawn[batch.name]) for batch in batches},
        {name: tuple(own) for name, own in panel.columns.items()},
        reference=reference,
    )
    return replace(found, panel=without(panel, silent, reference=reference))


def _own_cofactors(
    batches: Sequence[CellBatch], panel: Panel, given: Mapping[str, float]
) -> dict[str, float]:
    """Return own cofactors under every name that a marker goes by: in the panel, and in each file.

    Raises
    ------
    InputError
        A name is no marker's in any batch.
    """
    by_key = {marker_key(name): value for name, value in given.items()}
    found: dict[str, float] = {}
    known: set[str] = set()
    for batch in batches:
        for name, at in panel.proteins[batch.name].items():
            keys = [marker_key(each) for each in (name, batch.markers[at], batch.spelling(at))]
            known |= set(keys)
            value = next((by_key[key] for key in keys if key in by_key), None)
            if value is not None:
                found |= dict.fromkeys(keys, value)
    lost = [name for name in given if marker_key(name) not in known]
    if lost:
        msg = f"cofactors: no batch has a marker called {listing(lost)}; it has {listing(list(panel.shared))}"
        raise InputError(msg)
    return found


def _markers(batch: CellBatch, panel: Panel, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
    """Return the markers that a batch shares as measured, in the panel's order."""
    return _columns(batch, list(panel.columns[batch.name].values()), rows)


def _columns(
    batch: CellBatch, columns: Sequence[int] | NDArray[np.intp], rows: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    every = np.arange(batch.n_cells) if rows is None else rows
    return batch.cells.values(every, np.asarray(columns, dtype=np.intp))
