"""A held-out marker is what an alignment of a panel without it would have imputed."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof import cells
from cellgan.cytof.hold_out import OWN, Trial, hold_out
from cellgan.cytof.predict_hidden import r_of_private
from cellgan.cytof.prepare import prepare
from cellgan.cytof.read_write import batches_from_adata

CONFIG = cellgan.AlignConfig(rounds=5, threads=1)
HIDDEN = "CD4"


@pytest.fixture(scope="module", autouse=True)
def in_order():
    """Cells are drawn in the order of their rows, not of their values: hiding a marker changes no draw."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "cell_hashes", lambda values, _seed: np.arange(len(values), dtype=np.uint64))
        yield


@pytest.fixture(scope="module")
def panels():
    """Six markers that both have, two that only the first has, one that only the second has."""
    a, b = cellgan.simulate(n_cells=400, n_markers=9)
    names = list(a.var_names)
    return a[:, [*names[7:2:-1], *names[:3]]].copy(), b[:, [*names[:6], names[8]]].copy()


@pytest.fixture(scope="module")
def prepared(panels):
    batches = batches_from_adata(list(panels))
    return prepare(batches, CONFIG, reference="batch1")


@pytest.fixture(scope="module")
def found(prepared):
    return hold_out(Trial.of(prepared, CONFIG), HIDDEN)


def test_it_is_what_align_imputes(panels, found):
    a, b = panels
    without = b[:, [name for name in b.var_names if name != HIDDEN]].copy()
    adata = cellgan.align([a, without], config=CONFIG).adata
    own = adata[adata.obs["batch"] == "batch2", HIDDEN]
    assert found["n_scored"] == own.n_obs == 400
    for layer, name in (("aligned", "expected"), ("sample", "drawn")):
        np.testing.assert_allclose(found["view"][name], own.layers[layer][:, 0], atol=6e-4)


def test_scores_are_of_what_was_hidden(panels, prepared, found):
    measured = np.arcsinh(panels[1][:, HIDDEN].X[:, 0] / 5)
    own = found["methods"][OWN]
    for name, score in (("expected", "r"), ("drawn", "r_draw")):
        r = np.corrcoef(found["view"][name], measured)[0, 1]
        assert own[score] == pytest.approx(r, abs=1e-3)
    # Errors are in the frame of the reference, where the values as measured would be far off.
    framed = np.array(found["view"]["measured"])
    aligned = cellgan.align(list(panels), config=CONFIG).adata
    theirs = aligned[aligned.obs["batch"] == "batch2", HIDDEN].layers["aligned"][:, 0]
    np.testing.assert_allclose(framed, theirs, atol=6e-4)
    error = np.sqrt(((np.array(found["view"]["expected"]) - framed) ** 2).mean()) / framed.std()
    assert own["nrmse"] == pytest.approx(error, abs=1e-3)
    assert own["nrmse"] < found["methods"]["mean"]["nrmse"]


def test_draws_look_like_cells_and_expected_values_do_not(found):
    own = found["methods"][OWN]
    assert own["emd"] < own["emd_expected"]
    assert own["sd_ratio_expected"] < own["sd_ratio"]
    assert 0.8 < own["coverage"] < 1


def test_the_hidden_marker_is_not_looked_at(panels, prepared, found):
    """Shuffled in the second batch, it is predicted just the same."""
    a, b = panels
    shuffled = b.copy()
    column = list(b.var_names).index(HIDDEN)
    shuffled.X[:, column] = np.random.default_rng(0).permutation(b.X[:, column])
    again = prepare(batches_from_adata([a, shuffled]), CONFIG, reference="batch1")
    trial = Trial(again, CONFIG, np.zeros((400, 6), np.float32))
    other = hold_out(trial, HIDDEN)
    assert other["view"]["expected"] == found["view"]["expected"]
    assert other["r_source"] == found["r_source"]
    assert abs(other["methods"][OWN]["r"]) < 0.2 < found["methods"][OWN]["r"]


def test_private_markers_are_scored_where_they_were_measured(panels, prepared):
    first, second = (r_of_private(prepared, batch, CONFIG) for batch in prepared.batches)
    assert list(first) == [name for name in panels[0].var_names if name not in set(panels[1].var_names)]
    assert list(second) == [name for name in panels[1].var_names if name not in set(panels[0].var_names)]
    assert all(-1 <= r <= 1 for r in (*first.values(), *second.values()))


def test_magan_has_no_intervals_and_holds_nothing_out(panels, prepared):
    config = cellgan.AlignConfig(rounds=5, method="magan")
    found = hold_out(Trial.of(prepared, config), HIDDEN)
    assert np.isnan(found["r_source"])
    assert np.isnan(found["methods"][OWN]["coverage"])
    assert found["view"]["drawn"] == found["view"]["expected"]
    assert np.isnan(list(r_of_private(prepared, prepared.batches[0], config).values())).all()
