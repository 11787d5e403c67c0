"""The score of the peers' table, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def peers(peers_module):
    return peers_module("score")


def two_types(peers, rng, *, shift, share=0.5, n=600):
    """Give batches of two types, 4 SD apart in two markers; the other one is shifted within each type."""
    parts, types = [], []
    for own_share, own_shift in ((0.5, 0.0), (share, shift)):
        first = np.arange(n) < own_share * n
        cells = rng.normal(size=(n, 4)) + own_shift
        cells[first, :2] += 4
        parts.append(cells)
        types.append(np.where(first, "T", "B"))
    return peers.Batches(*parts, *types)


def moved(peers, batches, by):
    return peers.Batches(batches.reference, batches.other + by, batches.reference_types, batches.other_types)


def test_the_distance_of_a_shift_is_the_shift(peers):
    cells = np.random.default_rng(0).normal(size=(200, 3))
    assert peers.distance(cells, cells + np.array([0.0, 0.3, 0.9])) == pytest.approx(0.4)


@pytest.mark.parametrize("n_other", [100, 400, 1600])
def test_chance_is_what_two_samples_differ_by(peers, n_other):
    rng = np.random.default_rng(0)
    drawn = [peers.distance(rng.normal(size=(400, 5)), rng.normal(size=(n_other, 5))) for _ in range(40)]
    expected = np.mean([peers.chance_distance(rng.normal(size=(400, 5)), n_other, rng) for _ in range(20)])
    assert expected == pytest.approx(np.mean(drawn), rel=0.1)


@pytest.mark.parametrize(("undone", "removed"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_the_share_removed_is_the_share_of_the_shift_undone(peers, undone, removed):
    rng = np.random.default_rng(0)
    before = two_types(peers, rng, shift=1.0)
    after = moved(peers, before, -undone)
    assert peers.distance_removed(before, after, rng) == pytest.approx(removed, abs=0.05)


def test_a_difference_of_composition_is_no_distance(peers):
    rng = np.random.default_rng(0)
    before = two_types(peers, rng, shift=1.0, share=0.1)
    assert peers.score(before, moved(peers, before, -1.0)).distance_removed == pytest.approx(1, abs=0.05)


def test_squeezing_all_cells_gains_nothing(peers):
    before = two_types(peers, np.random.default_rng(0), shift=1.0)
    squeezed = peers.Batches(
        0.01 * before.reference, 0.01 * before.other, before.reference_types, before.other_types
    )
    same, after = peers.score(before, before), peers.score(before, squeezed)
    assert same.distance_removed == 0
    assert after.distance_removed == pytest.approx(0, abs=1e-9)
    assert after.not_told_apart == pytest.approx(same.not_told_apart, abs=0.02)


def test_cells_alike_are_not_told_apart_and_distant_ones_are(peers):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 600, 4))
    assert peers.told_apart(a, b, rng) == pytest.approx(0.5, abs=0.06)
    assert peers.told_apart(a, b + 5, rng) == 1


def test_swapped_types_are_not_carried_over(peers):
    rng = np.random.default_rng(0)
    before = two_types(peers, rng, shift=0.0)
    away = np.where((before.other_types == "T")[:, None], [-4.0, -4, 0, 0], [4.0, 4, 0, 0])
    assert peers.types_carried_over(before, before) == pytest.approx(1, abs=0.02)
    assert peers.types_carried_over(before, moved(peers, before, away)) == pytest.approx(0, abs=0.02)


def test_one_type_leaves_two_figures(peers):
    rng = np.random.default_rng(0)
    any_type = np.repeat("any", 300)
    before = peers.Batches(rng.normal(size=(300, 3)), rng.normal(size=(300, 3)) + 1, any_type, any_type)
    scored = peers.score(before, moved(peers, before, -1.0))
    assert scored.types_carried_over is None
    assert scored.score == pytest.approx(
        np.mean(np.clip([scored.distance_removed, scored.not_told_apart], 0, 1))
    )


def test_what_is_not_finite_is_scored_as_measured_and_counted(peers):
    before = two_types(peers, np.random.default_rng(0), shift=1.0)
    gone = np.where(np.arange(600)[:, None] < 60, np.nan, before.other)
    after = peers.Batches(before.reference, gone, before.reference_types, before.other_types)
    assert peers.score(before, after).distance_removed == 0
    assert peers.score(before, after).not_finite == pytest.approx(0.05)


def test_unknown_and_rare_types_do_not_count(peers):
    kinds = np.repeat(["T", "unlabelled", "rare"], [100, 100, 29])
    cells = np.zeros((229, 2))
    assert peers.Batches(cells, cells, kinds, kinds).shared_types() == ["T"]
    none = peers.Batches(cells[:29], cells[:29], kinds[-29:], kinds[-29:])
    with pytest.raises(ValueError, match="nothing to score"):
        peers.score(none, none)
