"""Cells for the tests: small made-up ones, and real ones where CELLGAN_DATA names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.fcs import write_fcs
from cellgan.cytof.read_write import write_whole


@pytest.fixture
def real_cells() -> Path:
    if "CELLGAN_DATA" not in os.environ:
        pytest.skip("needs real data: set CELLGAN_DATA to its folder")
    return Path(os.environ["CELLGAN_DATA"]) / "cytof"


@pytest.fixture
def cells() -> ad.AnnData:
    """Six cells, three markers, in ion counts."""
    counts = np.array(
        [[0, 5, 300], [1.5, 80, 2], [-0.5, 7, 40], [12, 0, 900], [3, 33, 6], [250, 1, 0.25]], dtype=np.float32
    )
    obs = pd.DataFrame({"day": ["a", "a", "b", "b", "a", "b"]}, index=[f"cell{i}" for i in range(6)])
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=["CD3", "CD4", "CD19"]))


@pytest.fixture
def saved(tmp_path, cells):
    """Write the cells to a file of the given name."""

    def save(name: str = "cells.h5ad") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".h5ad":
            write_whole(cells, path)
        else:
            write_fcs(path, cells.X, ["a", "b", "c"], list(cells.var_names))
        return path

    return save


N_TYPES, N_TYPE_MARKERS = 9, 10


@pytest.fixture(scope="session")
def drawn_types():
    """Return a function that draws cells of made-up types, high in about two fifths of ten markers each."""

    def draw(types: list[int], n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return true signals in cofactors, ``(n, 10)``, and the type of each cell, ``(n,)``."""
        rng = np.random.default_rng(99)
        low, high = (
            rng.uniform(0, 0.3, (N_TYPES, N_TYPE_MARKERS)),
            rng.uniform(2.5, 5, (N_TYPES, N_TYPE_MARKERS)),
        )
        centres = np.sinh(np.where(rng.random((N_TYPES, N_TYPE_MARKERS)) < 0.4, high, low))
        rng = np.random.default_rng(seed)
        kind = rng.choice(types, n)
        signal = centres[kind] * np.exp(rng.normal(0, 0.35, (n, N_TYPE_MARKERS)))
        return signal + rng.normal(0, 0.25, signal.shape), kind

    return draw
