"""MAGAN between two whole panels: shared markers find their columns, and nothing is known of the spread."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cellgan.core import History
from cellgan.cytof.magan_panels import PanelGenerator, fit_panel_generator
from cellgan.cytof.transform import Standardise

CPU = torch.device("cpu")
SHARED = [(0, 2), (2, 0)]  # columns in the one panel, of three markers, and in the other, of four


def panels(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Cells of two panels; of the two shared markers one has two humps, one is skewed."""
    rng = np.random.default_rng(seed)

    def shared() -> np.ndarray:
        return np.column_stack([rng.normal(np.where(rng.random(n) < 0.5, 0, 4), 0.5), rng.gamma(2, size=n)])

    a, b = shared(), shared()
    one = np.column_stack([a[:, 0], rng.normal(size=n), a[:, 1]])
    two = np.column_stack([b[:, 1], b[:, 0] + rng.normal(size=n), b[:, 0], rng.normal(9, 2, n)])
    return one.astype(np.float32), two.astype(np.float32)


def fit(shared=SHARED, *, rounds: int = 2, seed: int = 0, watchers=()) -> PanelGenerator:
    one, two = panels(600)
    return fit_panel_generator(one, two, shared, rounds=rounds, seed=seed, device=CPU, watchers=watchers)


def test_shared_markers_come_out_in_their_columns_of_the_other_panel():
    cells, _ = panels(500, seed=1)
    made = fit(rounds=80)(cells, range(4), draws=1).expected
    for here, there in SHARED:
        assert np.corrcoef(cells[:, here], made[:, there])[0, 1] > 0.9
    # Told otherwise, it takes the one for the other.
    swapped = fit([(0, 0), (2, 2)], rounds=80)(cells, range(4), draws=1).expected
    assert np.corrcoef(cells[:, 0], swapped[:, 0])[0, 1] > 0.9
    assert abs(np.corrcoef(cells[:, 0], swapped[:, 2])[0, 1]) < 0.5
    # In the units of the other panel.
    assert made[:, 3].mean() == pytest.approx(9, abs=2)


def test_units_columns_and_draws_by_hand():
    """A generator that doubles two markers and makes a third of their sum, in standard units."""
    network = torch.nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]))
    inputs = Standardise(np.array([1, 2], np.float32), np.array([2, 4], np.float32))
    outputs = Standardise(np.array([0, 5, 10], np.float32), np.array([1, 10, 100], np.float32))
    cells = np.array([[3, 2], [1, 6]], np.float32)  # standard: (1, 0) and (0, 1)
    expected, sd, draws = PanelGenerator(inputs, outputs, network)(cells, [2, 0], draws=3)
    np.testing.assert_allclose(expected, [[110, 2], [110, 0]])
    assert np.isnan(sd).all()
    assert sd.shape == expected.shape == (2, 2)
    np.testing.assert_array_equal(draws, np.stack([expected] * 3))
    assert {part.dtype for part in (expected, sd, draws)} == {np.dtype(np.float32)}


def test_units_are_those_of_each_panel():
    one, two = panels(600)
    found = fit()
    np.testing.assert_allclose(found.inputs.mean, one.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.outputs.mean, two.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.outputs.sd, two.std(axis=0), rtol=1e-3)


def test_the_whole_game_is_played():
    history = History()
    fit(rounds=3, watchers=[history])
    assert history.rounds == [1, 2, 3]
    assert {"discriminators/reconstructed", "generators/fool", "generators/correspondence"} <= set(
        history.terms
    )


def test_the_same_seed_gives_the_same_bytes():
    cells, _ = panels(50, seed=1)
    one, same, other = (fit(seed=seed)(cells, range(4), draws=1).expected.tobytes() for seed in (0, 0, 1))
    assert one == same != other
