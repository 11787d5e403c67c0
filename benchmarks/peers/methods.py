"""The methods: each takes the cells of two batches on the arcsinh scale, and gives all of them corrected.

Every method is called as its documentation shows for data like these, with its own defaults; a departure is
said where it is made. Libraries are imported inside the functions, so that a process holds those
of its own method alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
THREADS = 2


@dataclass(frozen=True)
class Cells:
    """The cells of two batches, the reference's first.

    Attributes
    ----------
    values
        Arcsinh units, ``(n_cells, n_markers)``.
    is_other
        Whether a cell is of the other batch, ``(n_cells,)``.
    markers
        Names, ``(n_markers,)``.
    seed
        Seed of everything random.
    """

    values: Values
    is_other: NDArray[np.bool_]
    markers: tuple[str, ...]
    seed: int = 0

    def annotated(self) -> Any:
        """Give the cells as AnnData, with ``obs["batch"]``: ``reference`` or ``other``."""
        import anndata
        import pandas as pd

        batch = pd.Categorical(np.where(self.is_other, "other", "reference"), ["reference", "other"])
        names = [f"cell{number}" for number in range(len(batch))]
        obs = pd.DataFrame({"batch": batch}, index=names)
        return anndata.AnnData(self.values.copy(), obs=obs, var=pd.DataFrame(index=list(self.markers)))


def nothing(cells: Cells) -> Values:
    """Leave the cells as they were measured."""
    return cells.values


def zscore(cells: Cells) -> Values:
    """Give the other batch the reference's mean and standard deviation, marker by marker."""
    reference, other = cells.values[~cells.is_other], cells.values[cells.is_other]
    spread = other.std(0)
    scale = np.divide(reference.std(0), spread, out=np.ones_like(spread), where=spread > 0)
    corrected = cells.values.copy()
    corrected[cells.is_other] = (other - other.mean(0)) * scale + reference.mean(0)
    return corrected


def quantiles(cells: Cells, *, n_levels: int = 1001) -> Values:
    """Send each marker's quantiles to the reference's; tied values share the middle of their ranks."""
    from scipy.stats import rankdata

    reference, other = cells.values[~cells.is_other], cells.values[cells.is_other]
    level = (rankdata(other, axis=0) - 0.5) / len(other)
    grid = np.linspace(0, 1, n_levels)
    goal = np.quantile(reference, grid, axis=0)
    corrected = cells.values.copy()
    corrected[cells.is_other] = np.column_stack(
        [np.interp(own, grid, to) for own, to in zip(level.T, goal.T, strict=True)]
    )
    return corrected


def combat(cells: Cells) -> Values:
    """ComBat (Johnson and others 2007) of scanpy; it knows no reference and moves both batches."""
    import scanpy

    return np.asarray(scanpy.pp.combat(cells.annotated(), key="batch", inplace=False))


def harmony(cells: Cells) -> Values:
    """Harmony (Korsunsky and others 2019) on standardised markers; it moves both batches."""
    import harmonypy

    mean, spread = cells.values.mean(0), cells.values.std(0)
    spread[spread == 0] = 1
    fitted = harmonypy.run_harmony(
        (cells.values - mean) / spread,
        cells.annotated().obs,
        ["batch"],
        random_state=cells.seed,
        verbose=False,
        ncores=THREADS,
    )
    corrected: Values = np.asarray(fitted.Z_corr).reshape(cells.values.shape) * spread + mean
    return corrected


def cycombine(cells: Cells) -> Values:
    """Run cyCombine (Pedersen and others 2022), with the reference as its ``ref_batch``."""
    import cycombinepy

    adata = cells.annotated()
    cycombinepy.batch_correct(
        adata, markers=list(cells.markers), batch_key="batch", ref_batch="reference", seed=cells.seed
    )
    return np.asarray(adata.layers["cycombine_corrected"])


def cytonorm(cells: Cells) -> Values:
    """Run CytoNorm (Van Gassen and others 2020), with the reference as its goal.

    It learns from a control sample that was measured in every batch. There is none here, so each batch is its
    own control: a use that it allows, and that suffers where compositions differ. Departure from cytonormpy's
    defaults: a map of 5 x 5 nodes in 10 clusters, as in the authors' own guide to their R package. With the
    default, 30 clusters, most hold too few of these cells to be moved, and scores are lower.
    """
    import cytonormpy

    adata = cells.annotated()
    adata.layers["measured"] = adata.X.copy()
    adata.obs["file"] = adata.obs["batch"].astype(str)
    adata.obs["role"] = "control"
    adata.obs["batch"] = cells.is_other.astype(int)  # a goal can only be named by a number
    model = cytonormpy.CytoNorm()
    model.add_clusterer(cytonormpy.FlowSOM(xdim=5, ydim=5, n_clusters=10, seed=cells.seed))
    model.run_anndata_setup(
        adata,
        layer="measured",
        reference_column="role",
        reference_value="control",
        batch_column="batch",
        sample_identifier_column="file",
        channels=list(cells.markers),
        key_added="corrected",
    )
    model.run_clustering(n_cells=min(6000, len(cells.values)), test_cluster_cv=False)
    model.calculate_quantiles()
    model.calculate_splines(goal=0)
    model.normalize_data(n_jobs=THREADS)
    return np.asarray(adata.layers["corrected"])


def cytovi(cells: Cells, *, n_epochs: int = 60) -> Values:
    """CytoVI of scvi-tools: expression decoded as if every cell were of the reference.

    Departure: 60 epochs, the weight of the KL term rising over the first half of them, where its defaults are
    up to 1,000 and 400. With 400 epochs the first pair's score rose by .02, in three times the time. As in
    its tutorial each batch is scaled to 0..1 by itself; the result is brought back by the reference's limits.
    """
    import anndata
    import scvi
    import torch
    from scvi.external import CYTOVI
    from scvi.external import cytovi as tools

    torch.set_num_threads(THREADS)
    scvi.settings.seed = cells.seed
    adata = cells.annotated()
    adata.X = adata.X.astype(np.float32)
    adata.layers["transformed"] = adata.X.copy()
    parts = [adata[~cells.is_other].copy(), adata[cells.is_other].copy()]
    for part in parts:
        tools.scale(part)
    both = anndata.concat(parts)
    CYTOVI.setup_anndata(both, layer="scaled", batch_key="batch")
    model = CYTOVI(both)
    model.train(
        max_epochs=n_epochs,
        n_epochs_kl_warmup=n_epochs // 2,
        accelerator="cpu",
        enable_progress_bar=False,
        logger=False,
    )
    decoded = model.get_normalized_expression(transform_batch="reference", return_numpy=True)
    low, high = parts[0].X.min(0), parts[0].X.max(0)
    corrected = np.empty_like(cells.values)
    back = decoded * (high - low) + low
    corrected[~cells.is_other], corrected[cells.is_other] = np.split(back, [parts[0].n_obs])
    return corrected


def ours(cells: Cells) -> Values:
    """Align with cellgan from Python, to time it apart from its files; the cells scored are its command's."""
    import cellgan

    adata = cells.annotated()
    config = cellgan.AlignConfig(transform="none", threads=THREADS, seed=cells.seed)
    parts = [adata[~cells.is_other].copy(), adata[cells.is_other].copy()]
    corrected = np.empty_like(cells.values)
    aligned = cellgan.align(parts, config=config).adata[:, list(cells.markers)].layers["aligned"]
    corrected[~cells.is_other], corrected[cells.is_other] = np.split(aligned, [parts[0].n_obs])
    return corrected


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes
    ----------
    name, title
        What ``--only`` takes, and what the table shows.
    correct
        Gives the corrected cells, in the order of the measured ones.
    libraries
        Modules that are imported before the clock of the correction starts.
    """

    name: str
    title: str
    correct: Callable[[Cells], Values]
    libraries: tuple[str, ...] = ()

    def load(self) -> None:
        """Import what the method needs."""
        for library in self.libraries:
            importlib.import_module(library)


METHODS = (
    Method("nothing", "nothing", nothing),
    Method("zscore", "z-score", zscore),
    Method("quantiles", "per-marker quantiles", quantiles, ("scipy.stats",)),
    Method("combat", "ComBat (scanpy)", combat, ("scanpy",)),
    Method("harmony", "Harmony (harmonypy)", harmony, ("harmonypy",)),
    Method("cycombine", "cyCombine (cycombinepy)", cycombine, ("cycombinepy",)),
    Method("cytonorm", "CytoNorm (cytonormpy)", cytonorm, ("cytonormpy",)),
    Method("cytovi", "CytoVI (scvi-tools)", cytovi, ("scvi.external",)),
    Method("cellgan", "cellgan align", ours, ("cellgan", "cellgan.cytof.align")),
)
