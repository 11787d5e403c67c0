"""The result of an alignment: cells, report, model; to look at, map with, and save."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cellgan.atomic import check_output, make_folder
from cellgan.cytof.assemble import assemble, write_assembled
from cellgan.cytof.fcs_write import unique
from cellgan.cytof.linear_file import write_linear
from cellgan.cytof.model import Model
from cellgan.cytof.read_write import write_whole
from cellgan.cytof.summary import about
from cellgan.cytof.threads import limited_threads
from cellgan.cytof.verdict import WORDS
from cellgan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import anndata as ad

    from cellgan.cytof.assemble import Piece
    from cellgan.cytof.views import Views
    from cellgan.cytof.whole_run import Results, Sample, WholeRun

Found = TypeVar("Found")
MAX_BYTES = 200  # of a file's name, which file systems limit to 255


@dataclass(eq=False)
class Alignment:
    """Aligned batches.

    What was learned is there at once. All cells are mapped when they are asked for or written, and what
    `report` and `views` tell of them is known from then on.
    """

    _run: WholeRun
    _results: Results | None = field(default=None, init=False)
    _adata: ad.AnnData | None = field(default=None, init=False)

    def __repr__(self) -> str:
        """Return what was aligned to what, in a few lines."""
        verdicts = [f"  {b['batch']}: {WORDS[b['verdict']['level']]}" for b in self.report["batches"]]
        n_cells = sum(batch.n_cells for batch in self._run.batches)
        shape = f"{n_cells:,} cells, {len(self.model.markers)} aligned markers"
        return "\n".join([f"Alignment onto {self.model.reference}: {shape}", *verdicts])

    @property
    def model(self) -> Model:
        """The map of each batch."""
        return self._run.model

    @property
    def adata(self) -> ad.AnnData:
        """All cells in memory, in the order of the batches; ``layers["aligned"]`` on the arcsinh scale."""
        if self._adata is None:
            self._adata = self._mapped(lambda pieces, about: assemble(self._run.table, pieces, about))
        return self._adata

    @property
    def report(self) -> Mapping[str, Any]:
        """What was done and how well, as JSON can hold it: see docs/report.md."""
        return self._seen.report

    @property
    def views(self) -> Views:
        """A sample of cells before and after, for plots."""
        return self._seen.views

    def map(self, adata: ad.AnnData, batch: str | None = None) -> ad.AnnData:
        """Map cells measured later; see `Model.map`."""
        return self.model.map(adata, batch)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Save the model, for `cellgan.load` and ``cellgan map``; see `write` for what is refused."""
        check_output(Path(path), inputs=self._inputs, overwrite=overwrite)
        self.model.save(Path(path), overwrite=overwrite)

    def write(self, path: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the cells, whole or not at all. Unless `adata` was asked for, they pass piece by piece.

        Parameters
        ----------
        path
            An ``.h5ad`` file or a ``.zarr`` store; or a folder, which gets one ``.fcs`` file a batch, on the
            linear scale. It is made if it is not there and its name has no ending. Markers that were imputed
            are channels of their own in it, called ``CD5 imputed`` (expected values) and ``CD5 drawn``.
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
        path = Path(path)
        if path.suffix in {".h5ad", ".zarr"}:
            check_output(path, inputs=self._inputs, overwrite=overwrite)
            if self._adata is not None:
                write_whole(self._adata, path)
            else:
                self._mapped(lambda pieces, about: write_assembled(self._run.table, path, pieces, about))
            return [path]
        if path.suffix and not path.is_dir():
            msg = (
                f"cannot write {path}: expected a name that ends in .h5ad or .zarr, or a folder for one .fcs "
                f"file per batch, such as {path.with_suffix('')}; a folder with an ending must be made first"
            )
            raise OutputError(msg)
        batches = self._run.batches
        files = [path / f"{name}.fcs" for name in unique(_file_name(batch.name) for batch in batches)]
        make_folder(path)
        for file in files:
            check_output(file, inputs=self._inputs, overwrite=overwrite)
        samples: dict[str, Sample] = {}
        with limited_threads(self._run.config.threads):
            for number, (batch, file) in enumerate(zip(batches, files, strict=True)):
                pieces = self._run.of_batch(batch, samples, (number, len(batches)))
                write_linear(file, batch, pieces, self._run)
        self._note(samples)
        return files

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
        return [batch.path for batch in self._run.batches if batch.path]

    @property
    def _seen(self) -> Results:
        """What is known once all cells were mapped."""
        if self._results is None:
            samples: dict[str, Sample] = {}
            with limited_threads(self._run.config.threads):
                for _ in self._run.pieces(samples):
                    pass
            self._note(samples)
        return self._note({})

    def _note(self, samples: Mapping[str, Sample]) -> Results:
        """Keep what the report tells, the first time that all cells were mapped."""
        if self._results is None:
            self._results = self._run.results(samples)
        return self._results

    def _mapped(self, put: Callable[[Iterable[Piece], Callable[[], Mapping[str, Any]]], Found]) -> Found:
        """Map all cells and put them somewhere; what is said of them is known at the end of them."""
        samples: dict[str, Sample] = {}
        with limited_threads(self._run.config.threads):
            return put(self._run.pieces(samples), lambda: about(self._note(samples).report))


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
