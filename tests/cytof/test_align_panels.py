"""Three panels, no two of them alike: each batch is aligned on what it shares with the reference."""

from __future__ import annotations

import json
import re
from collections import Counter

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.transform import to_arcsinh
from cellgan.errors import PanelError

CONFIG = AlignConfig(rounds=4, transform="arcsinh", seed=2, impute=False)


@pytest.fixture(scope="module")
def panels() -> dict[str, ad.AnnData]:
    """The reference measures seven markers, the second batch others of ten, the third still others.

    The last marker is measured in both batches but not in the reference, under two spellings.
    """
    one, two = cellgan.simulate(n_cells=300, n_markers=10, seed=4)
    three = cellgan.simulate(n_cells=250, n_markers=10, seed=5)[1]
    three.obs_names = [f"third-{i}" for i in range(three.n_obs)]
    second, third = two[:, [0, 1, 2, 3, 4, 9]].copy(), three[:, [9, 8, 6, 5, 3, 2]].copy()
    third.var_names = [f"164Dy_{third.var_names[0]}", *third.var_names[1:]]
    return {"one": one[:, :7].copy(), "two": second, "three": third}


@pytest.fixture(scope="module")
def done(panels) -> cellgan.Alignment:
    return cellgan.align(panels, config=CONFIG)


def shared(panels, name: str) -> list[str]:
    return [marker for marker in panels["one"].var_names if marker in panels[name].var_names]


def part(done: cellgan.Alignment, name: str) -> ad.AnnData:
    return done.adata[done.adata.obs["batch"] == name]


def test_each_batch_is_aligned_on_what_it_shares(panels, done):
    assert (len(shared(panels, "two")), len(shared(panels, "three"))) == (5, 4)
    assert done.model.markers == tuple(panels["one"].var_names)
    for batch in done.report["batches"]:
        assert [row["marker"] for row in batch["markers"]] == shared(panels, batch["batch"])
        assert done.model.batches[batch["batch"]].markers == tuple(shared(panels, batch["batch"]))
        assert set(done.views.of(batch["batch"]).markers) == set(shared(panels, batch["batch"]))
    json.dumps(done.report, allow_nan=False)


@pytest.mark.parametrize("name", ["two", "three"])
def test_a_batch_is_aligned_as_if_it_was_alone_with_the_reference(panels, done, name):
    own = shared(panels, name)
    alone = cellgan.align([panels["one"], panels[name]], config=CONFIG).adata
    moved = alone[alone.obs["batch"] == "batch2", own]
    for layer in ("aligned", "aligned_sd"):
        found, expected = (np.asarray(each.layers[layer]) for each in (part(done, name)[:, own], moved))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["two", "three"])
def test_what_the_reference_lacks_is_not_moved(panels, done, name):
    own = shared(panels, name)
    rest = [marker for marker in panels[name].var_names if marker not in own]
    merged = [panels["two"].var_names[-1] if "_" in marker else marker for marker in rest]
    layer = np.asarray(part(done, name)[:, merged].layers["aligned"])
    np.testing.assert_array_equal(layer, to_arcsinh(panels[name][:, rest].X, 5.0))
    before = to_arcsinh(panels[name][:, own].X, 5.0)
    after = np.asarray(part(done, name)[:, own].layers["aligned"])
    assert np.abs(after - before).max(axis=0).min() > 0.01


def test_one_protein_is_one_column_even_where_the_reference_lacks_it(panels, done):
    name = panels["two"].var_names[-1]
    var = done.adata.var
    assert f"164Dy_{name}" not in var.index
    assert var.loc[name, "measured_in"] == "two;three"
    assert not var.loc[name, "aligned"]
    assert var["aligned"].sum() == 7
    np.testing.assert_array_equal(part(done, "three")[:, name].X, panels["three"].X[:, :1])
    assert np.isnan(part(done, "one")[:, name].X).all()


def test_the_model_maps_each_panel_after_it_was_saved(panels, done, tmp_path):
    done.save(tmp_path / "panels.model")
    model = cellgan.load(tmp_path / "panels.model")
    for name in ("two", "three"):
        own = shared(panels, name)
        mapped = model.map(panels[name], batch=name)
        for layer in ("aligned", "aligned_sd"):
            expected = np.asarray(part(done, name)[:, own].layers[layer])
            assert np.asarray(mapped[:, own].layers[layer]).tobytes() == expected.tobytes()
    with pytest.raises(PanelError, match="the model of batch 'two' aligns 5 markers, and 3 of them"):
        model.map(panels["three"], batch="two")


def test_the_page_draws_each_batch_with_its_own_markers(panels, done, tmp_path):
    done.write_report(tmp_path / "panels.html")
    drawn = re.findall(r'aria-label="Densities of (\w+)', (tmp_path / "panels.html").read_text())
    assert Counter(drawn) == Counter([*shared(panels, "two"), *shared(panels, "three")])


def test_a_chosen_marker_may_be_missing_in_some_batches_but_not_in_all(panels):
    chosen = tuple(panels["one"].var_names[[1, 2, 3, 5]])
    config = AlignConfig(rounds=1, transform="arcsinh", impute=False, markers=chosen)
    alignment = cellgan.align(panels, config=config)
    assert alignment.model.markers == chosen
    assert len(alignment.model.batches["two"].markers) == len(alignment.model.batches["three"].markers) == 3
    only_here = panels["one"].copy()
    only_here.var_names = [*only_here.var_names[:-1], "Ki67"]
    config = AlignConfig(rounds=1, transform="arcsinh", markers=(*chosen, "Ki67"))
    with pytest.raises(PanelError, match="'Ki67' is not in batch 'two'"):
        cellgan.align({**panels, "one": only_here}, config=config)


def test_a_consensus_is_made_from_what_every_batch_measured_and_says_what_that_leaves_out(panels):
    config = AlignConfig(rounds=1, transform="arcsinh", impute=False, reference="consensus")
    alignment = cellgan.align(panels, config=config)
    everywhere = tuple(panels["one"].var_names[[2, 3]])
    assert alignment.model.markers == everywhere
    (note,) = (note for note in alignment.report["warnings"] if "not every batch" in note)
    left_out = panels["one"].var_names[[0, 1, 4, 5, 6]]
    assert note.endswith(", ".join(left_out))
    assert [one["name"] for one in alignment.report["markers"]["kept"]] == list(left_out)
    fewer = {**panels, "three": panels["three"][:, :5].copy()}
    with pytest.raises(PanelError, match="fewer than two markers were measured in all of one, two, three"):
        cellgan.align(fewer, config=config)
