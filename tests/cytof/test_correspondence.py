"""Who corresponds to whom: balanced weights, a type that one batch lacks, and what the game makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import cellgan
from cellgan.cytof.clusters import FAINT
from cellgan.cytof.correspondence import (
    Weights,
    balance,
    carried,
    fit_passes,
    fit_start,
    play_game,
    stay_near,
)
from cellgan.cytof.mover import Mover
from cellgan.cytof.proposals import quantile_maps
from cellgan.cytof.transform import Standardise, to_arcsinh

CPU = torch.device("cpu")


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a - b) ** 2).mean()))


@pytest.fixture(scope="module")
def blood():
    """Reference, batch without NK cells, its truth, all in standard units; and which cells are NK."""
    a, b = cellgan.simulate(n_cells=800, n_markers=12, seed=0, missing=True)
    scaled = [to_arcsinh(counts, 5.0) for counts in (a.X, b.X, b.layers["truth"])]
    units = Standardise.of(scaled[0])
    return (*(units.apply(each).astype(float) for each in scaled), (a.obs["cell_type"] == "NK").to_numpy())


@pytest.fixture(scope="module")
def start(blood):
    return fit_start(blood[0], blood[1], seed=0)


def test_a_missing_type_is_not_mistaken_for_a_batch_effect(blood, start):
    reference, cells, truth, _ = blood
    plain, balanced = Mover(quantile_maps(reference, cells)), Mover(start)
    assert rmse(balanced(cells), truth) < 0.6 * rmse(cells, truth)
    assert rmse(balanced(cells), truth) < 0.4 * rmse(plain(cells), truth)


def test_a_missing_type_weighs_next_to_nothing(blood, start):
    reference, cells, _, lacking = blood
    weights = balance(reference, Mover(start)(cells), seed=7)
    assert lacking.sum() > 40
    assert weights.reference[lacking].mean() < 0.05
    assert weights.reference[~lacking].mean() > 0.6
    assert weights.cells.mean() > 0.6


def test_taking_turns_is_what_balances(blood, start):
    reference, cells, truth, _ = blood
    once = fit_start(reference, cells, seed=0, turns=1)
    assert rmse(Mover(start)(cells), truth) < 0.97 * rmse(Mover(once)(cells), truth)


def test_maps_within_clusters_undo_what_differs_by_type():
    """Two types, told apart by the second marker, shifted in opposite ways in the first."""
    rng = np.random.default_rng(0)
    kind = np.arange(600) % 2
    home = np.array([[0, 0, 0, 0], [0, 7, 0, 0]])[kind]
    reference, truth = (rng.normal(home, [0.3, 1, 1, 1]) for _ in range(2))
    cells = truth.copy()
    cells[:, 0] += np.array([0.5, -0.5])[kind]
    start = fit_start(reference, cells, seed=0)
    passes = fit_passes(reference, cells, Mover(start)(cells), seed=0)
    there = [Mover(start)(cells)[:, 0], Mover(start, passes=passes)(cells)[:, 0]]
    assert rmse(there[0], truth[:, 0]) > 0.2  # one map for all cells cannot move types in opposite ways
    assert rmse(there[1], truth[:, 0]) < 0.1


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


def test_batches_that_lie_apart_altogether_are_brought_together():
    rng = np.random.default_rng(0)
    reference, cells = rng.normal(size=(500, 3)), rng.normal(size=(500, 3)) + 30
    start = fit_start(reference, cells, seed=0)
    moved = Mover(start, passes=fit_passes(reference, cells, Mover(start)(cells), seed=0))(cells)
    np.testing.assert_allclose(moved.mean(axis=0), reference.mean(axis=0), atol=0.25)
    np.testing.assert_allclose(moved.std(axis=0), reference.std(axis=0), atol=0.15)


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
    reference, cells = blood[0][:300], blood[1][:300]
    found = []
    for seed in (0, 0, 1):
        start = fit_start(reference, cells, seed=seed)
        mover = Mover(start, passes=fit_passes(reference, cells, start(cells), seed=seed))
        found.append(mover(cells).tobytes())
    assert found[0] == found[1] != found[2]
