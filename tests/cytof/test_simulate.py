"""Simulated batches: seeded, realistic, and with an answer that is known and not trivial."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.marker_names import column_kinds, marker_key
from cellgan.cytof.read_write import write_whole
from cellgan.cytof.simulate import simulate
from cellgan.errors import ConfigError


def shares(adata) -> dict[str, float]:
    return adata.obs["cell_type"].value_counts(normalize=True).to_dict()


def shift(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distance per marker between the quantiles of two samples, in arcsinh units."""
    steps = np.linspace(0.01, 0.99, 99)
    quantiles = [np.quantile(np.arcsinh(x / 5), steps, axis=0) for x in (one, other)]
    return np.abs(quantiles[0] - quantiles[1]).mean(axis=0)


def test_the_seed_decides_everything():
    one, again, other = (simulate(n_cells=50, seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(a.X, b.X)
        assert a.obs.equals(b.obs)
        assert not np.array_equal(a.X, c.X)


def test_shape_names_and_scale():
    for adata in simulate(n_cells=3000, n_markers=40):
        assert adata.shape == (3000, 40)
        assert adata.X.dtype == adata.layers["truth"].dtype == np.float32
        assert {"CD3", "CD4", "CD8a", "CD19", "CD14"} <= set(adata.var_names)
        assert set(column_kinds(list(adata.var_names), list(adata.var["channel"]))) == {"marker"}
        assert len({*adata.var["channel"]}) == len({*map(marker_key, adata.var_names)}) == 40
        assert adata.obs_names.is_unique
        assert -1 <= adata.X.min() < 0
        assert 500 < adata.X.max() < 20_000


def test_the_first_batch_is_the_frame_of_the_truth():
    first, second = simulate(n_cells=500)
    np.testing.assert_array_equal(first.X, first.layers["truth"])
    assert not np.array_equal(second.X, second.layers["truth"])


def test_the_effect_is_large_and_without_it_types_agree():
    first, second = simulate(n_cells=8000, seed=3)
    left, effect = [], []
    for cell_type in ("CD4 T naive", "CD8 T effector", "B", "NK", "Monocyte"):
        a, b = first[first.obs["cell_type"] == cell_type], second[second.obs["cell_type"] == cell_type]
        left.append(shift(a.X, b.layers["truth"]))
        effect.append(shift(a.X, b.X))
    assert np.mean(left) < 0.05
    assert np.mean(effect) > 4 * np.mean(left)
    assert np.mean(np.max(effect, axis=0) > 4 * np.mean(left)) > 0.7


def test_per_marker_scaling_cannot_undo_it():
    """Proportions differ, so matching whole distributions leaves types further apart than the floor."""
    first, second = simulate(n_cells=8000, seed=3)
    a, b = np.sort(first.X, axis=0), second.X
    ranks = b.argsort(axis=0).argsort(axis=0)
    matched = np.take_along_axis(a, ranks, axis=0)
    b_cells = (second.obs["cell_type"] == "CD4 T naive").to_numpy()
    a_cells = (first.obs["cell_type"] == "CD4 T naive").to_numpy()
    floor = shift(first.X[a_cells], second.layers["truth"][b_cells]).mean()
    assert shift(first.X[a_cells], matched[b_cells]).mean() > 2 * floor


def test_proportions_differ_and_a_type_can_be_missing():
    first, second = map(shares, simulate(n_cells=4000))
    assert len(first) == len(second) == 8
    assert max(abs(first[t] - second[t]) for t in first) > 0.08
    assert min(first.values()) > 0.005
    whole, lacking = map(shares, simulate(n_cells=4000, missing=True))
    assert set(whole) - set(lacking) == {"NK"}


def test_the_example_is_small(tmp_path):
    for i, adata in enumerate(simulate(n_cells=2500, n_markers=20)):
        write_whole(adata, tmp_path / f"{i}.h5ad")
        assert (tmp_path / f"{i}.h5ad").stat().st_size < 1_000_000


@pytest.mark.parametrize("bad", [{"n_cells": 1}, {"n_markers": 1}, {"n_markers": 41}, {"seed": -1}])
def test_numbers_out_of_range(bad):
    with pytest.raises(ConfigError, match="expected"):
        simulate(**bad)
