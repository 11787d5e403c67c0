"""Maps: order, exactness, what lies beyond, and clusters that one batch alone fills."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.cluster_maps import (
    APPLIED,
    BACKGROUND_PER_GAIN,
    LEAST_GAIN,
    MOST_GAIN,
    AveragedMaps,
    BatchMapping,
    ClusterMaps,
    fit_cluster_maps,
)
from cellgan.cytof.clusters import Clusters
from cellgan.cytof.marker_maps import MarkerMaps, effective_number, fit_marker_maps
from cellgan.cytof.pieces import Grid
from cellgan.cytof.proposals import quantile_maps
from cellgan.cytof.ranks import Ranked
from cellgan.cytof.transform import Standardise


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def even(cells: np.ndarray) -> np.ndarray:
    return np.ones(len(cells))


def test_ranks_stay_in_order_even_where_values_are_tied(rng):
    reference = np.maximum(rng.normal(size=(800, 3)), 0)
    cells = np.maximum(rng.normal(1, 2, size=(600, 3)), 0).round(1)
    cells[:, 2] = 4.0
    move = fit_marker_maps(Ranked.of(reference), Ranked.of(cells), even(reference), even(cells))
    line = np.sort(rng.uniform(-3, 12, (2000, 3)), axis=0)
    assert (np.diff(move(line), axis=0) >= 0).all()
    assert np.isfinite(move(line)).all()


def test_values_beyond_the_knots_keep_their_distance():
    move = MarkerMaps(np.array([[0.0], [1.0], [2.0]]), np.array([[5.0], [5.5], [9.0]]))
    there = move(np.array([[-3.0], [0.0], [0.5], [1.5], [2.0], [7.0]]))
    np.testing.assert_allclose(there.ravel(), [2.0, 5.0, 5.25, 7.25, 9.0, 14.0])


def by_type(rng, n: int = 4000) -> tuple[np.ndarray, ...]:
    """Two types, told apart by one marker, with another gain and offset in each; and their clusters."""
    kind = np.arange(n) % 2
    truth = rng.normal(size=(n, 2)) + np.array([[0, 0], [0, 40]])[kind]
    gain, offset = np.array([[2.0, 0.5], [0.8, 1.5]]), np.array([[1.0, -2.0], [-3.0, 5.0]])
    cells = truth * gain[kind] + offset[kind]
    return truth, cells, kind, Clusters(np.array([[0.0, 0.0], [0.0, 40.0]]), 1.0)


def test_an_affine_effect_that_differs_by_type_is_undone_exactly(rng):
    truth, cells, kind, clusters = by_type(rng)
    ranked = Ranked.of(truth), Ranked.of(cells)
    move = fit_cluster_maps(*ranked, truth, clusters, (even(truth), even(cells)))
    inside = np.ones(len(truth), dtype=bool)
    for each in (0, 1):
        low, high = np.quantile(truth[kind == each], [0.003, 0.997], axis=0)
        inside &= (kind != each) | ((truth > low) & (truth < high)).all(axis=1)
    assert inside.mean() > 0.95
    np.testing.assert_allclose(move(cells, truth)[inside], truth[inside], atol=1e-6)
    # One map for all cells of a marker cannot know the types.
    assert np.abs(quantile_maps(truth, cells)(cells)[inside] - truth[inside]).mean() > 0.2


def test_clusters_looked_up_at_once_map_as_each_of_them_does(rng):
    """Inside the knots and beyond them, for clusters of different numbers of knots."""
    clusters = Clusters(np.array([[0.0, 0.0], [0.0, 40.0], [40.0, 0.0]]), 1.0)
    own = {}
    for cluster, n in ((0, 4), (2, 7)):
        source, target = (
            np.sort(rng.normal(0, [2, 50], (n, 2)), axis=0),
            np.sort(rng.normal(size=(n, 2)), axis=0),
        )
        own[cluster] = MarkerMaps(source, target)
    cells = rng.normal(0, [6, 150], (300, 2))
    home = rng.integers(3, size=300)
    moved = ClusterMaps(clusters, own)(cells, clusters.centres[home])
    for cluster in (0, 2):
        np.testing.assert_allclose(moved[home == cluster], own[cluster](cells[home == cluster]), atol=1e-9)
    np.testing.assert_array_equal(moved[home == 1], clusters.centres[home][home == 1])


def test_maps_looked_up_together_are_the_mean_of_each(rng):
    """Also where one number of clusters leaves a cell without a map, and the other does not."""
    each = []
    for n in (2, 5):
        knots = np.sort(rng.normal(0, 2, (2, 6, 3)), axis=1)
        own = {cluster: MarkerMaps(knots[0], knots[1] + cluster) for cluster in range(n - 1)}
        each.append(ClusterMaps(Clusters(rng.normal(size=(n, 3)), 0.5), own))
    cells, positions = rng.normal(0, 3, (400, 3)), rng.normal(size=(400, 3))
    alone = [one(cells, positions) for one in each]
    stays = [(moved == positions).all(axis=1) for moved in alone]
    assert (stays[0] & stays[1]).any()
    assert (stays[0] != stays[1]).any()
    grid = Grid.of([one for maps in each for one in maps.maps.values()], n_markers=3)
    moved = AveragedMaps.of(each, grid)(grid.place(cells), positions)
    np.testing.assert_allclose(moved, np.mean(alone, axis=0), rtol=1e-12, atol=1e-12)


def test_a_cluster_that_one_batch_alone_fills_gets_no_map(rng):
    truth, cells, kind, clusters = by_type(rng)
    few = (kind == 0) | (np.arange(len(kind)) < 100)  # 2.4 % of these, against half of the reference
    move = fit_cluster_maps(
        Ranked.of(truth), Ranked.of(cells[few]), truth[few], clusters, (even(truth), np.ones(few.sum()))
    )
    assert set(move.maps) == {0}
    moved = move(cells, truth)
    np.testing.assert_array_equal(moved[kind == 1], truth[kind == 1])  # they stay at their positions
    assert np.abs(moved - cells)[kind == 0].min(axis=0).max() > 0


STAYS = MarkerMaps(*np.array([[[-6.0, -6.0], [6.5, 6.5]]] * 2))
BRIGHT = Standardise(np.array([6.0, 6.0], np.float32), np.ones(2, np.float32))  # there, a gain is a shift


def departing(rng, by: list[float], **batch) -> tuple[ClusterMaps, list[np.ndarray]]:
    """Fit maps of clusters, told apart by the second marker, whose first marker is lower by so much each."""
    n, homes = 600, 40.0 * np.arange(len(by))
    truth = np.concatenate([rng.normal([0, home], 0.3, (n, 2)) for home in homes])
    cells = truth.copy()
    cells[:, 0] -= np.repeat(by, n)
    clusters = Clusters(np.stack([np.zeros(len(by)), homes], axis=1), 1.0)
    move = fit_cluster_maps(
        Ranked.of(truth), Ranked.of(cells), truth, clusters, (even(truth), even(cells)), **batch
    )
    return move, np.split(move(cells, truth)[:, 0] - cells[:, 0], len(by))


def test_four_fifths_of_a_usual_departure_from_the_batchs_mapping_are_applied(rng):
    asked = [0.2, 0.3, 0.25]
    _, moved = departing(rng, asked, batch=BatchMapping(STAYS, BRIGHT))
    np.testing.assert_allclose([np.mean(own) for own in moved], APPLIED * np.array(asked), atol=0.02)
    _, free = departing(rng, asked)
    np.testing.assert_allclose([np.mean(own) for own in free], asked, atol=0.02)


def test_a_departure_goes_to_twice_what_the_median_cluster_asks_for(rng):
    """At six on the arcsinh scale, background counts for little."""
    _, moved = departing(rng, [0.2, 0.2, 2.0], batch=BatchMapping(STAYS, BRIGHT))
    assert np.mean(moved[0]) == pytest.approx(APPLIED * 0.2, abs=0.02)
    assert np.mean(moved[2]) == pytest.approx(APPLIED * 0.4, abs=0.03)


def test_and_no_further_than_an_instrument_could_cause(rng):
    """However far all clusters ask for; where a gain does nothing, at zero, background alone leads."""
    _, bright = departing(rng, [3.0, 3.0, 3.0], batch=BatchMapping(STAYS, BRIGHT))
    assert APPLIED * MOST_GAIN < np.mean(bright) < APPLIED * MOST_GAIN + 0.1
    at_zero = Standardise(np.array([0.0, 6.0], np.float32), np.ones(2, np.float32))
    _, faint = departing(rng, [0.0, 0.0, 2.0], batch=BatchMapping(STAYS, at_zero))
    assert 0.03 < np.mean(faint[2]) < APPLIED * LEAST_GAIN * BACKGROUND_PER_GAIN


def test_where_a_cluster_has_no_cells_its_map_keeps_the_departure_of_its_edge(rng):
    move, _ = departing(rng, [0.3, 0.3, 0.3], batch=BatchMapping(STAYS, BRIGHT))
    for line in (np.linspace(-5, -2, 20), np.linspace(2, 9, 20)):
        cells = np.stack([line, np.zeros(20)], axis=1)
        moved = (move.maps[0](cells) - cells)[:, 0]
        np.testing.assert_allclose(moved, APPLIED * 0.3, atol=0.05)


def test_departures_are_from_what_all_cells_of_the_batch_do(rng):
    """A batch's mapping that does all there is to do leaves nothing to its clusters."""
    shift = MarkerMaps(STAYS.source, STAYS.target + np.array([0.9, 0.0]))
    _, moved = departing(rng, [0.9, 0.9, 0.9], batch=BatchMapping(shift, BRIGHT))
    np.testing.assert_allclose([np.mean(own) for own in moved], 0.9, atol=0.02)


@pytest.mark.parametrize(("n", "has_map"), [(14, False), (15, True)])
def test_a_cluster_needs_enough_cells_of_both(rng, n, has_map):
    cells, clusters = rng.normal(size=(n, 2)), Clusters(np.zeros((1, 2)), 1.0)
    move = fit_cluster_maps(Ranked.of(cells), Ranked.of(cells), cells, clusters, (even(cells), even(cells)))
    assert (0 in move.maps) == has_map


def test_cells_between_clusters_mix_the_maps_of_both_sides():
    shift = [MarkerMaps(np.array([[-9.0], [9.0]]), np.array([[-9.0], [9.0]]) + by) for by in (1.0, 3.0)]
    clusters = Clusters(np.array([[0.0], [1.0]]), 1.0)
    move = ClusterMaps(clusters, dict(enumerate(shift)))
    at = np.linspace(-1, 2, 31)[:, None]
    near, weight = clusters.memberships(at)
    wanted = at.ravel() + (weight * np.where(near == 0, 1.0, 3.0)).sum(axis=1)
    np.testing.assert_allclose(move(at, at).ravel(), wanted)
    assert np.ptp(wanted - at.ravel()) == pytest.approx(2)


def test_effective_number_is_that_of_cells_that_count():
    assert effective_number(np.array([1.0, 1.0, 1.0])) == pytest.approx(3)
    assert effective_number(np.array([5.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_number(np.zeros(4)) == 0
