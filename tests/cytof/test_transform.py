"""The arcsinh scale: exact inverses, and the decision by values alone."""

from __future__ import annotations

from typing import Literal

import anndata as ad
import numpy as np
import pytest

from cellgan.cytof.cofactors import Cofactors
from cellgan.cytof.marker_names import column_kinds
from cellgan.cytof.read_write import read_batches
from cellgan.cytof.simulate import simulate
from cellgan.cytof.transform import Decision, Standardise, decide, to_arcsinh, to_linear
from cellgan.errors import InputError

ON_ARCSINH_SCALE = {"thymus", "simulated_shift", "sample_masscyt"}


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    return simulate(n_cells=2000, n_markers=20)[0].X


@pytest.fixture(scope="module")
def flow() -> np.ndarray:
    """Compensated flow cytometry: dim and bright populations, negative values, saturation at 262,144."""
    rng = np.random.default_rng(0)
    bright = np.exp(rng.normal(np.log(20_000), 0.6, (3000, 10)))
    dim = rng.normal(0, 150, (3000, 10))
    return np.minimum(np.where(rng.random((3000, 10)) < 0.3, bright, dim), 262_144).astype(np.float32)


def auto(*values: np.ndarray, cofactor: float | Literal["auto"] = 5) -> Decision:
    return decide(values, requested="auto", cofactor=cofactor)


def test_arcsinh_against_its_logarithmic_form():
    x = np.array([-136.0, -1.0, 0.0, 3.0, 5000.0])
    np.testing.assert_allclose(to_arcsinh(x, 5.0), np.log(x / 5 + np.sqrt((x / 5) ** 2 + 1)), rtol=1e-9)


@pytest.mark.parametrize("cofactor", [5.0, 150.0, 6000.0])
def test_linear_is_the_inverse_of_arcsinh(cofactor):
    x = np.concatenate([-np.geomspace(1e-3, 1e3, 50), [0.0], np.geomspace(1e-3, 262_144, 99)]).astype(
        np.float32
    )
    back = to_linear(to_arcsinh(x, cofactor), cofactor)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, x, rtol=2e-5, atol=1e-6)


def test_counts_with_negatives_get_arcsinh(counts):
    assert counts.min() < 0
    decision = auto(counts)
    assert (decision.name, decision.cofactors, decision.warning) == ("arcsinh", Cofactors(5), "")
    assert "counts" in decision.reason


def test_strong_negatives_are_still_counts(counts):
    shifted = counts.copy()
    shifted[:50] -= 136
    assert auto(shifted).name == "arcsinh"


@pytest.mark.parametrize("cofactor", [5, 15])
def test_transformed_values_are_taken_as_they_are(counts, cofactor):
    assert auto(np.arcsinh(counts / cofactor)).name == "none"


def test_flow_cytometry_gets_arcsinh_and_a_word_on_the_cofactor(flow):
    assert "--cofactor 150" in auto(flow).warning
    assert "tears cells that lack a marker into two humps" in auto(flow).warning
    decision = auto(flow, cofactor=150)
    assert (decision.name, decision.warning) == ("arcsinh", "")


@pytest.mark.parametrize("requested", ["auto", "arcsinh"])
def test_the_cofactor_is_chosen_by_the_values_unless_one_was_asked_for(counts, flow, requested):
    for values, cofactor, why in (
        (counts, 5, "as in mass cytometry"),
        (flow, 150, "as in flow cytometry"),
        (40 * flow, 6000, "as in spectral flow cytometry"),
    ):
        decision = decide([values], requested=requested)
        assert (decision.name, decision.cofactors, decision.warning) == ("arcsinh", Cofactors(cofactor), "")
        assert decision.reason.startswith(f"arcsinh(x / {cofactor}), ")
        assert why in decision.reason
    asked = decide([flow], requested=requested, cofactor=200)
    assert asked.cofactors == Cofactors(200)
    assert "the cofactor since" not in asked.reason


def test_batches_that_ask_for_different_cofactors_are_called_by_their_names(counts, flow):
    with pytest.raises(InputError, match=r"batch 'monday': 5, .*; batch 'tuesday': 150, "):
        decide([counts, flow], requested="auto", names=["monday", "tuesday"])
    assert decide([counts, flow], requested="auto", cofactor=5).cofactors == Cofactors(5)


def test_the_file_tells_the_instrument_where_values_do_not(flow):
    bright = np.maximum(flow, 0)
    with pytest.raises(InputError, match="which cofactor suits batch 2"):
        decide([bright, bright], requested="auto", instruments=["LSRFortessa"])
    decision = decide([bright, bright], requested="auto", instruments=["LSRFortessa", "BD FACSCanto II"])
    assert decision.cofactors == Cofactors(150)
    assert "measured by 'LSRFortessa'" in decision.reason


def test_own_cofactors_are_counted_and_leave_no_doubt(flow):
    decision = decide([flow], requested="auto", cofactor=5, own={"CD3": 150.0})
    assert decision.cofactors == Cofactors(5, {"CD3": 150.0})
    assert decision.reason.startswith("arcsinh(x / 5) (some markers by cofactors of their own), ")
    assert decision.warning == ""


def test_one_cofactor_a_column():
    x = np.array([[10.0, 300.0], [-2.0, -60.0]], dtype=np.float32)
    by = np.array([5, 150], dtype=np.float32)
    scaled = to_arcsinh(x, by)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[:, 0], scaled[:, 1], rtol=1e-6)
    np.testing.assert_allclose(to_linear(scaled, by), x, rtol=1e-5)


def test_of_transformed_values_the_cofactor_is_that_of_mass_unless_told(flow):
    """It is needed for the way back to counts, and the values do not tell it."""
    there = np.arcsinh(flow / 150)
    assert auto(there, cofactor="auto").cofactors == Cofactors(5)
    assert auto(there, cofactor=150).cofactors == Cofactors(150)


def test_flow_cytometry_on_the_arcsinh_scale_is_taken_as_it_is(flow):
    assert auto(np.arcsinh(flow / 150)).name == "none"


def mixed(counts: np.ndarray) -> np.ndarray:
    values = np.arcsinh(counts / 5)
    values[:, 3] = counts[:, 3]
    return values


def rescaled(counts: np.ndarray) -> np.ndarray:
    values = np.arcsinh(counts / 5)
    return (values - values.min(axis=0)) / (values.max(axis=0) - values.min(axis=0))


UNCLEAR = {
    "rescaled to 0..1": rescaled,
    "standardised": lambda counts: Standardise.of(np.arcsinh(counts / 5)).apply(np.arcsinh(counts / 5)),
    "95% of the markers stay below 12": mixed,
    "whole numbers": lambda counts: np.round(np.arcsinh(counts / 5)),
    "tails": lambda counts: counts / np.quantile(counts, 0.999, axis=0).max() * 8,
    "low for counts": lambda counts: counts / np.quantile(counts, 0.999, axis=0).max() * 16,
    "low for both": np.zeros_like,
}


@pytest.mark.parametrize("why", UNCLEAR)
def test_unclear_values_stop_with_the_flag_that_settles_it(why, counts):
    values = UNCLEAR[why](counts)
    with pytest.raises(InputError, match=why) as stopped:
        auto(values)
    assert "--transform arcsinh" in str(stopped.value)
    assert "--transform none" in str(stopped.value)
    assert decide([values], requested="none", cofactor=5).name == "none"
    assert decide([values], requested="arcsinh", cofactor=5).name == "arcsinh"


def test_arcsinh_of_transformed_values_is_refused(counts):
    with pytest.raises(InputError, match="transformed already") as stopped:
        decide([np.arcsinh(counts / 5)], requested="arcsinh", cofactor=5)
    assert "--transform none" in str(stopped.value)


def test_counts_taken_as_they_are_leave_a_warning(counts):
    decision = decide([counts], requested="none", cofactor=5)
    assert decision.name == "none"
    assert "look like counts" in decision.warning


def test_batches_on_different_scales_are_refused(counts):
    with pytest.raises(InputError, match=r"batch 1: counts.*batch 2: arcsinh"):
        auto(counts, np.arcsinh(counts / 5))


def test_batches_are_called_by_their_names(counts):
    with pytest.raises(InputError, match=r"batch 'monday': counts.*batch 'tuesday': arcsinh"):
        decide([counts, np.arcsinh(counts)], requested="auto", cofactor=5, names=["monday", "tuesday"])


def test_a_batch_too_dim_to_tell_is_judged_with_its_siblings(counts):
    transformed = np.arcsinh(counts / 5)
    dim = 0.3 * transformed
    dim[:10] = transformed[:10]  # too few for a shoulder
    with pytest.raises(InputError, match="tails"):
        auto(dim)
    assert auto(transformed, dim).name == "none"


def test_a_batch_on_another_scale_is_not_carried_by_its_siblings(counts):
    with pytest.raises(InputError, match="batch 2"):
        auto(counts, rescaled(counts))


def test_every_real_file_and_batch_in_it_is_judged_right(real_cells):
    files = sorted([*real_cells.glob("*.h5ad"), *real_cells.glob("*.fcs")])
    assert len(files) >= 10
    for path in files:
        adata = read_batches([path])[0].adata
        kinds = np.array(column_kinds(list(adata.var_names), list(adata.var["channel"])))
        expected = "none" if path.stem in ON_ARCSINH_SCALE else "arcsinh"
        table = adata.X[:, kinds == "marker"]
        parts = [table, table[::7], table[:500]]
        parts += [table[adata.obs[key] == value] for key in adata.obs for value in subsets(adata, key)]
        for part in parts:
            assert auto(part).name == expected, path
            if expected == "arcsinh":
                assert auto(np.arcsinh(part / 5)).name == "none", path


def subsets(adata: ad.AnnData, key: str) -> list[str]:
    return list(adata.obs[key].unique()) if key in {"batch", "sample", "condition", "timepoint"} else []


def test_standard_units_have_mean_zero_and_sd_one(counts):
    values = np.arcsinh(counts / 5)
    units = Standardise.of(values)
    standard = units.apply(values)
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(standard.std(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(units.invert(standard), values, atol=1e-5)


def test_a_constant_marker_is_not_blown_up():
    values = np.random.default_rng(0).normal(0, 2, (500, 3)).astype(np.float32)
    values[:, 1] = 0.7
    other = values + 0.1
    assert np.abs(Standardise.of(values).apply(other)[:, 1]).max() < 1.5
    assert np.isfinite(Standardise.of(np.ones((5, 2), np.float32)).apply(other[:, :2])).all()


def test_units_of_some_markers_in_another_order(counts):
    values = to_arcsinh(counts, 5)
    units = Standardise.of(values)
    own = units.at([2, 0])
    np.testing.assert_array_equal(own.apply(values[:, [2, 0]]), units.apply(values)[:, [2, 0]])
    np.testing.assert_array_equal(own.invert(values[:, [2, 0]]), units.invert(values)[:, [2, 0]])
    assert own.mean.dtype == own.sd.dtype == np.float32
