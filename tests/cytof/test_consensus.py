"""The middle of all batches: between known effects, type by type, whoever is named first."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof import consensus as consensus_module
from cellgan.cytof.consensus import _medoid, consensus_cells
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.transform import to_arcsinh
from cellgan.errors import ConfigError

N = 1500
GAIN = np.array([1.1, 0.95, 1.0, 1.05, 0.9, 1.0, 1.1, 1.0])
SHIFT = np.array([0.4, -0.3, 0.5, 0.3, -0.4, 0.3, -0.5, 0.4])


@pytest.fixture(scope="module")
def blood():
    """Two draws of the same blood, on the arcsinh scale, and their cells' types."""
    drawn = cellgan.simulate(n_cells=2 * N, n_markers=8, seed=3)[0]
    cells, types = to_arcsinh(drawn.X, 5.0), drawn.obs["cell_type"].to_numpy()
    return (cells[:N], cells[N:]), (types[:N], types[N:])


@pytest.fixture(scope="module")
def between(blood):
    """One batch, the same cells backwards with an affine effect on each marker, and their consensus."""
    (a, _), _ = blood
    b = changed(a[::-1])
    return a, b, consensus_cells({"a": a, "b": b}, seed=0)


def changed(cells: np.ndarray, gain: np.ndarray = GAIN, shift: np.ndarray = SHIFT) -> np.ndarray:
    return (cells * gain + shift).astype(np.float32)


def drawn(cells: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a batch's rows in the order in which the consensus holds them."""
    return cells[np.random.default_rng(seed).permutation(len(cells))]


def quantiles(cells: np.ndarray) -> np.ndarray:
    return np.quantile(cells, np.linspace(0.02, 0.98, 49), axis=0)


def test_quantiles_are_the_means_of_both_batches_quantiles(between):
    """The barycentre on the line, in closed form (Agueh and Carlier 2011)."""
    a, b, consensus = between
    middle = (quantiles(a) + quantiles(b)) / 2
    apart = np.abs(quantiles(a) - middle).mean(axis=0)
    gap = np.abs(quantiles(consensus) - middle).mean(axis=0)
    assert apart.min() > 0.08
    assert gap.mean() < 0.1 * apart.mean()
    assert (gap < 0.3 * apart).all()


def test_every_cell_lies_midway_between_its_values_in_both_batches(between):
    """Of x and g x + d, the middle is ((1 + g) x + d) / 2; a cell of the second batch knows its x."""
    a, b, consensus = between
    x = np.vstack([drawn(a), (drawn(b) - SHIFT) / GAIN])
    wanted = changed(x, (1 + GAIN) / 2, SHIFT / 2)
    far = np.abs(changed(x) - wanted).mean()
    assert np.abs(consensus - wanted).mean() < 0.15 * far


def test_three_batches_count_the_same(blood):
    (a, _), _ = blood
    samples = {"a": a, "b": changed(a[::-1]), "c": changed(np.roll(a, 99, axis=0), shift=0.5 * SHIFT[::-1])}
    middle = np.mean([quantiles(cells) for cells in samples.values()], axis=0)
    gap = np.abs(quantiles(consensus_cells(samples, seed=0)) - middle).mean()
    assert gap < 0.2 * min(np.abs(quantiles(cells) - middle).mean() for cells in samples.values())


def test_effects_that_differ_by_type_are_halved_type_by_type():
    """Both batches hold other proportions; each type's effect is known from the second one's truth."""
    a, b = cellgan.simulate(n_cells=2000, n_markers=12, seed=1)
    kinds = [drawn(batch.obs["cell_type"].to_numpy()) for batch in (a, b)]
    a, truth, b = (to_arcsinh(counts, 5.0) for counts in (a.X, b.layers["truth"], b.X))
    halves = np.split(consensus_cells({"a": a, "b": b}, seed=0), 2)
    moved = [half - drawn(before) for half, before in zip(halves, (a, b), strict=True)]
    left = []
    for kind in ("CD4 T naive", "CD4 T memory", "B", "NK", "Monocyte"):
        effect = drawn(b - truth)[kinds[1] == kind].mean(axis=0)
        half_way = [effect / 2, -effect / 2]
        for own, way, wanted in zip(kinds, moved, half_way, strict=True):
            assert np.abs(way[own == kind].mean(axis=0) - wanted).mean() < 0.3 * np.abs(wanted).mean()
        ours, theirs = (quantiles(half[own == kind]) for half, own in zip(halves, kinds, strict=True))
        left.append(np.abs(ours - theirs).mean())
    assert np.mean(left) < 0.045  # maps of whole markers alone leave .063


def test_a_batch_has_a_say_in_types_that_it_lacks(blood):
    """Without it, the type would lie in the middle of the others, a third of its shift away."""
    (a, b), (types_a, types_b) = blood
    no_shift = np.zeros_like(SHIFT)
    samples = {
        "a": a,
        "b": changed(b, np.ones_like(GAIN), no_shift),
        "c": changed(a[types_a != "NK"], np.ones_like(GAIN), SHIFT),
    }
    pools = consensus_cells(samples, seed=0)
    nk = np.concatenate([drawn(types_a), drawn(types_b), drawn(types_a[types_a != "NK"])]) == "NK"
    truth = np.vstack([drawn(a), drawn(b)])[nk[: 2 * N]]
    assert np.abs(pools[nk] - (truth + SHIFT / 3)).mean() < 0.75 * np.abs(SHIFT / 3).mean()


def test_a_cell_counts_in_its_own_batch_as_measured(blood, monkeypatch):
    """With movers that add 8 standard units, the way to the hub and back would add 16."""
    (a, b), _ = blood
    knots = np.repeat([[0.0], [1.0]], 8, axis=1)
    adds = Mover(MarkerMaps(knots, knots + 8))
    monkeypatch.setattr(consensus_module, "fit_mover", lambda _target, _cells, *, units, seed: adds)
    consensus = consensus_cells({"a": a, "b": b}, seed=0)
    wanted = np.vstack([drawn(a), drawn(b)]) + 8 * a.std(axis=0) / 2
    np.testing.assert_allclose(consensus, wanted, atol=2e-3)


def test_identical_batches_give_the_same_cells_back(blood):
    (a, _), _ = blood
    consensus = consensus_cells({"a": a, "b": a.copy(), "c": a.copy()}, seed=0)
    np.testing.assert_allclose(consensus, np.vstack([drawn(a)] * 3), atol=0.02)


def test_the_order_of_batches_changes_no_bit_and_nothing_that_is_given(blood):
    (a, b), _ = blood
    samples = {"a": a[:600], "b": changed(b[:500]), "c": changed(a[600:], shift=-SHIFT)}
    before = {name: cells.copy() for name, cells in samples.items()}
    consensus = consensus_cells(samples, seed=4)
    again = consensus_cells(dict(reversed(samples.items())), seed=4)
    assert consensus.tobytes() == again.tobytes()
    assert consensus.tobytes() != consensus_cells(samples, seed=5).tobytes()
    for name, cells in samples.items():
        np.testing.assert_array_equal(cells, before[name])


def test_swapped_names_change_little(between):
    a, b, consensus = between
    swapped = consensus_cells({"b": a, "a": b}, seed=0)
    gap = np.abs(np.vstack([swapped[N:], swapped[:N]]) - consensus).mean()
    assert gap < 0.15 * np.abs(quantiles(a) - quantiles(b)).mean() / 2


def test_batches_provide_as_many_cells_each_or_all_that_they_have(blood):
    (a, b), _ = blood
    consensus = consensus_cells({"a": a[:300], "b": b[:90] + 100, "c": a[300:600] + 200}, seed=0, n_cells=400)
    assert consensus.shape == (133 + 90 + 133, 8)
    assert consensus.dtype == np.float32
    assert np.isfinite(consensus).all()


def test_the_hub_is_the_batch_between_the_others(blood):
    (a, b), _ = blood
    assert _medoid({"a": a - 1, "b": b, "c": a + 1}) == "b"
    assert _medoid({"a": a * 1.5, "b": b * 0.7, "c": a}) == "c"
    assert _medoid({"a": a, "b": b + 1}) == "a"
    assert _medoid({"a": b + 1, "b": a}) == "a"


@pytest.mark.parametrize("n_batches", [0, 1, 5])
def test_too_few_batches_and_too_many_are_refused(blood, n_batches):
    (a, _), _ = blood
    samples = {str(number): a for number in range(n_batches)}
    with pytest.raises(ConfigError, match=f"consensus of {n_batches} batches in 4 cells"):
        consensus_cells(samples, seed=0, n_cells=4)
