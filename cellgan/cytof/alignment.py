"""The result of an alignment: cells, report, model; to look at, map with, and save."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellgan.cytof.model import Model
from cellgan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import anndata as ad

    from cellgan.cytof.columns import Columns
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.views import Views

MAX_BYTES = 200  # of a file's name, which file systems limit to 255


@dataclass(frozen=True, eq=False)
class Alignment:
    """Aligned batches.

    Attributes
    ----------
    adata
        All cells of all batches in the order given; ``X`` as measured, ``layers["aligned"]`` on the arcsinh
        scale.
    report
        What was done and how well, as JSON can hold it: see docs/report.md.
    views
        A sample of cells before and after, for plots.
    model
        The map of each batch.
    """

    adata: ad.AnnData
    report: Mapping[str, Any]
    views: Views
    model: Model
    _batches: Sequence[CellBatch]
    _columns: Mapping[str, Columns]

    def __repr__(self) -> str:
        """Return what was aligned to what, in a few lines."""
        verdicts = [f"  {b['batch']}: {b['verdict']['level']}" for b in self.report["batches"]]
        shape = f"{self.adata.n_obs:,} cells, {len(self.model.markers)} aligned markers"
        return "\n".join([f"Alignment onto {self.model.reference}: {shape}", *verdicts])

    def map(self, adata: ad.AnnData, batch: str | None = None) -> ad.AnnData:
        """Map cells measured later; see `Model.map`."""
        return self.model.map(adata, batch)

    def save(self, path: str | Path) -> None:
        """Save the model, for `cellgan.load` and ``cellgan map``."""
        self.model.save(Path(path))

    def write(self, path: str | Path) -> list[Path]:
        """Write the cells, whole or not at all.

        Parameters
        ----------
        path
            An ``.h5ad`` file; or a folder, which gets one ``.fcs`` file a batch, on the linear scale.

        Returns
        -------
        list[Path]
            What was written.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        from cellgan.cytof.fcs_write import unique, write_fcs
        from cellgan.cytof.read_write import check_output, write_h5ad

        path = Path(path)
        inputs = [batch.path for batch in self._batches if batch.path]
        if path.suffix == ".h5ad":
            check_output(path, inputs=inputs, overwrite=True)
            write_h5ad(self.adata, path)
            return [path]
        files = [path / f"{name}.fcs" for name in unique(_file_name(b.name) for b in self._batches)]
        _make(path)
        for file in files:
            check_output(file, inputs=inputs, overwrite=True)
        for batch, file in zip(self._batches, files, strict=True):
            var = batch.adata.var
            values = self.model.linear(batch.adata.X, self._columns[batch.name], batch.name)
            write_fcs(file, values, list(var["channel"]), list(var.index), batch.keywords)
        return files

    def write_report(self, path: str | Path) -> None:
        """Write the page, and the same as JSON beside it."""
        from cellgan.cytof.report import write_report

        write_report(self.report, self.views, Path(path))


def load(path: str | Path) -> Model:
    """Load the model that an alignment saved.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a model.
    """
    return Model.load(Path(path))


def _file_name(batch: str) -> str:
    """Return a batch's name as a file's: a name from ``obs`` may hold a slash, which would lead elsewhere."""
    name = re.sub(r"[^\w.+=@ -]", "_", batch).lstrip(".") or "batch"
    return name.encode()[:MAX_BYTES].decode(errors="ignore")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror}; make it first, or write elsewhere"
        raise OutputError(msg) from error
