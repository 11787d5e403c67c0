"""Batches aligned one by one, then joined: the same as aligned together."""

from __future__ import annotations

import json
from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof import join as module
from cellgan.cytof.align import align_files
from cellgan.cytof.aligned_file import open_parts
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.join import join, join_reports
from cellgan.cytof.report import write_report
from cellgan.cytof.simulate import simulate
from cellgan.errors import InputError

QUICK = AlignConfig(rounds=5, impute=False, method="quantiles")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three batches, one of them with a column of its own and with names that clash; aligned in two ways."""
    folder = tmp_path_factory.mktemp("study")
    ref, other = simulate(n_cells=500, n_markers=8, seed=0)
    third = other[:300].copy()
    third.X = third.X * 1.3
    third.obs_names = ref.obs_names[:300]
    third.obs["day"] = np.arange(300)
    third = third[:, ::-1].copy()
    ref.obs["original_name"] = "mine"
    for name, cells in (("ref", ref), ("b", other), ("c", third)):
        cells.write_h5ad(folder / f"{name}.h5ad")
    for name in "bc":
        _align([folder / "ref.h5ad", folder / f"{name}.h5ad"], folder / f"{name}_aligned.h5ad")
    _align([folder / f"{name}.h5ad" for name in ("ref", "b", "c")], folder / "all.h5ad")
    return folder


def _align(paths, out, config=QUICK):
    alignment = align_files(paths, config)
    alignment.write(out)
    write_report(alignment.report, None, out.with_suffix(".html"))


def test_one_by_one_is_the_same_as_all_at_once(study, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 77)  # several pieces a batch
    parts = open_parts([study / "b_aligned.h5ad", study / "c_aligned.h5ad"])
    assert join(parts, tmp_path / "joined.h5ad") == 1300
    joined, whole = ad.read_h5ad(tmp_path / "joined.h5ad"), ad.read_h5ad(study / "all.h5ad")
    np.testing.assert_array_equal(joined.X, whole.X)
    assert set(joined.layers) == set(whole.layers) == {"aligned", "aligned_sd"}
    for name in joined.layers:
        np.testing.assert_array_equal(joined.layers[name], whole.layers[name])
    pd.testing.assert_frame_equal(joined.obs, whole.obs)
    pd.testing.assert_frame_equal(joined.var, whole.var)
    assert set(joined.uns["cellgan"]) == set(whole.uns["cellgan"])
    for key in ("inputs", "scores", "verdicts"):
        assert json.loads(joined.uns["cellgan"][key]) == json.loads(whole.uns["cellgan"][key])
    report, told = join_reports(parts), json.loads((study / "all.json").read_text(encoding="utf-8"))
    assert report["batches"] == told["batches"]
    assert report["markers"]["aligned"] == told["markers"]["aligned"]


def test_the_same_files_give_the_same_bytes(study, tmp_path):
    paths = [study / "b_aligned.h5ad", study / "c_aligned.h5ad"]
    for name in ("one.h5ad", "two.h5ad"):
        join(open_parts(paths), tmp_path / name)
    assert (tmp_path / "one.h5ad").read_bytes() == (tmp_path / "two.h5ad").read_bytes()


def test_the_page_leads_to_every_batch(study, tmp_path):
    report = join_reports(open_parts([study / "b_aligned.h5ad", study / "c_aligned.h5ad"]))
    write_report(report, None, tmp_path / "study.html")
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert 'href="#batch-1"' in page
    assert 'id="batch-2"' in page
    assert "All cells on one map" not in page


def test_what_was_aligned_otherwise_is_refused(study, tmp_path):
    _align(
        [study / "ref.h5ad", study / "c.h5ad"],
        tmp_path / "c.h5ad",
        replace(QUICK, seed=1),
    )
    with pytest.raises(
        InputError, match=r"the setting seed is 1, but 0 in .*b_aligned\.h5ad.*\nin .*/c\.h5ad"
    ):
        open_parts([study / "b_aligned.h5ad", tmp_path / "c.h5ad"])


def test_another_reference_of_the_same_name_is_refused(study, tmp_path):
    cells = ad.read_h5ad(study / "ref.h5ad")
    cells[:400].copy().write_h5ad(tmp_path / "ref.h5ad")
    _align([tmp_path / "ref.h5ad", study / "c.h5ad"], tmp_path / "c.h5ad")
    with pytest.raises(InputError, match=r"the reference's file \(SHA-256\) is"):
        open_parts([study / "b_aligned.h5ad", tmp_path / "c.h5ad"])


def test_a_batch_is_given_once(study):
    with pytest.raises(InputError, match=r"batch 'b' is also in .*b_aligned\.h5ad"):
        open_parts([study / "b_aligned.h5ad", study / "all.h5ad"])


def test_only_what_align_wrote_is_joined(study):
    with pytest.raises(InputError, match="`cellgan align` did not write this file"):
        open_parts([study / "b_aligned.h5ad", study / "b.h5ad"])
    with pytest.raises(InputError, match="only one file was given"):
        open_parts([study / "b_aligned.h5ad"])


def test_imputed_markers_are_not_joined(study, tmp_path):
    cells = ad.read_h5ad(study / "c_aligned.h5ad")
    cells.layers["imputed"] = np.zeros(cells.shape, dtype=bool)
    cells.write_h5ad(tmp_path / "c.h5ad")
    with pytest.raises(InputError, match=r"it holds imputed markers.*--no-impute"):
        open_parts([study / "b_aligned.h5ad", tmp_path / "c.h5ad"])


def test_a_report_of_another_run_is_noticed(study, tmp_path):
    (tmp_path / "c.h5ad").write_bytes((study / "c_aligned.h5ad").read_bytes())
    parts = open_parts([study / "b_aligned.h5ad", tmp_path / "c.h5ad"])
    with pytest.raises(InputError, match=r"its report .*c\.json cannot be read.*--no-report"):
        join_reports(parts)
    (tmp_path / "c.json").write_text((study / "b_aligned.json").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(InputError, match="is the report of another run"):
        join_reports(parts)
