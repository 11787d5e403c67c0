"""One batch onto the reference: who is proposed, who is chosen, and from which cells each was learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import cellgan
from cellgan.cytof import pair as module
from cellgan.cytof import proposals, split
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.labels import Known
from cellgan.cytof.pair import align_pair
from cellgan.cytof.threads import limited_threads
from cellgan.cytof.transform import Standardise, to_arcsinh

QUICK = AlignConfig(rounds=12)
ALL = ["nothing", "per-marker quantiles", "start", "start + cluster maps", "game + cluster maps"]


class Blood(NamedTuple):
    """Reference, batch and truth in standard units, and these."""

    reference: np.ndarray
    cells: np.ndarray
    truth: np.ndarray
    units: Standardise


@pytest.fixture(scope="module")
def blood():
    a, b = cellgan.simulate(n_cells=400, n_markers=6, seed=2)
    scaled = [to_arcsinh(counts, 5.0) for counts in (a.X, b.X, b.layers["truth"])]
    units = Standardise.of(scaled[0])
    return Blood(*(units.apply(each).astype(float) for each in scaled), units)


@pytest.fixture(scope="module")
def played(blood):
    """The default method, and what it told of its progress."""
    told = []
    return align_pair(blood[0], blood[1], units=blood.units, config=QUICK, progress=told.append), told


@pytest.fixture
def unscored(monkeypatch):
    """Scores cost most of the time: without them where they do not matter."""
    seen = []

    class Blind(module.HeldOut):
        def __init__(self, reference, before, *, seed):
            seen.append((reference, before))
            super().__init__(reference[:1], before, seed=seed)

    monkeypatch.setattr(module, "HeldOut", Blind)
    return seen


def test_every_proposal_is_scored_beside_its_rivals(played):
    pair, _ = played
    assert list(pair.scores) == ALL
    assert pair.chosen in ALL[3:]
    assert pair.held_out == (80, 80)
    assert pair.scores["nothing"].moved == 0
    assert all(pair.scores[name].moved > 0 for name in ALL[1:])
    assert set(pair.floor) == {"emd", "auc"}


def test_the_batch_comes_nearer_to_the_truth(played, blood):
    pair, (_, cells, truth, _) = played[0], blood
    assert np.sqrt(((pair.mover(cells) - truth) ** 2).mean()) < 0.6 * np.sqrt(((cells - truth) ** 2).mean())
    assert pair.scores[pair.chosen].emd < pair.scores["nothing"].emd


def test_losses_and_progress_are_told_as_the_game_is_played(played):
    pair, told = played
    assert pair.losses.rounds == [10, 12]
    assert {"generators/fool", "generators/correspondence", "discriminators/real"} <= set(pair.losses.terms)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(
    ("margin", "chosen"), [(-99.0, "start + cluster maps"), (99.0, "game + cluster maps")]
)
def test_the_start_is_taken_where_it_costs_clearly_less(blood, monkeypatch, margin, chosen):
    monkeypatch.setattr(proposals, "MARGIN", margin)
    pair = align_pair(blood[0][:250], blood[1][:250], units=blood.units, config=QUICK)
    assert (pair.evidence.answer, pair.chosen) == ("align", chosen)
    scores = {"game + cluster maps": _Cost(0.5), "start + cluster maps": _Cost(0.44)}
    assert proposals.choose(scores, tuple(scores)) == chosen


class _Cost:
    def __init__(self, cost: float) -> None:
        self.cost = cost


@pytest.mark.parametrize(
    ("costs", "chosen"), [((0.50, 0.46), 0), ((0.50, 0.44), 1), ((0.4, 0.5), 0), ((float("nan"),) * 2, 0)]
)
def test_the_first_proposal_wins_a_draw(costs, chosen):
    names = ("game + cluster maps", "start + cluster maps")
    scores = dict(zip(names, map(_Cost, costs), strict=True))
    assert proposals.choose(scores, names) == names[chosen]


def rows(cells):
    return {row.tobytes() for row in np.ascontiguousarray(cells)}


def test_scores_are_of_cells_that_no_proposal_has_seen(blood, unscored, monkeypatch):
    seen = []

    def spy(reference, cells, positions, *, seed, batch):
        assert batch.units is blood.units
        seen.append((reference, cells))
        return ()

    monkeypatch.setattr(proposals, "fit_passes", spy)
    align_pair(blood[0], blood[1], units=blood.units, config=QUICK)
    ((reference, cells),) = unscored
    assert len(seen) == 2  # after the start and after the game
    for learned in seen:
        for side, unseen in zip(learned, (reference, cells), strict=True):
            assert len(rows(side)) == 320
            assert not rows(side) & rows(unseen)


def test_the_mover_in_the_end_has_learned_from_all_cells(blood, unscored, monkeypatch):
    seen = {"fit_passes": [], "fit_start": []}

    def spied(fit, sizes):
        def spy(reference, cells, *rest, **how):
            sizes.append((len(reference), len(cells)))
            return fit(reference, cells, *rest, **how)

        return spy

    for name, sizes in seen.items():
        for place in (proposals, module):
            if hasattr(place, name):
                monkeypatch.setattr(place, name, spied(getattr(place, name), sizes))
    align_pair(blood[0], blood[1][:300], units=blood.units, config=QUICK)
    assert seen["fit_passes"] == [(320, 240), (320, 240), (400, 300)]
    assert seen["fit_start"] == [(320, 240), (400, 300)]


def test_large_batches_are_learned_from_a_sample(blood, unscored, monkeypatch):
    monkeypatch.setattr(split, "PROPOSAL_CELLS", 200)
    monkeypatch.setattr(split, "MAX_HELD_OUT", 30)
    monkeypatch.setattr(split, "MAX_CELLS", 250)
    seen = []
    fit = module.fit_passes
    for place in (proposals, module):
        monkeypatch.setattr(
            place,
            "fit_passes",
            lambda r, c, p, **how: seen.append((len(r), len(c))) or fit(r, c, p, **how),
        )
    pair = align_pair(blood[0], blood[1], units=blood.units, config=QUICK)
    assert pair.held_out == (30, 30)
    assert seen == [(200, 200), (200, 200), (250, 250)]


def test_nothing_is_moved_where_there_is_nothing_to_align(blood):
    cells = np.random.default_rng(0).permutation(np.vstack(blood[:1] * 3))
    half = len(cells) // 2
    pair = align_pair(cells[:half], cells[half:], units=blood.units, config=QUICK)
    assert (pair.chosen, pair.evidence.answer) == ("nothing", "nothing")
    assert pair.response is None
    assert list(pair.scores) == ALL[:2]
    assert pair.mover(cells).tobytes() == cells.tobytes()
    np.testing.assert_array_equal(pair.uncertainty(cells), pair.floor["emd"])
    asked = align_pair(cells[:half], cells[half:], units=blood.units, config=AlignConfig(method="quantiles"))
    assert (asked.chosen, asked.evidence.answer) == ("per-marker quantiles", "nothing")


def foreign(drawn_types) -> Blood:
    """Two batches that share no type, and another gain of each marker; the truth is not known."""
    gain = np.exp(np.random.default_rng(0).normal(0, 1.0, 10))
    r, c = (drawn_types(own, 800, seed=seed)[0] for seed, own in enumerate(([0, 1, 2, 3], [4, 5, 6, 7])))
    reference, cells = np.arcsinh(r), np.arcsinh(c * gain)
    units = Standardise.of(reference.astype(np.float32))
    return Blood(units.to_units(reference), units.to_units(cells), cells, units)


def test_nothing_is_moved_where_nothing_is_known(drawn_types):
    own = foreign(drawn_types)
    pair = align_pair(own.reference, own.cells, units=own.units, config=QUICK)
    assert (pair.chosen, pair.evidence.answer) == ("nothing", "unknown")
    assert list(pair.scores) == ALL[:3]  # the initial alignment is shown, and not taken
    assert pair.scores["start"].moved > 0.1
    assert pair.mover(own.cells).tobytes() == own.cells.tobytes()
    np.testing.assert_array_equal(pair.uncertainty(own.cells), module.UNKNOWN_SD)
    usual = pair.response.usual()  # what is found of the gains is held to what is usual
    np.testing.assert_array_equal(pair.response.log_gain, usual.log_gain)
    asked = align_pair(
        own.reference, own.cells, units=own.units, config=AlignConfig(rounds=2, method="quantiles")
    )
    assert (asked.chosen, asked.evidence.answer) == ("per-marker quantiles", "unknown")


@pytest.mark.parametrize("n", [3, 49])
def test_of_few_cells_nothing_is_learned(blood, n):
    pair = align_pair(blood.reference, blood.cells[:n], units=blood.units, config=QUICK)
    assert (pair.chosen, pair.evidence.answer) == ("nothing", "few")
    assert pair.mover(blood.cells).tobytes() == blood.cells.tobytes()
    np.testing.assert_array_equal(pair.uncertainty(blood.cells), module.UNKNOWN_SD)


def test_labels_need_no_evidence(blood):
    known = Known(*(np.where(side[:, 0] > 0, "high", "low") for side in blood[:2]))
    config = AlignConfig(rounds=2, correspondence="labels:x")
    pair = align_pair(blood.reference, blood.reference + 0.0, units=blood.units, config=config, known=known)
    assert pair.evidence.answer == "align"
    assert np.isnan(pair.evidence.share)
    assert (pair.chosen, pair.response) == ("game + cluster maps", None)


@pytest.mark.parametrize(
    ("settings", "chosen", "scored"),
    [
        ({"method": "quantiles"}, "per-marker quantiles", ALL[:2]),
        ({"method": "magan"}, "MAGAN's generator", [*ALL[:2], "MAGAN's generator"]),
        ({"correspondence": "none"}, "game + cluster maps", [*ALL[:2], "game + cluster maps"]),
        ({"method": "magan", "correspondence": "none"}, "MAGAN's generator", [*ALL[:2], "MAGAN's generator"]),
    ],
)
def test_other_ways_propose_what_they_are_called(blood, unscored, settings, chosen, scored):
    pair = align_pair(blood[0], blood[1], units=blood.units, config=AlignConfig(rounds=3, **settings))
    assert (pair.chosen, list(pair.scores)) == (chosen, scored)
    assert ("generators/correspondence" in pair.losses.terms) == (
        settings.get("method") == "magan" and "correspondence" not in settings
    )
    assert np.abs(pair.mover(blood[1]) - blood[1]).max() > 0


def test_labels_stay_with_their_cells_when_some_are_held_out(blood, unscored, monkeypatch):
    seen = []

    def spy(reference, positions, known, **rest):
        seen.append((reference, known))
        return pairs(reference, positions, known, **rest)

    pairs = proposals.labelled_pairs
    monkeypatch.setattr(proposals, "labelled_pairs", spy)
    known = Known(*(np.where(side[:, 0] > 0, "high", "low") for side in blood[:2]))
    align_pair(
        blood[0],
        blood[1],
        units=blood.units,
        config=AlignConfig(rounds=2, correspondence="labels:x"),
        known=known,
    )
    ((reference, split),) = seen
    assert len(reference) == 320
    np.testing.assert_array_equal(split.reference == "high", reference[:, 0] > 0)
    assert len(split.cells) == 320


@pytest.mark.parametrize("method", ["matched", "magan"])
def test_same_seed_same_mover(blood, unscored, method):
    found = []
    for seed in (0, 0, 1):
        config = AlignConfig(rounds=3, method=method, seed=seed)
        found.append(
            align_pair(blood[0], blood[1], units=blood.units, config=config).mover(blood[1]).tobytes()
        )
    assert found[0] == found[1] != found[2]


def test_the_number_of_threads_makes_no_difference(blood, unscored):
    """With two, half of the work is done beside the game."""
    found = []
    for threads in (1, 2):
        with limited_threads(threads):
            pair = align_pair(blood[0], blood[1], units=blood.units, config=AlignConfig(rounds=3))
        found.append((pair.mover(blood[1]).tobytes(), pair.uncertainty.sd.tobytes(), list(pair.scores)))
    assert found[0] == found[1]
