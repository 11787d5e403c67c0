"""What an instrument can do: known gains are recovered, and what no instrument does is not followed."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import response as module
from cellgan.cytof.correspondence import fit_start
from cellgan.cytof.response import Response, fit_response, reach
from cellgan.cytof.transform import Standardise

LEVELS = np.linspace(0.01, 0.99, 99)
N_MARKERS = 10
SHARED = [0, 1, 2, 3, 4]


def fit(source: np.ndarray, target: np.ndarray, **guess: Response):
    """Fit the quantiles of cells, arcsinh units."""
    quantiles = (np.quantile(each, LEVELS, axis=0) for each in (source, target))
    return fit_response(*quantiles, sd=target.std(axis=0), lowest=target.min(axis=0), **guess)


def test_a_response_is_a_power_a_gain_and_a_background_of_the_signal():
    own = Response(np.log([2.0, 1.0, 1.0, 2.0]), np.log([1.0, 1.0, 1.2, 1.2]), np.array([0.0, 3.0, 0.0, 3.0]))
    signal = np.array([[40.0] * 4, [-0.5] * 4])
    wanted = [
        [80.0, 37.0, 10 * 4**1.2, 2 * 10 * 4**1.2 - 3.0],
        [-1.0, -3.5, -0.5, -4.0],  # noise below zero is scaled, and not bent
    ]
    np.testing.assert_allclose(np.sinh(own(np.arcsinh(signal))), wanted, rtol=1e-9)
    values = np.arcsinh(signal)
    np.testing.assert_allclose(Response.identity(4)(values), values, rtol=1e-9)


def test_values_beyond_any_instrument_stay_finite():
    far = np.full((1, 3), 1e4)
    assert np.isfinite(Response(np.full(3, 3.4), np.full(3, 0.29), np.zeros(3))(np.vstack([far, -far]))).all()


def test_known_gains_and_backgrounds_are_recovered(drawn_types):
    rng = np.random.default_rng(0)
    signal, _ = drawn_types(SHARED, 3000, seed=0)
    log_gain, added = rng.normal(0, 0.8, N_MARKERS), np.arange(N_MARKERS) % 3 == 0
    cells, truth = np.arcsinh((signal + 4.0 * added) / np.exp(log_gain)), np.arcsinh(signal)
    found = fit(cells, truth)
    np.testing.assert_allclose(found.response.log_gain[~added], log_gain[~added], atol=0.05)
    assert np.abs(found.response.background[~added]).max() < 0.1
    assert found.response.background[added].min() > 1
    # Of a background that hides what is faint, only where it leads is known.
    left, before = (np.abs(each - truth).mean(axis=0) for each in (found.response(cells), cells))
    assert (left[~added] < 0.02).all()
    assert (left[added] < 0.2 * before[added]).all()
    assert found.missed.max() < 0.15


def test_where_nothing_differs_the_response_is_the_identity(drawn_types):
    values = np.arcsinh(drawn_types(SHARED, 2000, seed=0)[0])
    found = fit(values, values)
    for own in (found.response.log_gain, found.response.log_power, found.response.background):
        assert np.abs(own).max() == 0
    assert found.missed.max() < 1e-12


def test_a_guess_is_where_the_search_begins(drawn_types):
    """From far off, the steps of a search that begins with a guess do not lead to the best."""
    signal, _ = drawn_types(SHARED, 2000, seed=0)
    target = np.arcsinh(signal)
    cells = np.arcsinh(signal / np.exp(1.0))
    near, far = (Response(np.full(N_MARKERS, gain), *np.zeros((2, N_MARKERS))) for gain in (1.05, -3.0))
    np.testing.assert_allclose(fit(cells, target, guess=near).response.log_gain, 1.0, atol=0.05)
    assert fit(cells, target, guess=far).response.log_gain.max() < 0.5


@pytest.mark.parametrize("own", [[5], [5, 6]])
def test_gains_are_recovered_whatever_a_share_of_foreign_cells(drawn_types, own):
    """A sixth, and two sevenths, of either batch are of types that the other one lacks."""
    rng = np.random.default_rng(1)
    log_gain = rng.normal(0, 0.5, N_MARKERS)
    reference, _ = drawn_types([*SHARED, *(each + 2 for each in own)], 2000, seed=1)
    signal, _ = drawn_types([*SHARED, *own], 2000, seed=2)
    sides = [np.arcsinh(side) for side in (reference, signal / np.exp(log_gain))]
    units = Standardise.of(sides[0].astype(np.float32))
    found = fit_start(*map(units.to_units, sides), units=units, seed=0)
    np.testing.assert_allclose(found.response.log_gain, log_gain, atol=0.15)
    # Quantiles of all cells do not know who is foreign.
    assert np.abs(fit(sides[1], sides[0]).response.log_gain - log_gain).max() > 0.25
    assert found.strength == pytest.approx(log_gain.std(), rel=0.2)


def test_a_population_is_not_turned_into_another():
    """Three in ten are positive here and seven in ten there: quantiles would make up four."""
    rng = np.random.default_rng(0)
    draw = {
        share: np.arcsinh(
            np.sinh(np.where(np.arange(1000) < 1000 * share, 4.0, 0.0)) + rng.normal(0, 0.4, 1000)
        )
        for share in (0.3, 0.7)
    }
    few, many = (draw[share][:, None] for share in (0.3, 0.7))
    found = fit(few, many)
    assert np.abs(found.response(few) - few).max() < 1
    assert found.missed > 0.3


def test_gains_stay_within_what_instruments_do(drawn_types):
    values = np.arcsinh(np.abs(drawn_types(SHARED, 1000, seed=0)[0]) + 3)
    for shift in (-8.0, 8.0):
        found = fit(values, values + shift).response
        assert np.abs(found.log_gain).max() <= module.MOST_GAIN
        assert np.abs(found.log_power).max() <= module.MOST_POWER


def test_reach_is_how_far_a_gain_and_a_background_lead():
    values = np.arcsinh(np.array([[0.0, 10.0], [-0.5, 500.0]]))
    low, high = reach(values, gain=np.log(2), background=1.5)
    np.testing.assert_allclose(np.sinh(low), [[-1.5, 3.5], [-2.0, 248.5]], rtol=1e-9)
    np.testing.assert_allclose(np.sinh(high), [[1.5, 21.5], [1.0, 1001.5]], rtol=1e-9)
    each = reach(values, gain=np.array([0.0, 1.0]), background=np.zeros(2))
    np.testing.assert_allclose([side[:, 0] for side in each], [values[:, 0]] * 2, atol=1e-12)
    # Where a gain may do next to nothing, at zero, it cannot lead far either.
    assert np.ptp(np.concatenate(reach(np.zeros((1, 1)), gain=3.0, background=0.1))) < 0.21


def test_usual_holds_gains_and_backgrounds_to_what_is_usual():
    log_gain, power = np.array([0.5, 0.4, 0.6, 3.0, -3.0]), np.array([0.1, 0.0, -0.1, 0.2, 0.0])
    usual = Response(log_gain, power, np.array([0.1, -0.1, 5.0, -5.0, 0.0])).usual()
    np.testing.assert_allclose(usual.log_gain, [0.5, 0.4, 0.6, 1.0, 0.5 - module.USUAL_GAIN])
    np.testing.assert_array_equal(usual.log_power, power)
    np.testing.assert_allclose(usual.background, [0.1, -0.1, 0.2, -0.2, 0.0])
    assert np.abs(Response(np.full(5, 2.5), power, np.zeros(5)).usual().log_gain).max() == 1.0


def test_without_some_markers_nothing_is_done_to_these():
    own = Response(*np.arange(1.0, 10.0).reshape(3, 3)).without((0, 2))
    np.testing.assert_array_equal(
        [own.log_gain, own.log_power, own.background], [[0, 2, 0], [0, 5, 0], [0, 8, 0]]
    )


def test_strength_is_what_gains_do_not_have_in_common():
    power, background = np.zeros((2, 4))
    assert Response(np.full(4, 2.0), power, background).strength == 0
    assert Response(np.array([1.0, 1.0, 2.0, 0.0]), power, background).strength == pytest.approx(np.sqrt(0.5))
