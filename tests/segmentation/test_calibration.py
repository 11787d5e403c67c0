"""Probabilities against shares that are known."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.segmentation.calibration import calibrate, pooled


def calibration_error(probability: np.ndarray, truth: np.ndarray) -> float:
    return calibrate(probability, truth).error


@pytest.mark.parametrize(("said", "is_so"), [(0.7, 0.7), (0.7, 0.5), (0.25, 0.9), (1.0, 0.6)])
def test_the_error_is_how_far_the_share_is_from_what_was_said(said, is_so):
    truth = np.arange(1000) < 1000 * is_so
    assert calibration_error(np.full(1000, said, np.float32), truth) == pytest.approx(
        abs(said - is_so), abs=1e-6
    )


def test_errors_of_two_bins_do_not_cancel():
    p = np.repeat(np.float32([0.25, 0.75]), 100)
    truth = np.concatenate([np.arange(100) < 45, np.arange(100) < 55])
    assert calibration_error(p, truth) == pytest.approx(0.2)


def test_draws_from_the_probabilities_are_calibrated_and_overconfidence_is_not():
    rng = np.random.default_rng(0)
    p = rng.random(200_000).astype(np.float32)
    truth = rng.random(200_000) < p
    assert calibration_error(p, truth) < 0.01
    surer = np.where(p > 0.5, np.float32(0.98), np.float32(0.02))
    assert calibration_error(surer, truth) == pytest.approx(0.75 - 0.52, abs=0.01)


def test_the_background_hides_nothing():
    truth = np.arange(100) < 50
    p = np.full(100, 0.9, np.float32)
    far = np.zeros(100_000, np.float32)
    padded = calibration_error(np.concatenate([p, far]), np.concatenate([truth, far > 0]))
    assert padded == pytest.approx(calibration_error(p, truth)) == pytest.approx(0.4)
    missed = np.ones(10, bool)
    assert calibration_error(np.zeros(10, np.float32), missed) == pytest.approx(1)
    assert calibration_error(far, far > 0) == 0


def test_the_curve_and_the_pool_of_cases():
    p = np.repeat(np.float32([0.25, 0.75]), 100)
    truth = np.concatenate([np.arange(100) < 45, np.arange(100) < 55])
    whole = calibrate(p, truth)
    assert whole.curve() == ((0.25, 0.75), (0.45, 0.55))
    halves = [calibrate(p[part], truth[part]) for part in (slice(0, 60), slice(60, 200))]
    assert pooled(halves) == whole
    assert pooled([whole, calibrate(np.zeros(5, np.float32), np.zeros(5, bool))]) == whole
