"""How values are spread around expected ones: closed forms, and draws that are like measured values."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import conditional as module
from cellgan.cytof.conditional import Conditional

Z = 1.6449  # 95 % of normal values lie below


def known(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Expected and measured values, (n, 1): the higher the expected value, the wider the spread."""
    rng = np.random.default_rng(seed)
    expected = rng.uniform(size=(n, 1))
    measured = expected + (0.5 + expected) * rng.normal(size=(n, 1))
    return expected.astype(np.float32), measured.astype(np.float32)


def together(n: int, *, seed: int, n_markers: int = 2, least: float = 0.0) -> Conditional:
    """Residuals of the first two markers go together in cells that are expected to be bright, and opposite
    in the others; the rest is noise."""
    rng = np.random.default_rng(seed)
    expected = rng.uniform(-0.1, 0.1, (n, n_markers)) + least
    sign = np.where(rng.random(n) < 0.5, 1.0, -1.0)
    expected[:, -1] += 10 * sign
    residuals = rng.normal(size=(n, n_markers))
    residuals[:, 1] = sign * (0.9 * residuals[:, 0] + np.sqrt(1 - 0.9**2) * residuals[:, 1])
    return Conditional(expected.astype(np.float32), (expected + residuals).astype(np.float32))


def residual_correlation(conditional: Conditional, drawn: np.ndarray, *, bright: bool) -> float:
    rows = (conditional.expected[:, -1] > 0) == bright
    return np.corrcoef((drawn - conditional.expected)[rows, :2].T)[0, 1]


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.95])
def test_quantiles_are_those_of_the_closed_form_at_every_expected_value(share):
    """Of 150 cells each is off by 0.17 standard deviations at most; the mean of 20 seeds, by 0.04."""
    z = {0.05: -Z, 0.25: -0.6745, 0.5: 0.0, 0.95: Z}[share]
    at = np.array([[0.1], [0.5], [0.9]])
    found = np.mean([Conditional(*known(2000, seed=seed)).quantile(at, share) for seed in range(20)], axis=0)
    np.testing.assert_allclose((found - at) / (0.5 + at), z, atol=0.12)


def test_sd_is_that_of_the_closed_form_at_every_expected_value():
    at = np.array([[0.1], [0.5], [0.9]])
    found = np.mean([Conditional(*known(2000, seed=seed)).sd(at) for seed in range(20)], axis=0)
    np.testing.assert_allclose(found, 0.5 + at, rtol=0.06)  # one spread for all would be 1.0 everywhere


def test_beyond_all_expected_values_it_stays_as_it_was_at_the_end():
    conditional = Conditional(*known(1000, seed=0))
    ends = conditional.expected.min(), conditional.expected.max()
    for beyond, end in zip((-50, 50), ends, strict=True):
        far, near = np.array([[beyond]]), np.array([[end]])
        assert conditional.sd(far) == conditional.sd(near)
        assert conditional.quantile(far, 0.95) == conditional.quantile(near, 0.95)
    assert conditional.sd(np.array([[50]])) > 1.5 * conditional.sd(np.array([[-50]]))


def test_zeros_stay_zeros_at_the_rate_that_belongs_to_the_expected_value():
    rng = np.random.default_rng(0)
    share = rng.uniform(0.1, 0.9, (4000, 1))  # of cells that show the marker
    measured = np.where(rng.random((4000, 1)) < share, rng.uniform(2, 3, (4000, 1)), 0.0)
    conditional = Conditional((2.5 * share).astype(np.float32), measured.astype(np.float32))
    for at in (0.2, 0.5, 0.8):
        drawn = conditional.draw(np.full((3000, 1), 2.5 * at, np.float32), draws=1, seed=0)[0]
        assert (drawn > 0).mean() == pytest.approx(at, abs=0.12)  # of 150 cells, three times 0.04
        assert ((drawn == 0) | (drawn >= 2)).all()
    drawn = conditional.draw(conditional.expected, draws=1, seed=0)[0]
    assert (drawn > 0).mean() == pytest.approx((measured > 0).mean(), abs=0.03)
    # An expected value is neither of the two.
    assert ((conditional.expected > 0) & (conditional.expected < 2)).mean() > 0.7


def test_zeros_have_that_rate_even_if_donors_have_another():
    """Who looks alike is decided by a second marker, which is known far better."""
    rng = np.random.default_rng(0)
    share, other = rng.uniform(0.1, 0.9, 4000), rng.uniform(0, 100, 4000)
    measured = np.where(rng.random(4000) < share, rng.uniform(2, 3, 4000), 0.0)
    known = [np.column_stack(pair).astype(np.float32) for pair in ((2.5 * share, other), (measured, other))]
    for at in (0.2, 0.5, 0.8):
        cells = np.column_stack([np.full(3000, 2.5 * at), rng.uniform(0, 100, 3000)])
        drawn = Conditional(*known).draw(cells, draws=1, seed=0)[0]
        assert (drawn[:, 0] > 0).mean() == pytest.approx(at, abs=0.12)


def test_markers_vary_together_as_they_do_in_cells_that_look_alike():
    conditional = together(2000, seed=0)
    drawn = conditional.draw(conditional.expected, draws=1, seed=1)[0]
    assert residual_correlation(conditional, drawn, bright=True) == pytest.approx(0.9, abs=0.05)
    assert residual_correlation(conditional, drawn, bright=False) == pytest.approx(-0.9, abs=0.05)


def test_they_would_not_if_each_marker_had_its_own_donor_or_donors_were_any_cells():
    conditional, rng = together(2000, seed=0), np.random.default_rng(0)
    ranks = conditional._ranks
    for shuffled in (rng.permuted(ranks, axis=0), rng.permutation(ranks)):
        conditional.__dict__["_ranks"] = shuffled  # a cached property: it is found in its place
        drawn = conditional.draw(conditional.expected, draws=1, seed=1)[0]
        for bright in (True, False):
            assert abs(residual_correlation(conditional, drawn, bright=bright)) < 0.1


@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_a_marker_with_a_single_value_disturbs_no_other(constant):
    """Of more than 15 markers neighbours are found by products, where large numbers swallow small ones."""
    conditional = together(1500, seed=0, n_markers=17)
    for values in (conditional.expected, conditional.measured):
        values[:, 5] = constant
    drawn = conditional.draw(conditional.expected, draws=1, seed=1)[0]
    assert (drawn[:, 5] == constant).all()
    assert not conditional.sd(conditional.expected)[:, 5].any()
    assert residual_correlation(conditional, drawn, bright=True) > 0.8
    assert residual_correlation(conditional, drawn, bright=False) < -0.8


def test_every_drawn_value_was_measured_in_some_cell():
    conditional = together(500, seed=0)
    elsewhere = np.random.default_rng(1).uniform(-30, 30, (400, 2)).astype(np.float32)
    drawn = conditional.draw(elsewhere, draws=3, seed=0)
    assert (drawn.shape, drawn.dtype) == ((3, 400, 2), np.float32)
    for marker in (0, 1):
        assert np.isin(drawn[..., marker], conditional.measured[:, marker]).all()
        assert not np.isin(drawn[..., marker], conditional.measured[:, 1 - marker]).any()


def test_draws_are_spread_as_the_closed_form_says():
    expected, measured = known(2000, seed=0)
    drawn = Conditional(expected, measured).draw(np.full((1, 1), 0.5, np.float32), draws=2000, seed=0)
    assert len(np.unique(drawn)) > 20
    assert drawn.mean() == pytest.approx(0.5, abs=0.5)  # of 25 donors: within two standard errors, and a bit
    cells = np.linspace(0.4, 0.6, 2000, dtype=np.float32)[:, None]
    drawn = Conditional(expected, measured).draw(cells, draws=1, seed=0)
    assert drawn.mean() == pytest.approx(0.5, abs=0.12)
    assert drawn.std() == pytest.approx(1.0, rel=0.12)


@pytest.mark.parametrize(("n_known", "n_seeds"), [(500, 10), (20, 40)])
def test_intervals_hold_nine_in_ten_fresh_cells(n_known, n_seeds):
    """On average over seeds, as few known cells as there may be."""
    held = []
    for seed in range(n_seeds):
        conditional = Conditional(*known(n_known, seed=seed))
        expected, measured = known(500, seed=1000 + seed)
        low, high = (conditional.quantile(expected, share) for share in (0.05, 0.95))
        held.append(((low <= measured) & (measured <= high)).mean())
    assert 0.88 < np.mean(held) < 0.92


@pytest.mark.parametrize("n_known", [1, 2, 5, 20, 31])
def test_few_known_cells_do(n_known):
    conditional = Conditional(*known(n_known, seed=0))
    at = np.linspace(-1, 2, 50, dtype=np.float32)[:, None]
    drawn = conditional.draw(at, draws=2, seed=0)
    assert np.isin(drawn, conditional.measured).all()
    assert np.isfinite(conditional.sd(at)).all()
    low, high = (conditional.quantile(at, share) for share in (0.05, 0.95))
    assert (low <= high).all()
    if n_known <= 30:  # one window, of all cells
        assert np.unique(conditional.sd(at)).tolist() == [conditional.measured.std(dtype=float).astype("f4")]


def test_the_same_seed_gives_the_same_draws_and_no_two_draws_are_alike():
    conditional = together(500, seed=0)
    one, same, other = (
        Conditional(conditional.expected, conditional.measured).draw(conditional.expected, draws=3, seed=seed)
        for seed in (5, 5, 6)
    )
    assert one.tobytes() == same.tobytes() != other.tobytes()
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert (one[first] != one[second]).mean() > 0.8


def test_a_bounded_number_of_cells_at_a_time(monkeypatch):
    conditional = together(500, seed=0)
    whole = conditional.draw(conditional.expected, draws=1, seed=0)
    monkeypatch.setattr(module, "ROWS", 77)
    np.testing.assert_array_equal(conditional.draw(conditional.expected, draws=1, seed=0), whole)


def test_it_consists_of_what_it_was_made_of():
    expected, measured = known(100, seed=0)
    found = Conditional(**Conditional(expected, measured).tensors())
    assert found.expected is expected
    assert found.measured is measured
