"""One batch's map: what stays, what is novel, how sure it is, and the same from disk to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.core.checkpoint import read_tensors, write_tensors
from cellgan.cytof.batch_map import BatchMap, make_maps
from cellgan.cytof.cluster_maps import ClusterMaps
from cellgan.cytof.clusters import Clusters
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.learn import Learned
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.novelty import Novelty
from cellgan.cytof.prepare import prepare
from cellgan.cytof.read_write import batches_from_adata
from cellgan.cytof.response import Response
from cellgan.cytof.transform import Standardise
from cellgan.cytof.uncertainty import Uncertainty

MARKERS = ("CD3", "CD19")
UNITS = Standardise(np.array([1, 2], np.float32), np.array([0.5, 2], np.float32))
OTHER_UNITS = Standardise(np.array([0, 9], np.float32), np.array([3, 4], np.float32))
KNOTS = np.array([[-9.0, -9.0], [9.0, 9.0]])
SHIFT = np.array([1.0, -0.5])  # standard units
# The batch's cells: four of a type that the reference has, two of one that it lacks. Arcsinh units.
CELLS = np.array([[1, 2], [1.5, 4], [0.5, 0], [1, 0], [6, 20], [6.5, 18]], np.float32)


NOVELTY = Novelty(familiar=np.array([[1.0, -0.5]]), novel=np.array([[11.0, 8.0]]), scale=np.array([1.0, 2.0]))
# The same where cells are told apart by what they were measured as.
STARTS = replace(NOVELTY, familiar=np.array([[0.0, 0.0]]), novel=np.array([[10.0, 9.0]]))
STARTS = replace(STARTS, response=Response.identity(2))
RESPONSE = Response(np.array([0.3, -0.2]), np.array([0.0, 0.1]), np.array([0.5, 0.0]))


def build(**parts) -> BatchMap:
    """Return a map that shifts cells, and changes of it."""
    known = {
        "markers": MARKERS,
        "lowest": np.array([-5, -5], np.float32),
        "units": UNITS,
        "mover": Mover(MarkerMaps(KNOTS, KNOTS + SHIFT)),
        "uncertainty": Uncertainty(
            np.array([[-2.0, -2.0], [12.0, 12.0]]), np.array([[0.1, 0.3], [0.1, 0.3]])
        ),
        "novelty": NOVELTY,
    }
    return BatchMap(**{**known, **parts})


def test_cells_are_moved_in_the_units_of_the_reference():
    found = build()(CELLS)
    np.testing.assert_allclose(found.aligned, CELLS + SHIFT * UNITS.sd, atol=1e-3)  # ties are dithered
    assert found.aligned.dtype == found.sd.dtype == np.float32
    assert found.novel.tolist() == [False] * 4 + [True] * 2


def test_what_is_novel_may_be_off_by_its_whole_movement():
    found = build()(CELLS)
    known = np.array([0.1, 0.3])
    np.testing.assert_allclose(found.sd[:4], np.tile(known * UNITS.sd, (4, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.sd[4:], np.tile(np.hypot(known, SHIFT) * UNITS.sd, (2, 1)), rtol=1e-3)
    without = build(novelty=None)(CELLS)
    assert not without.novel.any()
    np.testing.assert_allclose(without.sd, np.tile(known * UNITS.sd, (6, 1)), rtol=1e-5)
    np.testing.assert_array_equal(without.aligned, found.aligned)


def test_cells_are_told_apart_where_the_response_puts_them():
    """That is the lower half for one, whatever becomes of them; no lower than the lowest value."""
    halves = Response(np.log([0.5, 0.5]), np.zeros(2), np.zeros(2))
    at = UNITS.to_units(np.arcsinh(0.5 * np.sinh(CELLS.astype(float))))
    apart = Novelty(familiar=at[:4], novel=at[4:], scale=np.ones(2), response=halves)
    assert build(novelty=apart)(CELLS).novel.tolist() == [False] * 4 + [True] * 2
    elsewhere = build(novelty=apart, mover=Mover(MarkerMaps(KNOTS, KNOTS + 1000)))(CELLS)
    assert elsewhere.novel.tolist() == [False] * 4 + [True] * 2
    # With a response of another kind, they stand elsewhere.
    dimmer = replace(apart, response=Response(np.full(2, -9.0), np.zeros(2), np.zeros(2)))
    assert not build(novelty=dimmer)(CELLS).novel.any()
    high = np.array([8.0, 25.0], np.float32)
    assert build(novelty=dimmer, lowest=high)(CELLS).novel.all()


def test_what_is_novel_is_moved_as_the_batch_is_and_not_by_clusters():
    everywhere = ClusterMaps(Clusters(np.zeros((1, 2)), 1.0), {0: MarkerMaps(KNOTS, KNOTS + 5)})
    own = build(mover=Mover(MarkerMaps(KNOTS, KNOTS + SHIFT), passes=((everywhere,),)), novelty=STARTS)
    found = own(CELLS)
    assert found.novel.tolist() == [False] * 4 + [True] * 2
    moved = (found.aligned - CELLS) / UNITS.sd
    np.testing.assert_allclose(moved[:4], 5, atol=1e-3)
    np.testing.assert_allclose(moved[4:], np.tile(SHIFT, (2, 1)), atol=1e-3)


def test_uncertainty_is_looked_up_where_the_cells_arrive():
    level, sd = np.array([[0.0, 0.0], [2.0, 2.0]]), np.array([[0.0, 0.0], [2.0, 2.0]])
    found = build(novelty=None, uncertainty=Uncertainty(level, sd))(CELLS[:1])
    np.testing.assert_allclose(found.sd, [[1.0 * 0.5, 0.0]], atol=1e-3)


def test_no_value_falls_below_the_lowest():
    lowest = np.array([1.75, 4.0], np.float32)
    found = build(lowest=lowest)(CELLS)
    np.testing.assert_array_equal(found.aligned, np.maximum(build()(CELLS).aligned, lowest))
    assert (found.aligned == lowest).any(axis=0).all()


def test_the_reference_stays():
    found = BatchMap(MARKERS, np.array([99, 99], np.float32), UNITS)(CELLS)
    assert found.aligned.tobytes() == CELLS.tobytes()
    assert not found.sd.any()
    assert not found.novel.any()
    assert (found.sd.shape, found.sd.dtype, found.novel.shape) == ((6, 2), np.float32, (6,))


def test_a_map_without_uncertainty_says_nothing_of_it():
    found = build(uncertainty=None)(CELLS)
    assert not found.sd.any()
    assert found.novel.sum() == 2


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"uncertainty": None},
        {"novelty": None},
        {"uncertainty": None, "novelty": None},
        {"mover": Mover()},
        {"novelty": replace(NOVELTY, response=RESPONSE)},
    ],
)
def test_from_disk_to_the_last_bit(tmp_path, parts):
    one = build(**parts)
    write_tensors(tmp_path / "map", one.tensors(), {})
    again = BatchMap.from_tensors(
        read_tensors(tmp_path / "map")[0], markers=MARKERS, moved=True, units=OTHER_UNITS
    )
    cells = (np.random.default_rng(0).normal(3, 3, (500, 2))).astype(np.float32)
    for found, then in zip(again(cells), one(cells), strict=True):
        assert found.tobytes() == then.tobytes()
    if one.novelty is not None:
        assert (again.novelty.response is None) == (one.novelty.response is None)
    assert (again.uncertainty is None, again.novelty is None) == (
        one.uncertainty is None,
        one.novelty is None,
    )
    assert {name: value.numpy().tobytes() for name, value in again.tensors().items()} == {
        name: value.numpy().tobytes() for name, value in one.tensors().items()
    }


def test_a_reference_from_disk_is_still_one():
    reference = BatchMap(MARKERS, np.array([-1, -2], np.float32), UNITS)
    again = BatchMap.from_tensors(reference.tensors(), markers=MARKERS, moved=False, units=OTHER_UNITS)
    assert again.mover is None
    np.testing.assert_array_equal(again.lowest, reference.lowest)


def test_a_map_without_units_of_its_own_has_those_of_its_model():
    """As models of before batches shared markers pair by pair: every batch had all of the model's."""
    tensors = {name: value for name, value in build().tensors().items() if not name.startswith("units/")}
    again = BatchMap.from_tensors(tensors, markers=MARKERS, moved=True, units=UNITS)
    for found, then in zip(again(CELLS), build()(CELLS), strict=True):
        assert found.tobytes() == then.tobytes()
    other = BatchMap.from_tensors(tensors, markers=MARKERS, moved=True, units=OTHER_UNITS)
    np.testing.assert_allclose(other(CELLS).aligned, CELLS + SHIFT * OTHER_UNITS.sd, atol=1e-2)


def test_a_map_of_before_told_cells_apart_where_they_ended_and_by_one_scale():
    tensors = {name: value for name, value in build().tensors().items() if name != "novelty/scale"}
    again = BatchMap.from_tensors(tensors, markers=MARKERS, moved=True, units=UNITS)
    np.testing.assert_array_equal(again.novelty.scale, [1, 1])
    assert again.novelty.response is None


def test_a_model_of_before_knows_neither():
    archive = Path(__file__).parents[1] / "archives/v0.1.0"
    cells = ad.read_h5ad(archive / "mapped.h5ad")
    mapped = cellgan.load(archive / "aligned.model").map(cells)
    assert not mapped.layers["aligned_sd"].any()
    assert mapped.layers["aligned_sd"].shape == cells.shape
    assert mapped.obs["cellgan_novel"].tolist() == [False] * cells.n_obs


def test_every_batch_has_a_map_on_what_it_shares_and_no_value_below_what_was_seen():
    """Of three batches; the third lacks a marker, and has the others in another order and spelling."""
    rng = np.random.default_rng(0)
    names = {
        "one": ["CD3", "CD4", "CD19"],
        "two": ["CD19", "CD3", "CD4"],
        "three": ["142Nd_CD19", "CD8", "CD3"],
    }
    given = {name: ad.AnnData(rng.gamma(2, 50, (40, 3)).astype(np.float32)) for name in names}
    for name, adata in given.items():
        adata.var_names = names[name]
    given["two"].X[7] = 0.001  # the second goes lowest in all, the third in nothing
    given["one"].X += 1
    given["three"].X += 2
    prepared = prepare(batches_from_adata(given), AlignConfig(transform="arcsinh"), reference="one")
    units = Standardise(np.array([1, 2, 3], np.float32), np.array([4, 5, 6], np.float32))
    learned = {
        name: Learned(
            SimpleNamespace(mover=f"mover {name}", uncertainty=f"sd {name}"), f"novelty {name}", None
        )
        for name in ("two", "three")
    }
    maps = make_maps(prepared, learned, reference="one", units=units)
    assert {name: own.markers for name, own in maps.items()} == {
        "one": ("CD3", "CD4", "CD19"),
        "two": ("CD3", "CD4", "CD19"),
        "three": ("CD3", "142Nd_CD19"),
    }
    assert [own.units.mean.tolist() for own in maps.values()] == [[1, 2, 3], [1, 2, 3], [1, 3]]
    assert [own.units.sd.tolist() for own in maps.values()] == [[4, 5, 6], [4, 5, 6], [4, 6]]
    least = {name: np.arcsinh(adata.X.min(axis=0) / np.float32(5)) for name, adata in given.items()}
    np.testing.assert_array_equal(maps["one"].lowest, least["one"])
    np.testing.assert_array_equal(maps["two"].lowest, np.minimum(least["one"], least["two"][[1, 2, 0]]))
    np.testing.assert_array_equal(
        maps["three"].lowest, np.minimum(least["one"][[0, 2]], least["three"][[2, 0]])
    )
    assert (maps["two"].lowest < 0.001).all()
    assert [(own.mover, own.uncertainty, own.novelty) for own in maps.values()] == [
        (None, None, None),
        ("mover two", "sd two", "novelty two"),
        ("mover three", "sd three", "novelty three"),
    ]
