"""Scores: a known shift is measured, composition is not, and what cannot be measured is not made up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellgan.cytof.evaluate import N_WEIGHTED, HeldOut, Scores, weighted_auc

N_MARKERS = 4


@pytest.fixture(scope="module")
def spots():
    """Eight types far apart, three markers each told by bits, a fourth that is noise."""
    corners = np.array(np.meshgrid([0, 8], [0, 8], [0, 8])).reshape(3, -1).T
    return np.hstack([corners, np.zeros((8, 1))])


def draw(spots, seed, *, n=1000, shares=None):
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(spots), n, p=shares)
    return spots[kind] + rng.normal(0, 0.5, (n, N_MARKERS))


@pytest.fixture(scope="module")
def reference(spots):
    return draw(spots, 0)


@pytest.fixture(scope="module")
def other(spots):
    """The same population, measured again."""
    return draw(spots, 1)


@pytest.fixture(scope="module")
def held_out(reference, other):
    return HeldOut(reference, other, seed=0)


@pytest.fixture(scope="module")
def untouched(held_out, other):
    return held_out.score(other)


def test_the_same_population_scores_like_two_halves_of_one_sample(held_out, untouched):
    floor = held_out.floor()
    assert untouched.emd == pytest.approx(floor["emd"], abs=0.03)
    assert untouched.emd < 0.15
    assert untouched.auc == pytest.approx(0.5, abs=0.06)
    assert floor["auc"] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("marker", "shift"), [(0, 0.8), (3, 0.8), (3, -2.0)])
def test_a_shift_is_measured_in_the_units_of_the_cells(held_out, other, untouched, marker, shift):
    moved = other.copy()
    moved[:, marker] += shift
    scores = held_out.score(moved)
    assert scores.emd_by_marker[marker] == pytest.approx(abs(shift), abs=0.06)
    rest = np.delete(np.arange(N_MARKERS), marker)
    np.testing.assert_allclose(scores.emd_by_marker[rest], untouched.emd_by_marker[rest], atol=0.02)
    assert scores.emd == pytest.approx(scores.emd_by_marker.mean())
    assert scores.moved_by_marker[marker] == pytest.approx(abs(shift))
    assert scores.moved == pytest.approx(abs(shift) / N_MARKERS)


def test_another_spread_around_the_same_mean_is_a_distance(held_out, other, untouched):
    """Between normal distributions of SD .5 and 1 it is .5 E|z|."""
    wide = other.copy()
    wide[:, 3] *= 2
    assert held_out.score(wide).emd_by_marker[3] == pytest.approx(0.5 * math.sqrt(2 / math.pi), abs=0.05)


def test_a_shift_far_below_the_noise_of_an_instrument_is_not_told_apart(spots):
    """Zeros here and hundredths there would give every cell away."""
    one, two = draw(spots, 4), draw(spots, 5)
    one[:, 3], two[:, 3] = 0, 0.01
    assert HeldOut(one, two, seed=0).score(two).auc == pytest.approx(0.5, abs=0.08)


def test_few_cells_are_compared_in_fewer_clusters(reference, other):
    scores = HeldOut(reference[:60], other[:60], seed=0).score(other[:60] + np.array([0, 0, 0, 1.5]))
    assert scores.emd_by_marker[3] == pytest.approx(1.5, abs=0.2)
    assert 0.7 < scores.auc <= 1


def test_the_larger_the_shift_the_worse_every_figure(held_out, other):
    there = [held_out.score(other + np.array([0, 0, 0, shift])) for shift in (0.0, 0.4, 1.2)]
    for figure in ("emd", "auc", "cost"):
        values = [getattr(scores, figure) for scores in there]
        assert values == sorted(values)
        assert values[-1] > values[0] + 0.2
    assert there[-1].auc > 0.9


def test_a_type_that_is_missing_is_no_distance(spots, reference):
    shares = np.array([0, 1, 1, 1, 1, 1, 1, 1]) / 7
    lacking = draw(spots, 2, shares=shares)
    scores = HeldOut(reference, lacking, seed=0).score(lacking)
    assert scores.emd < 0.15
    assert scores.auc == pytest.approx(0.5, abs=0.06)
    plain = np.abs(
        np.quantile(reference, np.linspace(0.01, 0.99, 50), axis=0)
        - np.quantile(lacking, np.linspace(0.01, 0.99, 50), axis=0)
    )
    assert plain.mean() > 0.3, "figures over all cells would not have seen it either"


def test_other_shares_of_the_types_are_no_distance(spots, reference):
    shares = np.array([4, 1, 4, 1, 4, 1, 4, 1]) / 20
    scores = HeldOut(reference, draw(spots, 3, shares=shares), seed=0).score(draw(spots, 3, shares=shares))
    assert scores.emd < 0.15
    assert scores.auc == pytest.approx(0.5, abs=0.06)


def test_cells_keep_all_their_neighbours_where_they_stay_and_hardly_any_if_shuffled(
    held_out, other, untouched
):
    assert untouched.neighbours == 1
    shuffled = np.random.default_rng(0).permutation(other)
    assert held_out.score(shuffled).neighbours < 0.05
    assert held_out.score(3 * other + 1).neighbours == 1  # neighbours are those of standardised cells


def test_neighbours_are_those_of_a_slow_loop(other):
    few, rng = other[:60], np.random.default_rng(0)
    moved = few + rng.normal(0, 0.4, few.shape)

    def fifteen(cells):
        scaled = cells / cells.std(axis=0)
        gaps = np.linalg.norm(scaled[:, None] - scaled, axis=2)
        return [set(np.argsort(row)[1:16]) for row in gaps]

    wanted = np.mean([len(a & b) / 15 for a, b in zip(fifteen(few), fifteen(moved), strict=True)])
    assert HeldOut(other, few, seed=0).score(moved).neighbours == pytest.approx(wanted)


def test_cost_does_not_reward_being_below_a_guess():
    scores = [Scores(0.2, auc, 1.0, 0.0, np.zeros(1), np.zeros(1)).cost for auc in (0.4, 0.5, 0.6)]
    assert scores == pytest.approx([0.2, 0.2, 0.4])


@pytest.mark.parametrize(("n_reference", "n_cells"), [(0, 0), (0, 50), (1, 1), (50, 1), (1, 50)])
def test_too_few_cells_score_nothing_at_all(reference, other, n_reference, n_cells):
    held_out = HeldOut(reference[:n_reference], other[:n_cells], seed=0)
    scores = held_out.score(other[:n_cells])
    assert all(math.isnan(value) for value in (scores.emd, scores.auc, scores.neighbours, scores.moved))
    assert np.isnan(scores.emd_by_marker).all()
    assert scores.emd_by_marker.shape == scores.moved_by_marker.shape == (N_MARKERS,)
    assert all(math.isnan(value) for value in held_out.floor().values())


def test_clusters_of_too_few_cells_are_not_compared(reference, other):
    """Nineteen cells of a batch are not enough for any cluster, though they can be moved."""
    scores = HeldOut(reference, other[:19], seed=0).score(other[:19] + 1)
    assert math.isnan(scores.emd)
    assert math.isnan(scores.auc)
    assert scores.moved == pytest.approx(1)


def test_same_seed_same_scores(reference, other):
    found = [HeldOut(reference, other, seed=seed).score(other + 0.1) for seed in (0, 0, 1)]
    assert (found[0].emd, found[0].auc) == (found[1].emd, found[1].auc)
    assert found[0].auc != found[2].auc


def ones(*sides):
    return tuple(np.ones(len(side)) for side in sides)


def test_without_a_difference_the_classifier_of_weighted_cells_guesses(reference, other):
    assert weighted_auc(reference, other, ones(reference, other), seed=0) == pytest.approx(0.5, abs=0.05)
    moved = other + np.array([0, 0, 0, 1.0])
    assert weighted_auc(reference, moved, ones(reference, other), seed=0) > 0.8


def test_weights_take_a_difference_of_composition_away(spots, reference):
    """A type that weighs three times as much where it is three times as rare is no difference."""
    shares = np.array([4, 1, 4, 1, 4, 1, 4, 1]) / 20
    other = draw(spots, 3, shares=shares)
    kind = np.argmin(((other[:, None, :3] - spots[None, :, :3]) ** 2).sum(axis=2), axis=1)
    told = weighted_auc(reference, other, ones(reference, other), seed=0)
    balanced = weighted_auc(reference, other, (np.ones(1000), 1 / (8 * shares[kind])), seed=0)
    assert told > 0.6
    assert balanced == pytest.approx(0.5, abs=0.05)


def test_cells_without_weight_are_not_asked(spots, reference, other):
    """A fifth of the cells lie where no other does, which would tell them at once."""
    strange = other.copy()
    strange[:200, 3] += 9
    weights = np.ones(1000)
    assert weighted_auc(reference, strange, (np.ones(1000), weights), seed=0) > 0.57
    weights[:200] = 0
    found = weighted_auc(reference, strange, (np.ones(1000), weights), seed=0)
    assert found == pytest.approx(0.5, abs=0.05)


def test_either_side_weighs_the_same_however_many_cells_it_has(reference, other):
    one = weighted_auc(reference, other, ones(reference, other), seed=0)
    same = weighted_auc(reference, other, (np.full(1000, 1e-3), np.full(1000, 7.0)), seed=0)
    assert same == pytest.approx(one, abs=1e-9)
    few = other[:150] + np.array([0, 0, 0, 1.0])
    assert weighted_auc(reference, few, ones(reference, few), seed=0) > 0.75


def test_of_many_cells_the_first_are_asked(spots):
    """They come in an order drawn at random."""
    sides = [draw(spots, seed, n=N_WEIGHTED + 500) for seed in (6, 7)]
    sides[1][:, 3] += 0.4
    far = [side.copy() for side in sides]
    far[1][N_WEIGHTED:] += 50
    found, same = (weighted_auc(*each, ones(*each), seed=0) for each in (sides, far))
    assert found == same
    assert found > 0.6
