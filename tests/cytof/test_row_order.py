"""The same cells give the same bytes, in whatever order their rows are, and with however many threads."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.align import align_files
from cellgan.cytof.config import AlignConfig

N = 400
LAYERS = ("aligned", "aligned_sd")


@pytest.fixture(scope="module")
def batches() -> list[ad.AnnData]:
    """Two panels that lack a marker of the other; the second one has time."""
    one, two = cellgan.simulate(n_cells=N, n_markers=7, seed=3, missing=True)
    two = two[:, 1:].copy()
    time = ad.AnnData(np.arange(N, dtype=np.float32)[:, None], obs=two.obs, var={"channel": ["Time"]})
    time.var_names = ["Time"]
    wide = ad.concat([two, time], axis=1, merge="same")
    wide.var["channel"] = ["", "", "", "", "", "", "Time"]
    return [one[:, :-1].copy(), wide]


def aligned(batches: list[ad.AnnData], names: list[list[str]] | None = None, **settings) -> list[bytes]:
    """Return what was found of all cells, in the order of their names."""
    config = AlignConfig(**{"rounds": 4, "transform": "arcsinh", "impute": False} | settings)
    done = cellgan.align(batches, config=config)
    (chosen,) = {row["method"] for row in done.report["batches"][0]["scores"] if row.get("chosen")}
    assert chosen != "nothing", "cells that stay show nothing"
    found = done.adata
    parts = [found[found.obs["batch"] == name] for name in ("batch1", "batch2")]
    if names is not None:
        parts = [part[own] for part, own in zip(parts, names, strict=True)]
    return [
        *(np.asarray(part.layers[layer]).tobytes() for part in parts for layer in LAYERS),
        *(part.obs["cellgan_novel"].to_numpy().tobytes() for part in parts),
    ]


@pytest.fixture(scope="module")
def first(batches):
    return aligned(batches)


def shuffled(batches: list[ad.AnnData], seed: int) -> list[ad.AnnData]:
    rng = np.random.default_rng(seed)
    return [batch[rng.permutation(batch.n_obs)].copy() for batch in batches]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_makes_no_difference(batches, first, seed):
    other = shuffled(batches, seed)
    assert aligned(other) != first  # the rows are in another order
    assert aligned(other, [list(batch.obs_names) for batch in batches]) == first


@pytest.mark.parametrize(
    "settings", [{"condition": "day"}, {"anchor_key": "control"}, {"correspondence": "labels:kind"}]
)
def test_and_none_where_conditions_controls_or_labels_choose_the_cells(batches, settings):
    rng = np.random.default_rng(0)
    for batch in batches:
        batch.obs["day"] = rng.choice(["a", "b"], N)
        batch.obs["control"] = rng.random(N) < 0.5
        batch.obs["kind"] = np.where(batch[:, "CD4"].X[:, 0] > 20, "T", "other")
    once = aligned(batches, **settings)
    assert aligned(shuffled(batches, 2), [list(batch.obs_names) for batch in batches], **settings) == once


def test_and_none_where_the_middle_of_all_batches_is_the_reference(batches):
    once = aligned(batches, reference="consensus")
    again = aligned(shuffled(batches, 3), [list(batch.obs_names) for batch in batches], reference="consensus")
    assert once == again


def test_nor_do_threads(batches, first):
    for threads in (1, 2):
        assert aligned(batches, threads=threads) == first


def test_nor_whether_cells_are_read_piece_by_piece(batches, first, tmp_path, monkeypatch):
    for name, batch in zip(("batch1", "batch2"), shuffled(batches, 4), strict=True):
        batch.write_h5ad(tmp_path / f"{name}.h5ad")
    monkeypatch.setattr("cellgan.cytof.cells.ROWS", 150)
    config = AlignConfig(rounds=4, transform="arcsinh", impute=False)
    found = align_files([tmp_path / f"{name}.h5ad" for name in ("batch1", "batch2")], config).adata
    for number, batch in enumerate(batches):
        part = found[found.obs["batch"] == f"batch{number + 1}"][list(batch.obs_names)]
        for layer, wanted in zip(LAYERS, first[2 * number :], strict=False):
            assert np.asarray(part.layers[layer]).tobytes() == wanted


def test_batches_that_are_cells_of_the_other_day_are_another_batch(batches, first):
    """One changed value is another cell: the test above would see it."""
    changed = [batch.copy() for batch in batches]
    changed[1].X[7, 2] += 25
    assert aligned(changed) != first
