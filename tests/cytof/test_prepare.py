"""Batches made comparable: the same markers in the same order, on one scale, whoever holds the cells."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.config import AlignConfig
from cellgan.cytof.prepare import Prepared, prepare
from cellgan.cytof.read_write import CellBatch, InMemory, batches_from_adata
from cellgan.errors import InputError, PanelError

COUNTS = AlignConfig(transform="arcsinh")
VALUES = AlignConfig(transform="none")


def batch(names: list[str], *, n: int = 30, seed: int = 0) -> ad.AnnData:
    counts = np.random.default_rng(seed).exponential(50, (n, len(names))).astype(np.float32)
    return ad.AnnData(counts, var=pd.DataFrame(index=names))


@pytest.fixture
def given() -> dict[str, ad.AnnData]:
    return {
        "one": batch(["CD3", "Time", "CD4", "CD19"]),
        "two": batch(["142Nd_CD19", "145Nd_CD4", "CD8", "170Er_CD3"], seed=1),
    }


def prepared(given: dict[str, ad.AnnData], config: AlignConfig = COUNTS) -> Prepared:
    return prepare(batches_from_adata(given), config, reference="one")


def arcsinh(counts: np.ndarray) -> np.ndarray:
    return np.arcsinh(counts / np.float32(5))


def test_shared_markers_stand_in_the_order_of_the_reference(given):
    found = prepared(given)
    assert found.panel.shared == ("CD3", "CD4", "CD19")
    one, two = (found.values(found.batch(name)) for name in ("one", "two"))
    np.testing.assert_array_equal(one, arcsinh(given["one"][:, ["CD3", "CD4", "CD19"]].X))
    np.testing.assert_array_equal(two, arcsinh(given["two"].X[:, [3, 1, 0]]))
    rows = np.array([4, 2, 2])
    np.testing.assert_array_equal(found.values(found.batch("two"), rows), two[rows])


def test_values_that_were_transformed_already_are_taken_as_they_are(given):
    given = {name: ad.AnnData(arcsinh(each.X), var=each.var) for name, each in given.items()}
    found = prepared(given, VALUES)
    np.testing.assert_array_equal(found.values(found.batch("two")), given["two"].X[:, [3, 1, 0]])


def test_the_lowest_of_each_marker(given):
    found = prepared(given)
    two = found.batch("two")
    np.testing.assert_array_equal(found.lowest(two), found.values(two).min(axis=0))


def test_columns_tell_ion_counts_from_the_rest(given):
    found = prepared(given)
    own = found.columns(found.batch("one"))
    assert (own.aligned.tolist(), own.counts.tolist()) == ([0, 2, 3], [0, 2, 3])
    other = found.columns(found.batch("two"))
    assert (other.aligned.tolist(), other.counts.tolist()) == ([3, 1, 0], [0, 1, 2, 3])


def test_a_control_has_the_panel_of_its_batch_in_whatever_order(given):
    found = prepared(given)
    cells = batch(["CD4", "170Er_CD3", "CD57", "CD19"], n=9, seed=2)
    cells.var["channel"] = ""
    control = CellBatch(name="two", cells=InMemory(cells))
    rows = np.array([0, 5, 8])
    np.testing.assert_array_equal(found.of_control(control, rows), arcsinh(cells.X[rows][:, [1, 0, 3]]))
    with pytest.raises(PanelError, match="170Er_CD3"):
        found.of_control(CellBatch(name="two", cells=InMemory(cells[:, ["CD4", "CD57", "CD19"]])), rows)


def test_a_batch_may_join_whose_columns_are_the_shared_markers(given):
    found = prepared(given)
    cells = batch(["CD3", "CD4", "CD19"], n=5, seed=3)
    cells.var["channel"] = ""
    joined = found.joined_by(CellBatch(name="middle", cells=InMemory(cells)))
    assert [each.name for each in joined.batches] == ["one", "two", "middle"]
    np.testing.assert_array_equal(joined.values(joined.batch("middle")), arcsinh(cells.X))
    assert "middle" not in found.panel.columns
    assert len(found.batches) == 2


def test_a_marker_with_a_single_value_in_the_only_other_batch_is_left_out(given):
    given["two"].X[:, 1] = 7
    found = prepared(given)
    assert found.panel.shared == ("CD3", "CD19")
    assert found.panel.notes[-1] == (
        "CD4 hardly varies in two (a stain that failed?): kept as measured there, not aligned and not "
        "matched by"
    )
    assert ("CD4", "marker") in found.panel.kept
    np.testing.assert_array_equal(found.values(found.batch("two")), arcsinh(given["two"].X[:, [3, 0]]))


def test_a_marker_that_says_nothing_in_one_of_several_batches_is_left_out_there_alone(given):
    given["three"] = batch(["CD19", "CD4", "CD3"], seed=5)
    given["two"].X[:, 1] = 7
    found = prepared(given)
    assert found.panel.shared == ("CD3", "CD4", "CD19")
    assert [found.shared_by(each) for each in found.batches] == [
        ("CD3", "CD4", "CD19"),
        ("CD3", "CD19"),
        ("CD3", "CD4", "CD19"),
    ]
    two = found.batch("two")
    np.testing.assert_array_equal(found.values(two), arcsinh(given["two"].X[:, [3, 0]]))
    assert found.columns(two).aligned.tolist() == [3, 0]
    np.testing.assert_array_equal(found.proteins(two, ["CD4"]), arcsinh(given["two"].X[:, [1]]))


def test_a_marker_that_says_nothing_in_the_reference_is_left_out_everywhere(given):
    given["three"] = batch(["CD19", "CD4", "CD3"], seed=5)
    given["one"].X[:, 2] = 0
    found = prepared(given)
    assert found.panel.shared == ("CD3", "CD19")
    assert {found.shared_by(each) for each in found.batches} == {("CD3", "CD19")}


def test_the_order_of_rows_decides_nothing(given, monkeypatch):
    monkeypatch.setattr("cellgan.cytof.prepare.N_DRAWN", 12)
    mixed = {name: each[np.random.default_rng(9).permutation(30)] for name, each in given.items()}
    units = [
        found.units(found.batch(name), 4)
        for found in (prepared(given), prepared(mixed))
        for name in ("one", "two")
    ]
    for straight, shuffled in zip(units[:2], units[2:], strict=True):
        assert straight.mean.tobytes() == shuffled.mean.tobytes()
        assert straight.sd.tobytes() == shuffled.sd.tobytes()
    found = prepared(given)
    other = found.units(found.batch("one"), 5)
    assert other.mean.tobytes() != units[0].mean.tobytes()  # twelve other cells


def test_own_cofactors_are_those_of_a_protein_whatever_it_is_called(given):
    own = AlignConfig(transform="arcsinh", cofactors={"cd4": 50.0, "CD8": 20.0})
    found = prepared(given, own)
    one, two = (found.batch(name) for name in ("one", "two"))
    x, y = given["one"].X, given["two"].X
    np.testing.assert_allclose(found.values(one), np.arcsinh(x[:, [0, 2, 3]] / [5, 50, 5]), rtol=1e-6)
    np.testing.assert_allclose(found.values(two), np.arcsinh(y[:, [3, 1, 0]] / [5, 50, 5]), rtol=1e-6)
    np.testing.assert_allclose(found.proteins(two, ["CD8", "CD3"]), np.arcsinh(y[:, [2, 3]] / [20, 5]), 1e-6)
    np.testing.assert_allclose(found.lowest(two), found.values(two).min(axis=0), rtol=1e-6)
    assert "arcsinh(x / 5) (some markers by cofactors of their own), " in found.decision.reason
    (control,) = batches_from_adata({"two": given["two"]})
    np.testing.assert_array_equal(found.of_control(control, np.arange(30)), found.values(two))


def test_own_cofactors_of_what_no_batch_has_are_refused(given):
    with pytest.raises(InputError, match=r"no batch has a marker called CD99 and Time; it has CD3, CD4 and "):
        prepared(given, AlignConfig(cofactors={"CD4": 5.0, "CD99": 5.0, "Time": 5.0}))


def test_what_a_file_calls_its_instrument_is_listened_to(given):
    """Values that no mass cytometer reaches, with none below zero."""
    batches = batches_from_adata(
        {name: ad.AnnData(each.X * 300, var=each.var) for name, each in given.items()}
    )
    with pytest.raises(InputError, match="which cofactor suits batch 'one'"):
        prepare(batches, COUNTS, reference="one")
    told = [replace(each, keywords={"$CYT": "LSRFortessa"}) for each in batches]
    assert prepare(told, COUNTS, reference="one").decision.cofactors.usual == 150


def test_a_control_on_another_scale_is_refused(given):
    found = prepared(given)
    counts = batch(["142Nd_CD19", "145Nd_CD4", "170Er_CD3"], seed=2)
    rows = np.arange(20)
    (good,) = batches_from_adata({"two": counts})
    np.testing.assert_array_equal(found.of_control(good, rows), arcsinh(counts.X[:20, [2, 1, 0]]))
    (bad,) = batches_from_adata({"two": ad.AnnData(arcsinh(counts.X), var=counts.var)})
    with pytest.raises(InputError, match="control of batch 'two' is on another scale") as caught:
        found.of_control(bad, rows)
    assert caught.value.__notes__ == ["in the control of two"]


def test_who_insisted_on_counts_may_have_controls_of_counts(given):
    """As `cellgan map` takes such cells: they are on the batches' scale."""
    found = prepared(given, VALUES)
    assert found.decision.warning
    counts = batch(["142Nd_CD19", "145Nd_CD4", "170Er_CD3"], seed=2)
    (control,) = batches_from_adata({"two": counts})
    np.testing.assert_array_equal(found.of_control(control, np.arange(9)), counts.X[:9, [2, 1, 0]])


def test_any_protein_goes_by_one_name_and_what_is_none_does_not(given):
    found = prepared(given)
    two, rows = found.batch("two"), np.array([7, 3])
    np.testing.assert_array_equal(found.proteins(two, ["CD8", "CD3"]), arcsinh(given["two"].X[:, [2, 3]]))
    np.testing.assert_array_equal(
        found.proteins(two, ("CD19", "CD8"), rows), arcsinh(given["two"].X[rows][:, [0, 2]])
    )
    with pytest.raises(KeyError):
        found.proteins(found.batch("one"), ["Time"])
    given = {name: ad.AnnData(arcsinh(each.X), var=each.var) for name, each in given.items()}
    plain = prepared(given, VALUES)
    np.testing.assert_array_equal(plain.proteins(plain.batch("two"), ["CD8"]), given["two"].X[:, [2]])


def test_fewer_markers_are_shared_where_only_some_are_asked_for(given):
    found = prepared(given)
    less = found.only(["CD19", "CD3", "CD8"])
    assert less.panel.shared == ("CD3", "CD19")
    two = less.batch("two")
    np.testing.assert_array_equal(less.values(two), arcsinh(given["two"].X[:, [3, 0]]))
    assert less.shared_by(two) == ("CD3", "CD19")
    assert less.spelling(two) == ("170Er_CD3", "142Nd_CD19")
    assert less.columns(two).aligned.tolist() == [3, 0]
    # Proteins stay known, and so does what it was made from.
    np.testing.assert_array_equal(less.proteins(two, ["CD4"]), arcsinh(given["two"].X[:, [1]]))
    assert found.panel.shared == ("CD3", "CD4", "CD19")


def test_places_are_those_among_shared_markers(given):
    found = prepared(given)
    assert found.places(["CD19", "CD3"]) == [2, 0]
    assert found.only(["CD19", "CD3"]).places(["CD19", "CD3"]) == [1, 0]


def test_each_batch_shares_what_it_has_with_the_reference(given):
    given["three"] = batch(["CD4", "CD8", "CD3"], seed=5)
    found = prepared(given)
    assert [found.shared_by(each) for each in found.batches] == [
        ("CD3", "CD4", "CD19"),
        ("CD3", "CD4", "CD19"),
        ("CD3", "CD4"),
    ]
    three = found.batch("three")
    np.testing.assert_array_equal(found.values(three), arcsinh(given["three"].X[:, [2, 0]]))
    np.testing.assert_array_equal(found.lowest(three), arcsinh(given["three"].X[:, [2, 0]].min(axis=0)))
