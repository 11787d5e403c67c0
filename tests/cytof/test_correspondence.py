"""Who corresponds to whom: balanced weights, a type that one batch lacks, and what the game makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import cellgan
from cellgan.cytof.balance import Weights, balance, carried
from cellgan.cytof.cluster_maps import BatchMapping
from cellgan.cytof.clusters import FAINT
from cellgan.cytof.correspondence import (
    fit_passes,
    fit_start,
    play_game,
    stay_near,
)
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.proposals import quantile_maps
from cellgan.cytof.transform import Standardise, to_arcsinh

CPU = torch.device("cpu")


def units_of(n_markers: int) -> Standardise:
    """Units in which values are on the arcsinh scale already."""
    return Standardise(np.zeros(n_markers, np.float32), np.ones(n_markers, np.float32))


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a - b) ** 2).mean()))


@pytest.fixture(scope="module")
def blood():
    """Reference, batch without NK cells, its truth, all in standard units; which cells are NK; the units."""
    a, b = cellgan.simulate(n_cells=800, n_markers=12, seed=0, missing=True)
    scaled = [to_arcsinh(counts, 5.0) for counts in (a.X, b.X, b.layers["truth"])]
    units = Standardise.of(scaled[0])
    lacking = (a.obs["cell_type"] == "NK").to_numpy()
    return *(units.apply(each).astype(float) for each in scaled), lacking, units


@pytest.fixture(scope="module")
def start(blood):
    return fit_start(blood[0], blood[1], units=blood[4], seed=0).maps


def test_a_missing_type_is_not_mistaken_for_a_batch_effect(blood, start):
    reference, cells, truth, *_ = blood
    plain, balanced = Mover(quantile_maps(reference, cells)), Mover(start)
    assert rmse(balanced(cells), truth) < 0.6 * rmse(cells, truth)
    assert rmse(balanced(cells), truth) < 0.4 * rmse(plain(cells), truth)


def test_a_missing_type_weighs_next_to_nothing(blood, start):
    reference, cells, _, lacking, _ = blood
    weights = balance(reference, Mover(start)(cells), seed=7)
    assert lacking.sum() > 40
    assert weights.reference[lacking].mean() < 0.05
    assert weights.reference[~lacking].mean() > 0.6
    assert weights.cells.mean() > 0.6


def test_taking_turns_is_what_balances(drawn_types):
    """Two types of five are shared: the first weights do not know which, and the gains tell by and by."""
    gain = np.exp(np.random.default_rng(0).normal(0, 0.5, 10))
    signals = [drawn_types(kinds, 1500, seed=seed)[0] for seed, kinds in enumerate((range(5), range(3, 8)))]
    reference, cells, truth = (np.arcsinh(each) for each in (signals[0], signals[1] / gain, signals[1]))
    units = Standardise.of(reference.astype(np.float32))
    reference, cells, truth = map(units.to_units, (reference, cells, truth))
    once, often = (
        fit_start(reference, cells, units=units, seed=0, **turns).maps for turns in ({"turns": 1}, {})
    )
    assert rmse(often(cells), truth) < 0.8 * rmse(once(cells), truth)
    assert rmse(often(cells), truth) < 0.35 * rmse(cells, truth)


def by_type() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two types, told apart by the second marker, shifted in opposite ways in the first; how far is last."""
    rng = np.random.default_rng(0)
    kind = np.arange(600) % 2
    home = np.array([[0, 0, 0, 0], [0, 7, 0, 0]])[kind]
    reference, truth = (rng.normal(home, [0.3, 1, 1, 1]) for _ in range(2))
    shift = np.array([0.5, -0.5])[kind]
    cells = truth.copy()
    cells[:, 0] += shift
    return reference, cells, truth, shift


def test_maps_within_clusters_undo_what_differs_by_type():
    reference, cells, truth, _ = by_type()
    units = units_of(4)
    start = fit_start(reference, cells, units=units, seed=0).maps
    positions = start(cells)
    batch = BatchMapping(start, units)
    free, held = (
        Mover(start, passes=fit_passes(reference, cells, positions, seed=0, batch=each))(cells)[:, 0]
        for each in (None, batch)
    )
    assert rmse(positions[:, 0], truth[:, 0]) > 0.2  # one map cannot move types in opposite ways
    assert rmse(free, truth[:, 0]) < 0.1
    assert rmse(free, truth[:, 0]) < rmse(held, truth[:, 0]) < 0.17  # four fifths of a departure are applied


def test_maps_within_clusters_go_no_farther_than_an_instrument_could():
    """The second type is shifted by more than the bounds of a gain: the rest is left."""
    reference, cells, truth, shift = by_type()
    units = Standardise(np.full(4, 4, np.float32), np.ones(4, np.float32))  # bright: a gain is a shift
    cells[:, 0] = truth[:, 0] + np.where(shift < 0, -3.0, 0.0)
    stays = MarkerMaps(*np.array([[[-20.0] * 4, [20.0] * 4]] * 2))
    free, held = (
        Mover(stays, passes=fit_passes(reference, cells, truth, seed=0, batch=batch))(cells)[:, 0]
        - cells[:, 0]
        for batch in (None, BatchMapping(stays, units))
    )
    assert np.median(free[shift < 0]) == pytest.approx(3, abs=0.1)
    assert 0.1 < np.median(held[shift < 0]) < 1.6
    assert abs(np.median(held[shift > 0])) < 0.1


def test_an_initial_alignment_may_keep_some_markers(start, blood):
    found = fit_start(blood[0], blood[1], units=blood[4], seed=0, turns=1)
    kept = found.keeping((1, 5))
    cells, others = blood[1], [m for m in range(12) if m not in {1, 5}]
    np.testing.assert_allclose(kept.maps(cells)[:, [1, 5]], cells[:, [1, 5]], atol=1e-6)
    np.testing.assert_array_equal(kept.maps(cells)[:, others], found.maps(cells)[:, others])
    assert kept.still == (1, 5)
    assert not kept.response.log_gain[[1, 5]].any()
    np.testing.assert_array_equal(kept.response.log_gain[others], found.response.log_gain[others])


def test_weights_make_up_for_shares_in_closed_form():
    """Half and half against .8 and .2: of each type, both batches then hold the lesser share."""
    spots = np.array([[0.0, 0.0], [8.0, 8.0]])
    a, b = np.repeat([0, 1], [500, 500]), np.repeat([0, 1], [320, 80])
    weights = balance(spots[a], spots[b], seed=0)
    # Of two clusters a cell belongs to its own by 1 - f, to the other by exp(-2) - f, but for the sum.
    own, other = 1 - FAINT, np.exp(-2) - FAINT
    mix = np.array([[own, other], [other, own]]) / (own + other)
    shares = [mix @ (np.bincount(kind) / len(kind)) for kind in (a, b)]
    for found, kind, share in zip(weights, (a, b), shares, strict=True):
        wanted = mix @ (np.minimum(*shares) / share)
        np.testing.assert_allclose(found, wanted[kind], atol=1e-5)
    assert weights.reference[0] > 1.5 * weights.reference[-1]
    assert weights.cells[0] < weights.cells[-1]


def test_weights_are_never_zero_even_where_nothing_corresponds():
    cells = np.random.default_rng(0).normal(size=(500, 3))
    weights = balance(cells, cells + 30, seed=0)
    for own in weights:
        assert 0 < own.min() <= own.max() < 1e-3


@pytest.mark.parametrize(("gain", "brought"), [(np.log(12), True), (8.0, False)])
def test_batches_that_lie_apart_altogether_are_brought_together_by_what_an_instrument_can_do(gain, brought):
    rng = np.random.default_rng(0)
    reference, truth = rng.normal(5, 0.3, (2, 500, 3))
    cells, units = truth - gain, Standardise(np.full(3, 5, np.float32), np.full(3, 0.3, np.float32))
    reference, cells = units.to_units(reference), units.to_units(cells)
    found = fit_start(reference, cells, units=units, seed=0)
    apart = np.abs(found.maps(cells).mean(axis=0) - reference.mean(axis=0))
    if brought:
        assert apart.max() < 0.25
        np.testing.assert_allclose(found.maps(cells).std(axis=0), reference.std(axis=0), atol=0.15)
    else:
        assert apart.min() > 2


@pytest.mark.parametrize(
    ("wanted", "sizes", "n"), [(28, (10_000, 9_000), 28), (28, (400, 9_000), 10), (10, (3, 5), 1)]
)
def test_the_smaller_batch_says_how_many_clusters_it_carries(wanted, sizes, n):
    assert carried(wanted, *sizes) == n


def play(reference, positions, weights, tie, rounds=30):
    generator = play_game(reference, positions, weights, tie, rounds=rounds, seed=0, device=CPU)
    return Mover(generator=generator)(positions)


def test_the_game_sees_cells_by_their_weights():
    """The reference has a second type, of weight 0: the generator must not be drawn there."""
    rng = np.random.default_rng(0)
    positions = rng.normal(0, 0.2, (300, 2))
    reference = rng.normal(np.repeat([[0, 0], [2, 0]], 150, axis=0), 0.2)
    counts = np.repeat([1.0, 1e-9], 150)
    weighted, even = (
        play(reference, positions, Weights(weight, np.ones(300)), None) for weight in (counts, np.ones(300))
    )
    assert abs(weighted[:, 0].mean()) < 0.4
    assert even[:, 0].mean() > 0.7


def test_the_tie_to_the_start_holds_the_generator_back():
    rng = np.random.default_rng(0)
    positions, reference = rng.normal(0, 0.2, (300, 2)), rng.normal([1.0, 0], 0.2, (300, 2))
    even = Weights(np.ones(300), np.ones(300))
    free, tied = (play(reference, positions, even, tie) for tie in (None, stay_near(2)))
    assert 0.1 < np.abs(tied - positions).mean() < 0.8 * np.abs(free - positions).mean()


def test_same_seed_same_start_and_passes(blood):
    reference, cells, units = blood[0][:300], blood[1][:300], blood[4]
    found = []
    for seed in (0, 0, 1):
        start = fit_start(reference, cells, units=units, seed=seed).maps
        batch = BatchMapping(start, units)
        mover = Mover(start, passes=fit_passes(reference, cells, start(cells), seed=seed, batch=batch))
        found.append(mover(cells).tobytes())
    assert found[0] == found[1] != found[2]
