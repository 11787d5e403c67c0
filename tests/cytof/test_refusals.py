"""What cannot be right is refused, or left alone, in words."""

import anndata
import numpy as np
import pytest

import cellgan
from cellgan.cytof.verdict import WORDS
from cellgan.errors import ConfigError, InputError, PanelError

QUICK = cellgan.AlignConfig(rounds=5)


@pytest.fixture(scope="module")
def blood():
    return cellgan.simulate(n_cells=300, n_markers=6, seed=3)


@pytest.fixture(scope="module")
def alignment(blood):
    return cellgan.align(blood, config=QUICK)


def with_values(cells, values):
    copy = cells.copy()
    copy.X = values.astype(np.float32)
    return copy


def test_a_dead_marker_is_kept_and_named(blood):
    values = blood[1].X.copy()
    values[:, 2] = 0
    marker = blood[1].var_names[2]

    aligned = cellgan.align([blood[0], with_values(blood[1], values)], config=QUICK)

    assert any(f"{marker} hardly varies in batch2" in w for w in aligned.report["warnings"])
    assert marker not in aligned.report["markers"]["aligned"]
    assert {"name": marker, "kind": "marker"} in aligned.report["markers"]["kept"]
    assert (aligned.adata[300:, marker].layers["aligned"] == 0).all()
    assert aligned.report["batches"][0]["scores"][0]["neighbours"] == 1


def test_nothing_is_left_to_align(blood):
    values = blood[1].X.copy()
    values[:, 1:] = 1
    with pytest.raises(PanelError, match="fewer than two shared markers are left"):
        cellgan.align([blood[0], with_values(blood[1], values)], config=QUICK)


def test_new_cells_on_another_scale_are_refused(blood, alignment, tmp_path):
    transformed = with_values(blood[1], np.arcsinh(blood[1].X / 5))
    with pytest.raises(InputError, match="made from ion counts, but these look transformed"):
        alignment.map(transformed)
    transformed.write_h5ad(tmp_path / "new.h5ad")
    from cellgan.cytof.cell_file import open_for_map

    with pytest.raises(InputError, match=r"new\.h5ad"):
        alignment.model.map_file(open_for_map(tmp_path / "new.h5ad"), tmp_path / "out.h5ad")
    assert not (tmp_path / "out.h5ad").exists()


def test_counts_are_refused_by_a_model_of_transformed_values(blood):
    scaled = [with_values(cells, np.arcsinh(cells.X / 5)) for cells in blood]
    aligned = cellgan.align(scaled, config=cellgan.AlignConfig(rounds=5, transform="none"))
    with pytest.raises(InputError, match="transformed values, but these look like ion counts"):
        aligned.map(blood[1])


@pytest.mark.parametrize("given", ["x.h5ad", ["x.h5ad", "y.h5ad"], 3, [np.ones((3, 3))]])
def test_what_is_not_anndata_is_refused(given):
    with pytest.raises(InputError, match="expected AnnData objects"):
        cellgan.align(given)


def test_markers_as_one_text_are_refused():
    with pytest.raises(ConfigError, match="expected a tuple of names"):
        cellgan.AlignConfig(markers="CD3")


def test_results_are_short_to_look_at(alignment):
    (batch,) = alignment.report["batches"]
    assert repr(alignment).splitlines() == [
        "Alignment onto batch1: 600 cells, 6 aligned markers",
        f"  batch2: {WORDS[batch['verdict']['level']]}",
    ]
    assert repr(alignment.model) == "Model: batch2 onto batch1, 6 markers"
    assert isinstance(alignment.adata, anndata.AnnData)
