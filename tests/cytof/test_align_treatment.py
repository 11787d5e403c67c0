"""What a treatment did must survive: real B cells, untreated and with IL-7, dealt unevenly to two batches."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig

N = 3000
IL7_SHARES = {"reference": 0.2, "other": 0.8}


def arcsinh(counts: np.ndarray) -> np.ndarray:
    return np.arcsinh(np.asarray(counts, dtype=np.float64) / 5)


def instrument(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Count as another instrument would: gain, saturation and background; noise below zero stays."""
    n_markers = counts.shape[1]
    gain = np.exp(rng.normal(-0.2, 0.4, n_markers))
    saturation = np.exp(rng.uniform(np.log(3000), np.log(20_000), n_markers))
    background = np.where(rng.random(n_markers) < 0.5, rng.exponential(1.0, n_markers), 0.0)
    amplified = np.maximum(counts, 0) * gain
    seen = amplified / (1 + amplified / saturation) + rng.poisson(background, counts.shape)
    return (seen + np.minimum(counts, 0)).astype(np.float32)


@pytest.fixture
def dealt(real_cells) -> dict[str, ad.AnnData]:
    """Two batches of one sample; the other one holds most of the treated cells."""
    cells = ad.read_h5ad(real_cells / "bcell_basal_il7.h5ad")
    rng = np.random.default_rng(0)
    rows = {
        name: list(rng.permutation(np.flatnonzero(cells.obs["condition"] == name)))
        for name in ("IL7", "basal")
    }
    found = {}
    for name, share in IL7_SHARES.items():
        n = int(share * N)
        taken = [rows["IL7"].pop() for _ in range(n)] + [rows["basal"].pop() for _ in range(N - n)]
        found[name] = cells[taken].copy()
    return found


def effect(values: np.ndarray, treated: np.ndarray, units: np.ndarray) -> np.ndarray:
    return (values[treated].mean(axis=0) - values[~treated].mean(axis=0)) / units


@pytest.mark.parametrize("condition", ["condition", None])
def test_what_il7_did_is_there_after_as_before(dealt, condition):
    reference, other = dealt["reference"], dealt["other"]
    treated = (other.obs["condition"] == "IL7").to_numpy()
    before = arcsinh(other.X)
    other.X = instrument(other.X, np.random.default_rng(1))
    found = cellgan.align(dealt, config=AlignConfig(rounds=100, condition=condition))
    after = np.asarray(found.adata[found.adata.obs["batch"] == "other"].layers["aligned"], dtype=np.float64)
    units = arcsinh(reference.X).std(axis=0)
    true, aligned = (effect(each, treated, units) for each in (before, after))
    assert np.corrcoef(true, aligned)[0, 1] >= 0.95
    assert 0.85 < (true @ aligned) / (true @ true) < 1.15
    # And the instrument's effect, which was larger than that of IL-7, is gone.
    left, added = (
        np.sqrt((((each - before).mean(axis=0) / units) ** 2).mean()) for each in (after, arcsinh(other.X))
    )
    assert added > 2 * np.abs(true).mean()
    assert left < 0.2 * added
