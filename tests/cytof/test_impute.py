"""Imputed values: in the range and units that were measured, learned from some cells, spread as others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from cellgan.cytof import impute as module
from cellgan.cytof.impute import HELD_OUT, MAX_HELD_OUT, Imputer, fit_imputer
from cellgan.cytof.regression import apply_network, fit_network

CPU = torch.device("cpu")
GAIN = 0.8  # of the first marker; noise makes its variance one, so that r is 0.8


def cells(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two shared markers and two others: one half known by them, one that most cells do not show."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(3, [1, 0.5], (n, 2))
    first = GAIN * (shared[:, 0] - 3) + np.sqrt(1 - GAIN**2) * rng.normal(size=n) + 10
    second = np.where(rng.random(n) < 0.3, rng.gamma(9, 0.5, n), 0)
    return shared, np.column_stack([first, second])


def fit(n: int = 2000, *, seed: int = 0, **parts) -> Imputer:
    return fit_imputer(*cells(n, seed=0), seed=seed, device=CPU, **parts)


@pytest.fixture(autouse=True)
def short_game(monkeypatch):
    monkeypatch.setattr(module, "fit_network", partial(fit_network, rounds=60))


@pytest.fixture(scope="module")
def imputer() -> Imputer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit_network", partial(fit_network, rounds=300))
        return fit()


def test_expected_values_are_those_of_the_closed_form_in_measured_units(imputer):
    shared, _ = cells(2000, seed=1)
    found = imputer.expected(shared)
    wanted = np.column_stack([GAIN * (shared[:, 0] - 3) + 10, np.full(2000, 0.3 * 4.5)])
    # The least squares of 1600 cells would be off by 0.03 and 0.1.
    assert np.sqrt(((found - wanted) ** 2).mean(axis=0)) == pytest.approx([0, 0], abs=0.3)
    assert np.corrcoef(found[:, 0], wanted[:, 0])[0, 1] > 0.98


def test_draws_are_distributed_as_measured_values_and_expected_values_are_not(imputer):
    shared, others = cells(4000, seed=1)
    expected, sd, draws = imputer(shared, draws=2, seed=0)
    for marker, spread in enumerate(others.std(axis=0)):
        for draw in draws:
            assert wasserstein_distance(draw[:, marker], others[:, marker]) < 0.1 * spread
            assert draw[:, marker].std() == pytest.approx(spread, rel=0.12)
        assert wasserstein_distance(expected[:, marker], others[:, marker]) > 0.13 * spread
        assert expected[:, marker].std() < 0.85 * spread
    # With r = 0.8, expected values keep 0.8 of the spread, and what is left of it is 0.6.
    assert expected[:, 0].std() == pytest.approx(GAIN, abs=0.08)
    assert np.median(sd[:, 0]) == pytest.approx(np.sqrt(1 - GAIN**2), rel=0.12)
    assert (draws[..., 1] == 0).mean() == pytest.approx(0.7, abs=0.06)


def test_draws_follow_the_cell_they_are_drawn_for(imputer):
    """The correlation of a draw with the shared marker is that of measured values."""
    shared, others = cells(4000, seed=1)
    drawn = imputer(shared, draws=1, seed=0).draws[0]
    assert np.corrcoef(shared[:, 0], drawn[:, 0])[0, 1] == pytest.approx(GAIN, abs=0.08)
    assert abs(np.corrcoef(shared[:, 0], drawn[:, 1])[0, 1]) < 0.08


def test_no_cell_is_expected_to_show_what_none_has_shown(imputer):
    far = np.array([[-500.0, 3.0], [500.0, 3.0], [3.0, -500.0], [3.0, 500.0]])
    measured = imputer.conditional.measured
    low, high = measured.min(axis=0), measured.max(axis=0)
    found = imputer.expected(far)
    assert ((low <= found) & (found <= high)).all()
    assert {low[0], high[0]} <= set(found[:, 0])
    standard = imputer.inputs.apply(far.astype(np.float32)).astype(float)
    free = imputer.outputs.invert(apply_network(imputer.network, standard))
    assert (np.maximum(low - free, free - high) > 10).any(axis=0).all()
    draws = imputer(far, draws=5, seed=0).draws
    assert ((low <= draws) & (draws <= high)).all()


def test_what_comes_back(imputer):
    found = imputer(cells(70, seed=1)[0].astype(np.float32), draws=3, seed=0)
    assert [part.shape for part in found] == [(70, 2), (70, 2), (3, 70, 2)]
    assert {part.dtype for part in found} == {np.dtype(np.float32)}
    assert all(np.isfinite(part).all() for part in found)
    assert (found.sd > 0).all()


def test_held_out_cells_are_not_learned_from(monkeypatch):
    shared, others = cells(500, seed=0)
    given = []

    def spy(inputs, outputs, **settings):
        given.append((inputs, outputs))
        return fit_network(inputs, outputs, **settings, rounds=1)

    monkeypatch.setattr(module, "fit_network", spy)
    imputer = fit(500)
    ((inputs, outputs),) = given
    known = imputer.held_out
    assert (len(inputs), len(known)) == (500 - HELD_OUT * 500, HELD_OUT * 500)
    # Row by row: every cell is on one side, with its own values.
    learned = np.hstack([imputer.inputs.invert(inputs), imputer.outputs.invert(outputs)])
    kept = np.hstack([known, imputer.conditional.measured])
    found, all_cells = np.concatenate([learned, kept]), np.hstack([shared, others])
    for each in (found, all_cells):
        each[:] = each[np.argsort(each[:, 0])]
    np.testing.assert_allclose(found, all_cells, atol=1e-4)
    np.testing.assert_array_equal(imputer.conditional.expected, imputer.expected(known))


def test_no_more_cells_are_held_out_than_are_needed(monkeypatch):
    monkeypatch.setattr(module, "fit_network", partial(fit_network, rounds=1))
    assert len(fit(9_000).held_out) == 1_800
    assert len(fit(12_000).held_out) == MAX_HELD_OUT


def test_a_network_that_saw_the_known_cells_would_take_its_errors_for_smaller():
    """Why cells are held out: with 60 cells and noise alone to learn, the network learns them by heart."""
    rng = np.random.default_rng(0)
    shared, noise = rng.normal(size=(60, 8)), rng.normal(size=(60, 1))
    network = fit_network(shared, noise, seed=0, device=CPU, rounds=300)
    by_heart = (noise - apply_network(network, shared)).std()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit_network", partial(fit_network, rounds=300))
        found = fit_imputer(shared, noise, seed=0, device=CPU)
    assert by_heart < 0.5
    assert found.conditional.sd(np.zeros((1, 1)))[0, 0] > 0.7


def test_the_same_seed_gives_the_same_bytes():
    shared, _ = cells(100, seed=1)
    one, same, other = (fit(400, seed=seed)(shared, draws=1, seed=0) for seed in (0, 0, 1))
    for found, again, different in zip(one, same, other, strict=True):
        assert found.tobytes() == again.tobytes() != different.tobytes()


def test_draws_have_a_seed_of_their_own(imputer):
    shared, _ = cells(300, seed=1)
    one, same, other = (imputer(shared, draws=1, seed=seed) for seed in (0, 0, 1))
    assert one.draws.tobytes() == same.draws.tobytes() != other.draws.tobytes()
    assert one.expected.tobytes() == other.expected.tobytes()


def test_units_of_the_other_markers_change_nothing_but_themselves():
    shared, others = cells(400, seed=0)
    one = fit(400)(shared, draws=1, seed=0)
    moved = fit_imputer(shared * 3 - 7, others * 10 + 5, seed=0, device=CPU)(shared * 3 - 7, draws=1, seed=0)
    np.testing.assert_allclose(moved.expected, one.expected * 10 + 5, atol=0.02)
    np.testing.assert_allclose(moved.sd, one.sd * 10, rtol=0.05)


def test_without_a_known_cell_nothing_bounds_expected_values(imputer):
    nothing = imputer.conditional.measured[:0]
    blank = replace(imputer, conditional=replace(imputer.conditional, expected=nothing, measured=nothing))
    assert blank.expected(np.array([[500.0, 3.0]]))[0, 0] > imputer.conditional.measured[:, 0].max()


def test_a_marker_with_a_single_value_is_imputed_as_such():
    shared, others = cells(400, seed=0)
    others[:, 1] = 2.5
    found = fit_imputer(shared, others, seed=0, device=CPU)(shared[:50], draws=2, seed=0)
    assert (found.expected[:, 1] == 2.5).all()
    assert (found.draws[..., 1] == 2.5).all()
    assert not found.sd[:, 1].any()
    assert found.expected[:, 0].std() > 0.1
