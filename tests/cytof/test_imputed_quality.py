"""How well markers are imputed: near what it should be for good draws, far from it for broken ones."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from cellgan.cytof import imputed_quality as module
from cellgan.cytof.conditional import Conditional
from cellgan.cytof.gaps import Gap
from cellgan.cytof.impute import Imputed, Imputer
from cellgan.cytof.imputed_quality import CRITIC_CELLS, Quality, measure_quality
from cellgan.cytof.summary import Filled, imputed_summary, say_imputed
from cellgan.cytof.transform import Standardise

R = 0.8


def known(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shared markers of held-out cells, what is to be expected of two others, and what was measured."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 3)).astype(np.float32)
    expected = (R * shared[:, :2]).astype(np.float32)
    measured = expected + np.sqrt(1 - R**2) * rng.normal(size=(n, 2)).astype(np.float32)
    return shared, expected, measured.astype(np.float32)


def imputer(shared: np.ndarray, expected: np.ndarray, measured: np.ndarray) -> Imputer:
    units = Standardise.of(shared)
    return Imputer(units, units, nn.Identity(), Conditional(expected, measured), shared)


def quality(n: int = 2000, *, seed: int = 0) -> Quality:
    return measure_quality(imputer(*known(n, seed=seed)), seed=seed)


def test_good_draws_are_hard_to_tell_and_intervals_hold_what_they_say():
    """With draws from the closed form r is 0.8, nine in ten cells lie within, and the critic guesses."""
    found = [quality(seed=seed) for seed in range(4)]
    np.testing.assert_allclose(np.mean([each.r for each in found], axis=0), R, atol=0.02)
    np.testing.assert_allclose(np.mean([each.coverage for each in found], axis=0), 0.9, atol=0.02)
    assert np.mean([each.auc for each in found]) == pytest.approx(0.5, abs=0.04)


def test_r_is_pearsons_correlation_of_expected_with_measured_values():
    _, expected, measured = parts = known(300, seed=0)
    wanted = [np.corrcoef(expected[:, i], measured[:, i])[0, 1] for i in (0, 1)]
    np.testing.assert_allclose(measure_quality(imputer(*parts), seed=0).r, wanted)


def test_the_critic_tells_draws_that_know_nothing_of_their_cell():
    """Each marker is distributed as it should be, but what is drawn is another cell's."""
    shared, expected, measured = known(2000, seed=0)
    mixed = np.random.default_rng(0).permutation(2000)
    found = measure_quality(imputer(shared, expected[mixed], measured), seed=0)
    assert found.auc > 0.7
    assert (np.abs(found.r) < 0.1).all()
    np.testing.assert_allclose(found.coverage, 0.9, atol=0.03)  # wide intervals are no lie


def test_the_critic_tells_expected_values_from_measured_ones(monkeypatch):
    """Draws that leave out how cells vary."""
    monkeypatch.setattr(Conditional, "draw", lambda _self, expected, *, draws, seed: expected[None])
    assert quality().auc > 0.65


def test_the_critic_tells_markers_that_do_not_vary_together(monkeypatch):
    """Two markers that are alike in every cell, and draws of each by itself."""
    shared, expected, measured = known(2000, seed=0)
    expected[:, 1], measured[:, 1] = expected[:, 0], measured[:, 0]
    whole = measure_quality(imputer(shared, expected, measured), seed=0).auc
    draw = Conditional.draw

    def apart(self, expected, *, draws, seed):
        first, second = (draw(self, expected, draws=draws, seed=seed + i) for i in (0, 1))
        return np.stack([first[..., 0], second[..., 1]], axis=-1)

    monkeypatch.setattr(Conditional, "draw", apart)
    assert measure_quality(imputer(shared, expected, measured), seed=0).auc > whole + 0.15


def test_intervals_that_are_too_narrow_are_found_out(monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 0.5)
    np.testing.assert_allclose(quality().coverage, 0.5, atol=0.04)


def test_cells_are_scored_by_what_was_learned_from_others(monkeypatch):
    """Each half learns the spread for the other; no cell is its own witness."""
    learned, scored = [], []

    class Spy(Conditional):
        def __init__(self, expected, measured):
            learned.append(measured[:, 0].tolist())
            super().__init__(expected, measured)

        def draw(self, expected, *, draws, seed):
            scored.append(expected[:, 0].tolist())
            return super().draw(expected, draws=draws, seed=seed)

    monkeypatch.setattr(module, "Conditional", Spy)
    shared, expected, measured = known(301, seed=0)
    measure_quality(imputer(shared, expected, measured), seed=0)
    cell = {value: row for row, value in enumerate(measured[:, 0].tolist())}
    own = {value: row for row, value in enumerate(expected[:, 0].tolist())}
    halves = [
        ({cell[v] for v in one}, {own[v] for v in two}) for one, two in zip(learned, scored, strict=True)
    ]
    assert len(halves) == 2
    for learned_from, drawn in halves:
        assert learned_from.isdisjoint(drawn)
        assert 75 <= len(drawn) <= 76  # half of the other half: what is left of that is shown as measured
    assert halves[0][0] | halves[1][0] == set(range(301))
    assert halves[0][1] < halves[1][0]


def test_a_marker_with_a_single_value_has_no_correlation():
    shared, expected, measured = known(300, seed=0)
    expected[:, 1] = measured[:, 1] = 1.5
    found = measure_quality(imputer(shared, expected, measured), seed=0)
    assert np.isnan(found.r).tolist() == [False, True]
    assert found.coverage[1] == 1.0


def test_few_cells_say_nothing_of_the_critic():
    enough, few = quality(4 * CRITIC_CELLS), quality(4 * CRITIC_CELLS - 1)
    assert 0 < enough.auc < 1
    assert np.isnan(few.auc)
    assert np.isfinite([*few.r, *few.coverage]).all()


def filled(quality: Quality, *sds: float) -> Filled:
    """Markers whose expected values vary by so much in the batch that lacks them."""
    expected = np.array([[-1.0], [1.0]], dtype=np.float32) * np.array(sds, dtype=np.float32)
    markers = tuple(f"CD{i}" for i in range(1, 1 + len(sds)))
    return Filled(
        Gap("b", "a", ("CD45", "CD99"), markers), Imputed(expected, expected, expected[None]), quality, 3
    )


def test_the_report_has_a_word_for_every_marker_and_why():
    r, sd = np.array([0.9, 0.9, 0.9, 0.6, 0.3, np.nan]), np.full(6, 2.0)
    known = Quality(r, np.full(6, 0.9), 0.5, sd)
    (entry,) = imputed_summary([filled(known, 2.0, 1.02, 0.98, 2.0, 2.0, 2.0)])
    assert [row["spread"] for row in entry["markers"]] == pytest.approx([1, 0.51, 0.49, 1, 1, 1])
    # Of markers that nobody held out, none is to be trusted, however well it is predicted.
    assert [row["level"] for row in entry["markers"]] == ["care", "care", "no", "care", "no", "no"]
    assert "That is all that is known, for no shared markers were held out" in entry["markers"][0]["why"]
    assert "vary 0.49 times as much as in a" in entry["markers"][2]["why"]
    assert "r 0.30" in entry["markers"][4]["why"]
    assert "cellgan validate tells" in entry["markers"][5]["why"]
    assert entry["markers"][5]["r"] is None


def test_the_screen_names_the_markers_that_are_not_to_be_trusted():
    said: list[str] = []
    good = Quality(np.array([0.9, 0.8]), np.full(2, 0.9), 0.5, np.ones(2))
    say_imputed(said.append, imputed_summary([filled(good, 1.0, 1.0), filled(good, 1.0, 0.3)]))
    say_imputed(said.append, imputed_summary([filled(Quality.unknown(1), 1.0)]))
    rest = "; use them with care until cellgan validate has tested them"
    assert said == [
        f"b: 2 markers imputed from a{rest}",
        f"b: 2 markers imputed from a (do not trust: CD2){rest}",
        f"b: 1 marker imputed from a (do not trust: CD1){rest}",
    ]


def test_what_is_unknown():
    found = Quality.unknown(3)
    assert found.r.shape == found.coverage.shape == (3,)
    assert np.isnan([*found.r, *found.coverage, found.auc]).all()


def test_the_same_seed_gives_the_same_numbers():
    parts = known(400, seed=0)
    one, same, other = (measure_quality(imputer(*parts), seed=seed) for seed in (0, 0, 1))
    assert (one.auc, *one.coverage) == (same.auc, *same.coverage) != (other.auc, *other.coverage)
