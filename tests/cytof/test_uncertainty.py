"""Uncertainty of aligned values: counting by closed form, the rest by how often the truth lies within it."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof import uncertainty as module
from cellgan.cytof.correspondence import fit_mover, fit_start
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.pair import align_pair
from cellgan.cytof.transform import Standardise, to_arcsinh
from cellgan.cytof.uncertainty import (
    LEAST,
    Uncertainty,
    background_noise,
    counting_noise,
    fit_uncertainty,
    fit_way_back,
    undetected,
)

ARCSINH = 5.0


def units_of(n_markers: int) -> Standardise:
    """Units in which values are on the arcsinh scale already."""
    return Standardise(np.zeros(n_markers, np.float32), np.ones(n_markers, np.float32))


@pytest.mark.parametrize("ions", [0.2, 0.5, 1.0, 2.0, 3.0])
def test_counting_noise_is_that_of_poisson_counts(ions):
    """Two instruments look at one cell: the first counts what chance lets through, both smear."""
    rng, n = np.random.default_rng(0), 200_000
    measured = to_arcsinh(rng.poisson(ions, n) - rng.random(n), ARCSINH)
    truth = to_arcsinh(ions - rng.random(n), ARCSINH)
    drawn = np.sqrt(((measured - truth) ** 2).mean())
    assert counting_noise(np.arcsinh(ions / 5)) == pytest.approx(drawn, rel=0.08)
    delta = np.sqrt((ions + 1 / 6) / (ions**2 + 25))  # the arcsinh of x / 5 rises by 1 / sqrt(x^2 + 25)
    assert counting_noise(np.arcsinh(ions / 5)) == pytest.approx(delta, rel=1e-9)


def test_counting_matters_less_and_less_beyond_the_background():
    ions = np.array([3.0, 10.0, 100.0, 10_000.0])
    noise = counting_noise(np.arcsinh(ions / 5))
    np.testing.assert_allclose(noise, np.sqrt((3 + 1 / 6) / (ions**2 + 25)))
    # Below nothing there is nothing to count but the smear.
    np.testing.assert_allclose(counting_noise(np.array([-2.0, 0.0])), np.sqrt(1 / 6) / 5)


def test_values_beyond_any_instrument_do_not_overflow():
    noise = counting_noise(np.array([12.0, 800.0, 1e30]))
    assert (noise == noise[0]).all()
    assert 0 < noise[0] < 1e-4


def blood(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Standardise]:
    """Reference, batch and truth in standard units."""
    a, b = cellgan.simulate(n_cells=1500, n_markers=20, seed=seed)
    scaled = [to_arcsinh(counts, ARCSINH) for counts in (a.X, b.X, b.layers["truth"])]
    units = Standardise.of(scaled[0])
    return *(units.apply(each).astype(float) for each in scaled), units


def cluster_maps(reference: np.ndarray, cells: np.ndarray, units: Standardise) -> Mover:
    return fit_mover(reference, cells, units=units, seed=0)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held = []
    for seed in range(3):
        reference, cells, truth, units = blood(seed)
        mover = cluster_maps(reference[300:], cells, units)
        back = fit_way_back(reference[300:], cells, units=units, seed=0)
        found = fit_uncertainty(mover, back, cells, reference[:300], units=units)
        aligned = mover(cells)
        inside = np.abs(aligned - truth) <= 1.645 * found(aligned)
        held.append(inside.mean())
        assert 0.75 < held[-1] < 0.98
        assert (
            np.abs(aligned - truth) <= 0.5 * found(aligned)
        ).mean() < 0.65  # and they are no wider than that
    assert 0.80 < np.mean(held) < 0.98


def test_what_is_stretched_is_less_certain():
    """The first marker is stretched fourfold where it is bright, the second everywhere."""
    rng = np.random.default_rng(0)
    cells, more = rng.uniform(3.0, 3.9, (2, 1000, 2))
    knots = np.array([[3.0, 3.0], [3.45, 3.45], [3.9, 3.9]])
    mover = Mover(MarkerMaps(knots, np.array([[0.0, 0.0], [0.45, 1.8], [2.25, 3.6]])))
    reference = mover(more)
    back = fit_way_back(reference[200:], cells, units=units_of(2), seed=0)
    found = fit_uncertainty(mover, back, cells, reference[:200], units=units_of(2))
    at = np.array([[3.2, 3.2], [3.7, 3.7]])
    expected = np.array([[1, 4], [4, 4]]) * counting_noise(at)
    sd = found(mover(at))
    np.testing.assert_allclose(sd[1] / sd[0], expected[1] / expected[0], rtol=0.1)
    assert sd[0, 1] > 2 * sd[0, 0]
    assert found.sd.shape == found.level.shape == (module.N_LEVELS, 2)
    assert (np.diff(found.level, axis=0) > 0).all()


def test_beyond_what_was_seen_it_stays_as_it_was_at_the_end():
    known = Uncertainty(np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[0.1, 1.0], [0.3, 3.0]]))
    cells = np.array([[-9.0, -9.0], [0.5, 0.5], [9.0, 9.0]])
    np.testing.assert_allclose(known(cells), [[0.1, 1.0], [0.2, 1.5], [0.3, 3.0]])
    np.testing.assert_allclose(known.scaled(3)(cells), 3 * known(cells))
    np.testing.assert_array_equal(known.scaled(3).level, known.level)


def test_clusters_that_disagree_make_a_value_uncertain():
    reference, cells, _, units = blood(0)
    mover = cluster_maps(reference, cells, units)
    *early, last = mover.passes
    assert len(last) > 1
    alone = [Mover(mover.start, passes=(*early, (maps,))) for maps in last]
    apart = np.std([one(cells) for one in alone], axis=0, ddof=1)
    np.testing.assert_allclose(module._disagreement(mover, cells), apart, rtol=1e-6, atol=1e-9)
    assert apart.mean() > 0.01
    assert not module._disagreement(alone[0], cells).any()
    assert not module._disagreement(Mover(mover.start), cells).any()


def test_nothing_is_known_better_than_the_least():
    """Bright cells that stay where they are: neither counting nor clusters leave anything open."""
    cells = np.random.default_rng(0).uniform(11, 12, (300, 2))
    found = fit_uncertainty(Mover(), Mover(), cells, cells[:50], units=units_of(2))
    assert found.sd.min() >= LEAST


def test_without_held_out_cells_the_reference_is_sent_there_and_back():
    """Four cells are too few to hold one out."""
    reference, cells, _, units = blood(1)
    reference, cells = reference[:4], cells[:4]
    pair = align_pair(reference, cells, units=units, config=cellgan.AlignConfig(method="quantiles"))
    assert pair.held_out == (0, 0)
    back = fit_way_back(reference, cells, units=units, seed=0)
    found = fit_uncertainty(pair.mover, back, cells, reference, units=units)
    np.testing.assert_array_equal(pair.uncertainty.sd, found.sd)
    assert np.isfinite(found.sd).all()


def test_one_cell_that_shines_beyond_all():
    reference, cells, _, units = blood(2)
    reference, cells = reference[:300], cells[:300].copy()
    cells[0, 0] = 1e6
    mover = cluster_maps(reference, cells, units)
    back = fit_way_back(reference, cells, units=units, seed=0)
    found = fit_uncertainty(mover, back, cells, reference[:60], units=units)
    assert np.isfinite(found(mover(cells))).all()


def test_an_effect_so_small_would_not_have_been_noticed():
    np.testing.assert_array_equal(undetected(3, 0.07)(np.array([[-5.0, 0.0, 9.0]])), [[0.07] * 3])
    reference, *_, units = blood(0)
    pair = align_pair(
        reference[::2], reference[1::2], units=units, config=cellgan.AlignConfig(rounds=2, method="matched")
    )
    assert pair.chosen == "nothing"
    assert pair.evidence.answer == "nothing"
    (distance,) = np.unique(pair.uncertainty(reference))
    assert distance == pair.floor["emd"] > 0


def test_where_nothing_is_known_cells_may_be_off_by_as_much_as_they_vary(drawn_types):
    reference, cells = (
        np.arcsinh(drawn_types(kinds, 600, seed=seed)[0])
        for seed, kinds in enumerate(([0, 1, 2, 3], [4, 5, 6]))
    )
    units = Standardise.of(reference.astype(np.float32))
    sides = map(units.to_units, (reference, cells))
    pair = align_pair(*sides, units=units, config=cellgan.AlignConfig(rounds=2))
    assert (pair.chosen, pair.evidence.answer) == ("nothing", "unknown")
    np.testing.assert_array_equal(pair.uncertainty(reference), 1.0)


def test_the_way_back_leads_into_the_batchs_frame():
    _, cells, truth, units = blood(0)
    back = fit_way_back(truth, cells, units=units, seed=0)
    start = fit_start(truth, cells, units=units, seed=0).maps
    led = fit_way_back(truth, cells, units=units, seed=0, start=start)
    gaps = [np.sqrt(((each - cells) ** 2).mean()) for each in (truth, back(truth), led(truth))]
    assert max(gaps[1:]) < 0.5 * gaps[0]
    assert led(truth).tobytes() != back(truth).tobytes()
    again, other = (fit_way_back(truth, cells, units=units, seed=seed)(truth).tobytes() for seed in (0, 1))
    assert back(truth).tobytes() == again != other


def test_background_that_one_instrument_adds_makes_its_faint_cells_uncertain():
    rng = np.random.default_rng(0)
    counts = rng.exponential(3.0, (3000, 3)) * (rng.random((3000, 3)) < 0.7)
    added = rng.poisson([0.0, 1.5, 0.0], counts.shape)
    reference, cells = counts[:1500] - rng.random((1500, 3)), (counts + added)[1500:] - rng.random((1500, 3))
    scaled = [np.arcsinh(side / 5) for side in (reference, cells)]
    units = units_of(3)
    noise = background_noise(scaled[1], scaled[0], units)
    faint = np.argmin(np.abs(scaled[1]), axis=0)
    at_zero = noise[faint, range(3)]
    assert at_zero[1] == pytest.approx(np.sqrt(1.5) / 5, rel=0.15)
    assert at_zero[[0, 2]].max() < 0.6 * at_zero[1]
    bright = np.arcsinh(np.full((1, 3), 500 / 5))
    assert background_noise(np.vstack([scaled[1], bright]), scaled[0], units)[-1].max() < 0.01
    # The other way round, it is the truth that is uncertain, and nothing is told of that.
    assert (background_noise(scaled[0], scaled[1], units)[:, 1] == 0).all()


def test_without_zeros_on_either_side_there_is_no_background():
    cells = np.random.default_rng(0).uniform(1, 3, (200, 2))
    assert not background_noise(cells, cells + 0.1, units_of(2)).any()
