"""Blood cells in two batches with a known answer.

Eight types, four of them close pairs (naive and experienced T cells of two kinds), are drawn around typical
levels of their markers. Within a type, cells differ by a maturation programme that moves several markers
together, by staining efficiency, noise and drop-outs. The second batch has other proportions; it counts each
marker with another gain, saturation and background, and with a gain for each marker and type. Its truth is
what the first batch's detector would have counted for the same cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

# Marker: isotope, then the types that carry it, with the level in arcsinh units (cofactor 5).
_PANEL = """
CD45      Y89    CD4n 4.6 CD4m 4.5 CD8n 4.7 CD8e 4.6 B 4.2 NK 4.4 Mono 3.9 DC 3.8
CD3       Er170  CD4n 4.5 CD4m 4.2 CD8n 4.4 CD8e 4.0
CD4       Nd145  CD4n 4.6 CD4m 4.5 Mono 1.9 DC 2.0
CD8a      Nd146  CD8n 5.0 CD8e 4.7 NK 1.6
CD19      Nd142  B 4.0
CD14      Gd160  Mono 4.6
CD56      Yb176  NK 4.0 CD8e 1.4
CD16      Bi209  NK 4.6 Mono 1.5
HLA-DR    Yb174  B 4.6 Mono 4.3 DC 5.4 CD4m 0.9
CD45RA    Nd143  CD4n 3.9 CD8n 4.4 CD8e 3.0 B 4.0 NK 3.6
CCR7      Tb159  CD4n 3.2 CD8n 3.0 CD4m 1.4 B 1.5
CD11c     Sm147  Mono 4.3 DC 4.8 NK 1.5
CD20      Dy161  B 4.4
CD27      Dy162  CD4n 3.6 CD4m 3.2 CD8n 3.8 CD8e 1.5 B 1.2
CD33      Gd158  Mono 4.2 DC 3.0
CD38      Lu175  CD4n 2.2 CD4m 1.2 CD8n 2.0 B 2.2 NK 3.4 Mono 3.6 DC 3.2
CD127     Ho165  CD4n 3.4 CD4m 3.2 CD8n 3.1 CD8e 1.2
CD25      Sm149  CD4m 2.2 CD4n 0.8
CD123     Eu151  DC 2.6 Mono 1.3
CD11b     Sm154  Mono 4.4 NK 2.4 CD8e 1.2
IgD       Nd150  B 3.8
CD28      Eu153  CD4n 3.4 CD4m 3.6 CD8n 3.2 CD8e 0.8
CD161     Er164  NK 3.2 CD4m 1.4 CD8e 1.2
TCRgd     Sm152  CD8e 0.7
CD57      Yb172  NK 2.4 CD8e 2.8
CCR6      Pr141  B 3.4 CD4m 1.6
CXCR3     Gd156  CD4m 1.8 CD8n 2.0 CD8e 2.2 NK 1.4
CD24      Er166  B 3.2
PD-1      Lu176  CD4m 2.2 CD8e 2.0
CD69      Nd144  NK 1.2 CD8e 0.9
Ki67      Er168  CD4m 0.8 NK 0.9
CD39      Gd155  B 2.6 Mono 3.4 DC 2.0
CD95      Er167  CD4m 2.8 CD8e 3.0 Mono 2.4 DC 2.0
ICOS      Yb173  CD4m 2.0 CD4n 1.2
TIGIT     Tm169  CD8e 2.0 NK 2.2
GranzymeB Yb171  CD8e 4.2 NK 4.6
Perforin  In115  CD8e 3.6 NK 4.2
CD1c      In113  DC 4.0 B 1.5
CD66b     Dy163  Mono 0.6
CD15      Dy164  Mono 1.6
"""
_TYPES = {
    "CD4n": "CD4 T naive",
    "CD4m": "CD4 T memory",
    "CD8n": "CD8 T naive",
    "CD8e": "CD8 T effector",
    "B": "B",
    "NK": "NK",
    "Mono": "Monocyte",
    "DC": "DC",
}
_SHARES = {"batch1": (24, 18, 14, 10, 12, 9, 11, 2), "batch2": (12, 26, 7, 15, 7, 12, 17, 4)}
_MISSING = "NK"
_COFACTOR = 5.0


def simulate(
    *, n_cells: int = 4000, n_markers: int = 20, seed: int = 0, missing: bool = False
) -> list[ad.AnnData]:
    """Draw two batches of blood cells with a known answer.

    Parameters
    ----------
    n_cells
        Cells in each batch.
    n_markers
        Markers, the most telling ones first.
    seed
        Of everything random.
    missing
        Whether the second batch has no NK cells.

    Returns
    -------
    list[AnnData]
        Two batches. ``X``, (n_cells, n_markers): ion counts, float32, in the second one with a batch effect.
        ``layers["truth"]``: the same cells without it. ``obs["cell_type"]``; ``var["channel"]``.

    Raises
    ------
    ConfigError
        A number is out of range.
    """
    rows = [line.split() for line in _PANEL.strip().splitlines()]
    if not 2 <= n_markers <= len(rows):
        msg = f"n_markers is {n_markers}; expected 2 to {len(rows)}, the markers that the simulated blood has"
        raise ConfigError(msg)
    if n_cells < 2 or seed < 0:
        msg = f"n_cells is {n_cells}, seed is {seed}; expected 2 cells or more, and a seed of 0 or more"
        raise ConfigError(msg)
    rows = rows[:n_markers]
    names, isotopes = [row[0] for row in rows], [f"{row[1]}Di" for row in rows]
    carried = [dict(zip(row[2::2], map(float, row[3::2]), strict=True)) for row in rows]
    levels = np.array([[marker.get(cell_type, 0.0) for marker in carried] for cell_type in _TYPES])
    rng = np.random.default_rng(seed)
    programme = rng.normal(0, 0.25, levels.shape) * (levels > 1)
    effect = _Effect.draw(rng, levels.shape)
    batches = []
    for batch, parts in _SHARES.items():
        shares = np.array(parts, float)
        if missing and batch == "batch2":
            shares[list(_TYPES).index(_MISSING)] = 0
        kinds = rng.choice(len(shares), n_cells, p=shares / shares.sum())
        counts = _counts(rng, levels[kinds], programme[kinds])
        seen = effect.apply(rng, counts, kinds) if batch == "batch2" else counts
        # Software of older instruments smears whole counts over the unit below; one smear keeps pairs exact.
        smear = rng.random(counts.shape)
        batches.append(
            ad.AnnData(
                (seen - smear).astype(np.float32),
                obs=pd.DataFrame(
                    {"cell_type": pd.Categorical([list(_TYPES.values())[k] for k in kinds])},
                    index=pd.Index([f"{batch}-{i}" for i in range(1, n_cells + 1)], dtype=str),
                ),
                var=pd.DataFrame({"channel": isotopes}, index=pd.Index(names, dtype=str)),
                layers={"truth": (counts - smear).astype(np.float32)},
            )
        )
    return batches


def _counts(rng: np.random.Generator, levels: Counts, programme: Counts) -> Counts:
    """Draw counts, (n_cells, n_markers), of cells, as the first batch sees them."""
    n_cells, _ = levels.shape
    spread = np.where(levels > 1, 0.35, 0.25)
    maturation, efficiency = rng.normal(size=(n_cells, 1)), rng.normal(0, 0.1, (n_cells, 1))
    scaled = levels + 0.25 + maturation * programme + efficiency + rng.normal(size=levels.shape) * spread
    counts = _COFACTOR * np.sinh(np.maximum(scaled, 0))
    return np.where(rng.random(levels.shape) < 0.02, 0.0, counts)


@dataclass(frozen=True)
class _Effect:
    """What the second batch's detector does to counts."""

    gain: Counts
    type_gain: Counts
    saturation: Counts
    background: Counts

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> _Effect:
        n_markers = shape[1]
        return cls(
            gain=np.exp(rng.normal(-0.2, 0.5, n_markers)),
            type_gain=np.exp(rng.normal(0, 0.12, shape)),
            saturation=np.exp(rng.uniform(np.log(1500), np.log(20_000), n_markers)),
            background=np.where(rng.random(n_markers) < 0.5, rng.exponential(1.5, n_markers), 0.0),
        )

    def apply(self, rng: np.random.Generator, counts: Counts, kinds: NDArray[np.int64]) -> Counts:
        amplified = counts * self.gain * self.type_gain[kinds]
        return amplified / (1 + amplified / self.saturation) + rng.poisson(self.background, counts.shape)
