"""Models of every released version still open, and still map as they did."""

from pathlib import Path

import anndata
import numpy as np
import pytest

import cellgan

ARCHIVES = Path(__file__).parents[1] / "archives"


@pytest.mark.parametrize("archive", sorted(ARCHIVES.glob("v*")), ids=lambda path: path.name)
def test_model_of_an_older_version_maps_as_it_did(archive):
    cells = anndata.read_h5ad(archive / "mapped.h5ad")

    mapped = cellgan.load(archive / "aligned.model").map(cells)

    then = cells.layers["aligned"]
    assert not np.array_equal(then, np.arcsinh(cells.X / 5))  # they were moved
    # Processors differ in the last bit of an arcsinh, by which ties are broken (`ranks.dither`): where maps
    # are steep, that comes to some thousandths.
    off = np.abs(mapped.layers["aligned"] - then)
    assert np.median(off) < 1e-4
    assert off.max() < 5e-3
