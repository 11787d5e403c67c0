"""The simple methods that predictions are held against."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.baselines import BASELINES, predict_simply

RNG = np.random.default_rng(0)
SHARED = RNG.normal(0, 1, (1500, 3)).astype(np.float32)
MARKER = 2 + SHARED @ np.array([1.0, -0.5, 0.25])
BENT = 2.0 * (SHARED[:, 0] > 0) * (SHARED[:, 1] > 0)


def r_of(marker, method, cells=SHARED) -> float:
    predicted = predict_simply(SHARED, marker, cells, seed=0)[method]
    return float(np.corrcoef(predicted, marker)[0, 1])


def test_all_are_there():
    found = predict_simply(SHARED, MARKER, SHARED[:7], seed=0)
    assert list(found) == list(BASELINES)
    assert {values.shape for values in found.values()} == {(7,)}
    np.testing.assert_allclose(found["mean"], MARKER.mean())


def test_each_finds_what_it_can():
    assert r_of(MARKER, "ridge") > 0.9999
    assert r_of(BENT, "ridge") < 0.8
    assert r_of(BENT, "trees") > 0.99
    assert 0.9 < r_of(BENT, "neighbours") < 0.99


def test_neighbours_are_fifty():
    found = predict_simply(SHARED, MARKER, SHARED[:1], seed=0)["neighbours"][0]
    standard = SHARED / SHARED.std(axis=0)
    near = np.argsort(((standard - standard[0]) ** 2).sum(axis=1))[:50]
    # One cell alone has no spread to be standardised by: it stands at the mean.
    middle = np.argsort((((SHARED - SHARED.mean(axis=0)) / SHARED.std(axis=0)) ** 2).sum(axis=1))[:50]
    assert found == pytest.approx(MARKER[middle].mean())
    assert set(near) != set(middle)


@pytest.mark.parametrize("method", BASELINES)
def test_gain_and_offset_of_a_batch_do_not_matter(method):
    elsewhere = SHARED * np.float32(3) + np.float32(5)
    here, there = (predict_simply(SHARED, MARKER, cells, seed=0)[method] for cells in (SHARED, elsewhere))
    assert np.corrcoef(here, there)[0, 1] > 0.999 if method != "mean" else (here == there).all()
    assert np.abs(here - there).mean() < 0.02
