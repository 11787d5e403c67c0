"""The result of an alignment: cells, report, model; to look at, map with, and save."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.atomic import check_output, make_folder
from cellgan.cytof.assemble import IMPUTED, SAMPLE
from cellgan.cytof.model import Model
from cellgan.cytof.transform import to_linear
from cellgan.cytof.verdict import WORDS
from cellgan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import anndata as ad
    from numpy.typing import NDArray

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
        verdicts = [f"  {b['batch']}: {WORDS[b['verdict']['level']]}" for b in self.report["batches"]]
        shape = f"{self.adata.n_obs:,} cells, {len(self.model.markers)} aligned markers"
        return "\n".join([f"Alignment onto {self.model.reference}: {shape}", *verdicts])

    def map(self, adata: ad.AnnData, batch: str | None = None) -> ad.AnnData:
        """Map cells measured later; see `Model.map`."""
        return self.model.map(adata, batch)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Save the model, for `cellgan.load` and ``cellgan map``; see `write` for what is refused."""
        check_output(Path(path), inputs=self._inputs, overwrite=overwrite)
        self.model.save(Path(path), overwrite=overwrite)

    def write(self, path: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the cells, whole or not at all.

        Parameters
        ----------
        path
            An ``.h5ad`` file; or a folder, which gets one ``.fcs`` file a batch, on the linear scale. It is
            made if it is not there and its name has no ending. Markers that were imputed are channels of
            their own in it, called ``CD5 imputed`` (expected values) and ``CD5 drawn``.
        overwrite
            Whether older files may be replaced. Inputs never are.

        Returns
        -------
        list[Path]
            What was written.

        Raises
        ------
        OutputError
            It cannot be written, or is there already.
        """
        from cellgan.cytof.fcs_write import unique, write_fcs
        from cellgan.cytof.read_write import write_h5ad

        path = Path(path)
        if path.suffix == ".h5ad":
            check_output(path, inputs=self._inputs, overwrite=overwrite)
            write_h5ad(self.adata, path)
            return [path]
        if path.suffix and not path.is_dir():
            msg = (
                f"cannot write {path}: expected a name that ends in .h5ad, or a folder for one .fcs file per "
                f"batch, such as {path.with_suffix('')}; a folder with an ending must be made first"
            )
            raise OutputError(msg)
        files = [path / f"{name}.fcs" for name in unique(_file_name(b.name) for b in self._batches)]
        make_folder(path)
        for file in files:
            check_output(file, inputs=self._inputs, overwrite=overwrite)
        for batch, file in zip(self._batches, files, strict=True):
            var = batch.adata.var
            values = self.model.linear(batch.adata.X, self._columns[batch.name], batch.name)
            added, names = self._imputed(batch.name)
            channels, markers = [*var["channel"], *names], [*var.index, *names]
            write_fcs(file, np.hstack([values, added]), channels, markers, batch.keywords)
        return files

    def _imputed(self, batch: str) -> tuple[NDArray[np.float32], list[str]]:
        """Return what was imputed for a batch, linear scale, and names that say so: expected, then drawn."""
        rows = (self.adata.obs["batch"] == batch).to_numpy()
        if IMPUTED not in self.adata.layers:
            return np.empty((int(rows.sum()), 0), dtype=np.float32), []
        there = np.ix_(rows, self.adata.layers[IMPUTED][rows].any(axis=0))
        markers = self.adata.var_names[there[1].ravel()]
        values = [
            to_linear(self.adata.layers[layer][there], self.model.cofactor) for layer in ("aligned", SAMPLE)
        ]
        return np.hstack(values), [f"{name} {word}" for word in ("imputed", "drawn") for name in markers]

    def write_report(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the page (.html), and the same as JSON beside it; see `write` for what is refused."""
        from cellgan.cytof.report import write_report

        path = Path(path)
        if path.suffix != ".html":
            msg = f"cannot write the report to {path}: expected a name that ends in .html"
            raise OutputError(msg)
        for file in (path, path.with_suffix(".json")):
            check_output(file, inputs=self._inputs, overwrite=overwrite)
        write_report(self.report, self.views, path)

    @property
    def _inputs(self) -> list[Path]:
        return [batch.path for batch in self._batches if batch.path]


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
