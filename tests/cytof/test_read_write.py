"""Reading batches from files and from memory."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from cellgan.cytof.read_write import batches_from_adata, open_for_map, read_batches
from cellgan.errors import ConfigError, InputError


def test_a_table_is_read_as_it_is(saved, cells):
    path = saved()
    (batch,) = read_batches([str(path)])
    assert (batch.name, batch.format, batch.path) == ("cells", "h5ad", path)
    np.testing.assert_array_equal(batch.adata.X, cells.X)
    assert batch.adata.X.dtype == np.float32
    assert list(batch.adata.var["channel"]) == ["", "", ""]
    assert list(batch.adata.obs["day"]) == list(cells.obs["day"])
    assert batch.sha256 is not None
    assert len(batch.sha256) == 64


def test_fcs_is_read_with_channels_keywords_and_notes(saved, cells):
    (batch,) = read_batches([saved("cells.FCS")])
    assert batch.format == "fcs"
    np.testing.assert_array_equal(batch.adata.X, cells.X)
    assert list(batch.adata.var["channel"]) == ["a", "b", "c"]
    assert batch.keywords["$TOT"] == "6"
    assert batch.notes == ()


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, np.asarray, np.float64, np.int32]
)
def test_every_kind_of_table_becomes_dense_float32(tmp_path, cells, kind):
    cells.X = kind(np.maximum(np.round(cells.X), 0)) if kind is not np.asarray else cells.X
    expected = cells.X.toarray() if sp.issparse(cells.X) else cells.X
    cells.write_h5ad(tmp_path / "cells.h5ad")
    (batch,) = read_batches([tmp_path / "cells.h5ad"])
    assert isinstance(batch.adata.X, np.ndarray)
    assert batch.adata.X.dtype == np.float32
    np.testing.assert_array_equal(batch.adata.X, expected)
    np.testing.assert_array_equal(np.vstack(list(open_for_map(tmp_path / "cells.h5ad").chunks(2))), expected)


def test_batches_are_named_after_their_files(saved):
    paths = [saved("a/cells.h5ad"), saved("b/cells.h5ad"), saved("other.fcs")]
    assert [batch.name for batch in read_batches(paths)] == ["a_cells", "b_cells", "other"]


def test_one_file_with_several_batches(saved, cells):
    path = saved()
    batches = read_batches([path], batch_key="day")
    assert [batch.name for batch in batches] == ["a", "b"]
    np.testing.assert_array_equal(batches[1].adata.X, cells.X[[2, 3, 5]])
    assert list(batches[1].adata.obs_names) == ["cell2", "cell3", "cell5"]


def test_a_marker_that_one_batch_did_not_measure(tmp_path, cells):
    cells.X[(cells.obs["day"] == "b").to_numpy(), 1] = np.nan
    cells.write_h5ad(tmp_path / "cells.h5ad")
    a, b = read_batches([tmp_path / "cells.h5ad"], batch_key="day")
    assert list(a.adata.var_names) == ["CD3", "CD4", "CD19"]
    assert list(b.adata.var_names) == ["CD3", "CD19"]
    cells.X[0, 1] = np.nan
    with pytest.raises(InputError, match=r"CD4 \(1 cell\)(.|\n)*in batch 'a'"):
        batches_from_adata(cells, batch_key="day")


def test_batch_key_that_cannot_be_used(saved, cells, tmp_path):
    path = saved()
    with pytest.raises(InputError, match="no obs column 'week' to tell batches apart; obs has day"):
        read_batches([path], batch_key="week")
    with pytest.raises(ConfigError, match="batches of one"):
        read_batches([path, saved("b.h5ad")], batch_key="day")
    with pytest.raises(ConfigError, match="batches of one"):
        read_batches([saved("c.fcs")], batch_key="day")
    cells.obs["day"] = ["a"] * 6
    with pytest.raises(InputError, match="one batch only, 'a'"):
        batches_from_adata(cells, batch_key="day")
    cells.obs["day"] = ["a", None, "b", "b", None, "a"]
    with pytest.raises(InputError, match="empty for 2 cells"):
        batches_from_adata(cells, batch_key="day")


def test_cells_in_memory_are_copied(cells):
    before = cells.copy()
    batches = batches_from_adata([cells, cells.copy()])
    assert [batch.name for batch in batches] == ["batch1", "batch2"]
    assert list(batches_from_adata({"mon": cells, "tue": cells.copy()})[1].adata.obs) == ["day"]
    batches[0].adata.X[:] = 0
    batches[0].adata.obs["day"] = "z"
    np.testing.assert_array_equal(cells.X, before.X)
    assert cells.obs.equals(before.obs)
    assert list(cells.var) == []


def test_cells_in_memory_that_cannot_be_used(cells):
    with pytest.raises(InputError, match="same AnnData was given twice"):
        batches_from_adata([cells, cells])
    with pytest.raises(ConfigError, match="name the obs column"):
        batches_from_adata(cells)
    with pytest.raises(ConfigError, match="drop it"):
        batches_from_adata([cells, cells.copy()], batch_key="day")
    bad = cells.copy()
    bad.X[0, 0] = np.nan
    with pytest.raises(InputError, match=r"NaN(.|\n)*in batch 'batch2'"):
        batches_from_adata([cells, bad])


def test_a_view_and_a_file_behind_the_cells_are_fine(saved, cells):
    backed = ad.read_h5ad(saved(), backed="r")
    for given in (cells[:4], backed):
        (batch,) = batches_from_adata([given])
        np.testing.assert_array_equal(batch.adata.X, cells.X[: given.n_obs])
    backed.file.close()


def test_channel_names_of_a_table_are_kept(cells):
    cells.var["channel"] = pd.Categorical(["Er170Di", None, "Nd142Di"])
    (batch,) = batches_from_adata([cells])
    assert list(batch.adata.var["channel"]) == ["Er170Di", "", "Nd142Di"]
