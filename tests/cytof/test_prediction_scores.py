"""Scores of predictions, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.prediction_scores import Truth, correlation

N = 4000
RNG = np.random.default_rng(0)
MARKER = RNG.normal(2, 1.5, N)
OTHERS = np.stack([MARKER + RNG.normal(0, 1.5, N), -MARKER, RNG.normal(0, 1, N)], axis=1)


def truth(**parts) -> Truth:
    known = {
        "measured": MARKER,
        "framed": 3 * MARKER + 1,  # another instrument's gain and offset
        "others": OTHERS,
        "clusters": np.zeros(N, dtype=np.intp),
    }
    return Truth(**(known | parts))


def test_the_truth_itself_is_perfect():
    found = truth().score(3 * MARKER + 1)
    assert found == pytest.approx(
        {"r": 1, "r_within": 1, "nrmse": 0, "emd": 0, "sd_ratio": 1, "corr": 0}, abs=1e-6
    )


def test_errors_are_in_standard_deviations_of_the_reference():
    shifted = truth().score(3 * MARKER + 1 + 0.5 * 3 * MARKER.std())
    assert shifted["nrmse"] == pytest.approx(0.5)
    assert shifted["emd"] == pytest.approx(0.5, rel=1e-6)
    assert shifted["r"] == pytest.approx(1)
    halved = truth().score(0.5 * (3 * MARKER + 1))
    assert halved["sd_ratio"] == pytest.approx(0.5)


def test_the_mean_knows_nothing():
    found = truth().score(np.full(N, (3 * MARKER + 1).mean()))
    assert found["r"] == found["r_within"] == 0
    assert found["sd_ratio"] == pytest.approx(0, abs=1e-9)
    assert found["nrmse"] == pytest.approx(1)
    expected = np.mean([abs(np.corrcoef(MARKER, other)[0, 1]) for other in OTHERS.T])
    assert found["corr"] == pytest.approx(expected)


def test_values_in_the_right_places_of_the_wrong_cells_have_a_distance_of_zero():
    found = truth().score(RNG.permutation(3 * MARKER + 1))
    assert found["emd"] == pytest.approx(0, abs=1e-6)
    assert abs(found["r"]) < 0.05
    assert found["nrmse"] == pytest.approx(np.sqrt(2), rel=0.05)


def test_within_clusters_the_median_counts_and_few_cells_do_not():
    clusters = np.repeat([0, 1, 2, 3], [1500, 1500, 960, 40])
    predicted = MARKER.copy()
    predicted[clusters == 1] = RNG.normal(size=1500)
    predicted[clusters == 2] = -MARKER[clusters == 2]
    predicted[clusters == 3] = -MARKER[clusters == 3]
    found = truth(clusters=clusters).score(predicted)["r_within"]
    assert found == pytest.approx(correlation(predicted[1500:3000], MARKER[1500:3000]))  # of 1, about 0, -1


def test_clusters_without_spread_say_nothing():
    assert np.isnan(truth(measured=np.ones(N)).score(MARKER)["r_within"])


def test_coverage_is_of_the_value_in_the_frame_of_the_reference():
    framed = 3 * MARKER + 1
    low, high = np.quantile(framed, 0.05), np.quantile(framed, 0.95)
    assert truth().coverage(np.full(N, low), np.full(N, high)) == pytest.approx(0.9, abs=0.001)
    assert truth().coverage(framed, framed) == 1
    assert truth().coverage(framed + 1, framed + 2) == 0
