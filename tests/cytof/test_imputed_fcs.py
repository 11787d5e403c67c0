"""Imputed markers in .fcs files: channels of their own, by names that say so."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof.fcs import read_fcs


@pytest.fixture(scope="module")
def panels():
    a, b = cellgan.simulate(n_cells=300, n_markers=8, seed=0)
    return {"a": a[:, 1:].copy(), "b": b[:, :-1].copy()}, (a.var_names[0], b.var_names[-1])


@pytest.mark.parametrize("cofactor", [None, 40.0])
def test_imputed_markers_are_channels_of_their_own(panels, tmp_path, cofactor):
    """By a cofactor of their own, if they have one."""
    given, (lacked_by_a, lacked_by_b) = panels
    cofactors = dict.fromkeys((lacked_by_a, lacked_by_b), cofactor) if cofactor else {}
    config = cellgan.AlignConfig(rounds=5, method="quantiles", cofactors=cofactors)
    alignment = cellgan.align(given, config=config)
    alignment.write(tmp_path / "out")
    for batch, lacked in (("a", lacked_by_a), ("b", lacked_by_b)):
        file = read_fcs(tmp_path / "out" / f"{batch}.fcs")
        own = alignment.adata[alignment.adata.obs["batch"] == batch, lacked]
        names = list(file.var_names)
        assert names == [*given[batch].var_names, f"{lacked} imputed", f"{lacked} drawn"]
        for name, layer in ((f"{lacked} imputed", "aligned"), (f"{lacked} drawn", "sample")):
            values = np.arcsinh(file.X[:, names.index(name)] / (cofactor or 5))
            np.testing.assert_allclose(values, own.layers[layer][:, 0], atol=1e-3)


def test_without_imputation_there_are_none(panels, tmp_path):
    given, _ = panels
    alignment = cellgan.align(given, config=cellgan.AlignConfig(rounds=5, impute=False))
    alignment.write(tmp_path / "out")
    assert list(read_fcs(tmp_path / "out" / "a.fcs").var_names) == list(given["a"].var_names)
