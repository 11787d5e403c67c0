"""Batches made comparable: which markers they share, and on which scale their values are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.columns import Columns
from cellgan.cytof.input_files import naming
from cellgan.cytof.panel import match_panels, only, without
from cellgan.cytof.transform import decide, other_scale, to_arcsinh
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.transform import Decision

N_JUDGED = 100_000  # cells of a batch that tell its scale


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
        return self._scaled(_markers(batch, self.panel, rows))

    def proteins(
        self, batch: CellBatch, markers: Iterable[str], rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.float32]:
        """Return any proteins of a batch by the names they go by here, arcsinh units."""
        own = self.panel.proteins[batch.name]
        return self._scaled(_columns(batch, [own[marker] for marker in markers], rows))

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
            return self._scaled(self._of_control(control, rows))

    def _of_control(self, control: CellBatch, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        batch = self.batch(control.name)
        at = Columns.find(
            list(map(str, control.adata.var_names)),
            list(map(str, control.adata.var["channel"])),
            markers=self.spelling(batch),
            batch=batch.name,
        )
        values: NDArray[np.float32] = control.adata.X[np.ix_(rows, at.aligned)]
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
        return self._scaled(_markers(batch, self.panel).min(axis=0))

    def columns(self, batch: CellBatch) -> Columns:
        """Return what a batch's columns are; the aligned ones are those it shares."""
        own, var = self.panel.columns[batch.name], batch.adata.var
        return Columns.at(list(own.values()), list(map(str, var.index)), list(map(str, var["channel"])))

    def joined_by(self, batch: CellBatch) -> Prepared:
        """Return the same with one more batch, whose columns are the shared markers in the panel's order."""
        own = {marker: at for at, marker in enumerate(self.panel.shared)}
        panel = replace(
            self.panel,
            columns={**self.panel.columns, batch.name: own},
            proteins={**self.panel.proteins, batch.name: own},
        )
        return replace(self, batches=[*self.batches, batch], panel=panel)

    def _scaled(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return to_arcsinh(values, self.decision.cofactor) if self.decision.name == "arcsinh" else values


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
    panel = without(panel, _constant(batches, panel))
    decision = decide(
        [_markers(batch, panel, spread_rows(batch.adata.n_obs, N_JUDGED)) for batch in batches],
        requested=config.transform,
        cofactor=config.cofactor,
        names=[batch.name for batch in batches],
    )
    return Prepared(batches, panel, decision)


def spread_rows(n_cells: int, n: int) -> NDArray[np.intp]:
    """Return so many rows at most, spread evenly over all."""
    return np.arange(n_cells) if n_cells <= n else np.linspace(0, n_cells - 1, n).astype(np.intp)


def _markers(batch: CellBatch, panel: Panel, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
    """Return the markers that a batch shares as measured, in the panel's order."""
    return _columns(batch, list(panel.columns[batch.name].values()), rows)


def _columns(
    batch: CellBatch, columns: Sequence[int], rows: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    at = np.asarray(columns, dtype=np.intp)
    values: NDArray[np.float32] = batch.adata.X[:, at] if rows is None else batch.adata.X[np.ix_(rows, at)]
    return values


def _constant(batches: Sequence[CellBatch], panel: Panel) -> dict[str, list[str]]:
    """Return the shared markers that have one single value in a batch, and in which."""
    found: dict[str, list[str]] = {}
    for batch in batches:
        same = np.ptp(_markers(batch, panel), axis=0) == 0
        for marker in np.array(list(panel.columns[batch.name]))[same]:
            found.setdefault(str(marker), []).append(batch.name)
    return found
