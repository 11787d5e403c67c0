"""The mover: a cell comes out the same in any company, and from disk, to the last bit."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch

from cellgan.core.checkpoint import read_tensors, write_tensors
from cellgan.core.nets import residual_mlp
from cellgan.cytof import mover as module
from cellgan.cytof.cluster_maps import BatchMapping
from cellgan.cytof.correspondence import fit_passes, fit_start
from cellgan.cytof.mover import BLOCK, Mover
from cellgan.cytof.proposals import quantile_maps
from cellgan.cytof.ranks import dither
from cellgan.cytof.transform import Standardise

N_MARKERS = 5


def draw(rng: np.random.Generator, n: int) -> np.ndarray:
    """Three types, with zeros."""
    centres = np.array([[0, 3, 0, 1, 0], [3, 0, 0, 2, 0], [0, 0, 4, 0, 1]])
    return np.maximum(centres[rng.integers(3, size=n)] + rng.normal(0, 0.5, (n, N_MARKERS)), 0)


@pytest.fixture(scope="module")
def whole() -> Mover:
    """A mover with a start, a generator that does something, and passes."""
    rng = np.random.default_rng(0)
    reference, cells = draw(rng, 700), draw(rng, 700) * 1.2 + 0.3
    units = Standardise.of(reference)
    reference, cells = units.to_units(reference), units.to_units(cells)
    start = fit_start(reference, cells, units=units, seed=0).maps
    generator = residual_mlp(N_MARKERS, hidden=[16, 8])
    with torch.no_grad():
        for value in generator.parameters():
            value.normal_(0, 0.2, generator=torch.Generator().manual_seed(1))
    positions = Mover(start, generator)(cells)
    batch = BatchMapping(start, units)
    return Mover(start, generator, fit_passes(reference, cells, positions, seed=0, batch=batch))


@pytest.fixture(scope="module")
def later() -> np.ndarray:
    """More cells than three blocks, on the way as files hold them: float32."""
    cells = draw(np.random.default_rng(1), 3 * BLOCK + 77) * 1.2 + 0.3
    return cells.astype(np.float32).astype(np.float64)


def out(mover: Mover, cells: np.ndarray) -> np.ndarray:
    """Cells as they go into a file."""
    return mover(cells).astype(np.float32)


@pytest.fixture(scope="module")
def together(whole, later):
    return out(whole, later)


def test_every_part_of_this_mover_does_something(whole, later):
    few = later[:500]
    parts = [Mover(), Mover(whole.start), Mover(whole.start, whole.generator), whole]
    steps = [mover(few) for mover in parts]
    assert all(np.abs(a - b).mean() > 0.01 for a, b in pairwise(steps))
    assert np.isfinite(steps[-1]).all()


def slow(maps, cells: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Map cells by one number of clusters, cluster by cluster."""
    near, weight = maps.clusters.memberships(positions)
    weight = weight * np.isin(near, list(maps.maps))
    moved = np.zeros_like(cells)
    for cluster, own in maps.maps.items():
        moved += (weight * (near == cluster)).sum(axis=1)[:, None] * own(cells)
    total = weight.sum(axis=1)[:, None]
    return np.where(total > 0, moved / np.where(total > 0, total, 1), positions)


def test_cells_go_from_start_to_network_to_the_mean_of_the_maps_pass_by_pass(whole, later):
    cells = dither(later)
    with torch.no_grad():
        double = copy.deepcopy(whole.generator).double()
        positions = double(torch.from_numpy(whole.start(cells))).numpy()
    for maps in whole.passes:
        positions = np.mean([slow(each, cells, positions) for each in maps], axis=0)
    np.testing.assert_allclose(whole(later), positions, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 17, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_a_file_of_any_length_gives_the_same_bytes(whole, later, together, n):
    assert out(whole, later[:n]).tobytes() == together[:n].tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_company_give_the_same_bytes(whole, later, together, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(later))[: rng.integers(1, len(later))]
    assert out(whole, later[order]).tobytes() == together[order].tobytes()


def test_the_company_may_be_of_another_kind_altogether(whole, later, together):
    mixed = np.concatenate([later[:300] * 0 - 50, later[:200], later[:4000] * 1e3])
    assert out(whole, mixed)[300:500].tobytes() == together[:200].tobytes()


def test_how_cells_lie_in_memory_makes_no_difference(whole, later, together):
    wide = np.zeros((200, 2 * N_MARKERS))
    wide[:, ::2] = later[:200]
    for cells in (wide[:, ::2], np.asfortranarray(later[:200])):
        assert out(whole, cells).tobytes() == together[:200].tobytes()


def test_threads_make_no_difference(whole, later, together):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert out(whole, later).tobytes() == together.tobytes()
    finally:
        torch.set_num_threads(before)


def test_blocks_are_full_whatever_the_file(whole, later, monkeypatch):
    """Without this, the last cells of a file would meet other shapes, and other arithmetic."""
    seen = []
    monkeypatch.setattr(Mover, "_map", lambda self, cells: seen.append(cells.copy()) or cells)
    cells = later[: BLOCK + 3]
    assert whole(cells).tobytes() == cells.tobytes()
    assert sorted(len(block) for block in seen) == [BLOCK, BLOCK]
    last = min(seen, key=lambda block: np.ptp(block[3:]))
    assert (last[3:] == last[0]).all()
    monkeypatch.setattr(module, "BLOCK", 2)
    assert whole(cells).tobytes() == cells.tobytes()


def test_no_cells_are_no_cells(whole):
    assert whole(np.empty((0, N_MARKERS))).shape == (0, N_MARKERS)


def test_a_mover_without_parts_moves_nothing(later):
    assert Mover()(later).tobytes() == later.tobytes()


def test_ties_are_broken_on_the_way(later):
    """Half of the cells are zero where a fifth of the reference is: the others get what it has next."""
    rng = np.random.default_rng(0)
    reference, cells = rng.uniform(1, 3, (2000, 2)), rng.uniform(1, 3, (2000, 2))
    reference[:400, 0] = cells[:1000, 0] = 0
    moved = Mover(quantile_maps(reference, cells))(cells)[:, 0]
    assert np.mean(moved < 0.5) == pytest.approx(0.2, abs=0.01)
    assert np.median(moved) == pytest.approx(np.median(reference[:, 0]), abs=0.05)


def test_what_becomes_of_the_network_later_does_not_matter(later):
    generator = residual_mlp(N_MARKERS, hidden=[4])
    mover = Mover(generator=generator)
    before = mover(later[:50])
    with torch.no_grad():
        for value in generator.parameters():
            value.add_(1.0)
    assert mover(later[:50]).tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "parts", [(), ("start",), ("generator",), ("passes",), ("start", "generator", "passes")]
)
def test_from_disk_it_gives_the_same_bytes(whole, later, tmp_path, parts):
    mover = Mover(**{part: getattr(whole, part) for part in parts})
    write_tensors(tmp_path / "mover", mover.tensors(), {})
    again = Mover.from_tensors(read_tensors(tmp_path / "mover")[0], n_markers=N_MARKERS)
    assert again(later[:3000]).tobytes() == mover(later[:3000]).tobytes()
    tensors = again.tensors()
    assert tensors.keys() == mover.tensors().keys()
    assert all(torch.equal(value, tensors[name]) for name, value in mover.tensors().items())


def test_markers_that_are_kept_stay_as_measured_on_every_way_and_on_disk(whole, later):
    cells = later[:300]
    mover = Mover(whole.start, whole.generator, whole.passes, still=(1, 4))
    again = Mover.from_tensors(mover.tensors(), n_markers=N_MARKERS)
    assert again.still == (1, 4)
    for own, all_moved in (
        (mover(cells), whole(cells)),
        (again(cells), whole(cells)),
        (mover.batch_mapping(cells), whole.batch_mapping(cells)),
    ):
        np.testing.assert_array_equal(own[:, [1, 4]], cells[:, [1, 4]])
        np.testing.assert_array_equal(own[:, [0, 2, 3]], all_moved[:, [0, 2, 3]])
        assert np.abs(all_moved - cells).max(axis=0).min() > 0


def test_the_batchs_mapping_knows_no_clusters(whole, later):
    cells = later[:300]
    np.testing.assert_array_equal(whole.batch_mapping(cells), whole.start(dither(cells)))
    np.testing.assert_array_equal(Mover(passes=whole.passes).batch_mapping(cells), cells)
    led = Mover(generator=whole.generator)
    np.testing.assert_array_equal(led.batch_mapping(cells), led(cells))


def test_clusters_without_a_map_stay_without_one_on_disk(whole):
    first = whole.passes[0][0]
    assert len(first.clusters) > 1, "no clusters, nothing to show"
    lone = type(first)(first.clusters, {1: first.maps[next(iter(first.maps))]})
    again = Mover.from_tensors(Mover(passes=((lone,),)).tensors(), n_markers=N_MARKERS)
    assert set(again.passes[0][0].maps) == {1}
    none = type(first)(first.clusters, {})
    again = Mover.from_tensors(Mover(passes=((none,),)).tensors(), n_markers=N_MARKERS)
    cells = draw(np.random.default_rng(2), 20)
    np.testing.assert_allclose(again(cells), cells, atol=2e-4)


def test_a_network_of_other_markers_is_refused(whole):
    with pytest.raises(RuntimeError, match="size mismatch"):
        Mover.from_tensors(Mover(generator=whole.generator).tensors(), n_markers=N_MARKERS + 1)
