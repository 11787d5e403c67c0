"""What is asked before cells are moved: whether those that correspond differ, and whether enough do."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import evidence as module
from cellgan.cytof.balance import Weights
from cellgan.cytof.correspondence import fit_start
from cellgan.cytof.evidence import FEW_CELLS, Evidence, after_start, as_measured, differing
from cellgan.cytof.transform import Standardise

ALL = [0, 1, 2, 3, 4, 5]


@pytest.fixture(scope="session")
def sides(drawn_types):
    """Return a function that draws a reference and a batch of some types, in standard units, and these."""

    def draw(ours: list[int], theirs: list[int], *, gain: float = 0.0, n: int = 1200, seed: int = 0):
        log_gain = np.random.default_rng(seed + 50).normal(0, gain, 10)
        reference, cells = (drawn_types(own, n, seed=seed + k)[0] for k, own in enumerate((ours, theirs)))
        reference, cells = np.arcsinh(reference), np.arcsinh(cells * np.exp(log_gain))
        units = Standardise.of(reference.astype(np.float32))
        return units.to_units(reference), units.to_units(cells), units

    return draw


def asked(reference: np.ndarray, cells: np.ndarray, units: Standardise) -> Evidence:
    """Ask as an alignment does."""
    measured = as_measured(reference, cells, seed=0)
    if not measured.moves:
        return measured
    start = fit_start(reference, cells, units=units, seed=0)
    positions = start.maps(cells)
    return after_start(reference, cells, positions, measured, strength=start.strength, seed=0)[0]


@pytest.mark.parametrize("seed", range(3))
def test_of_the_same_cells_there_is_nothing_to_align(sides, seed):
    found = asked(*sides(ALL, ALL, seed=10 * seed))
    assert found.answer == "nothing"
    assert not found.moves
    assert found.share > 0.85
    assert found.auc_before < 0.55
    assert np.isnan([found.auc, found.strength]).all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([0, 0, 0, 0, 0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]),
        (ALL, [0, 1, 2]),
        ([0, 1, 2, 3, 4], [3, 4, 5, 6, 7]),
    ],
)
def test_a_difference_of_composition_is_no_effect(sides, ours, theirs):
    """Frequent here and rare there; lacking; and three types of five are others."""
    assert asked(*sides(ours, theirs)).answer == "nothing"


@pytest.mark.parametrize("theirs", [ALL, [0, 0, 0, 1, 1, 2, 3, 6], [2, 3, 4, 5, 6, 7]])
@pytest.mark.parametrize("gain", [0.3, 0.6])
def test_gains_are_to_be_aligned(sides, theirs, gain):
    found = asked(*sides(ALL, theirs, gain=gain))
    assert found.answer == "align"
    assert found.moves
    assert found.auc_before > 0.6
    assert found.auc < 0.55
    assert 0.5 * gain < found.strength < 2 * gain


def test_one_marker_that_differs_is_enough(sides):
    """A classifier hardly sees it among ten, and means within clusters do."""
    reference, cells, units = sides(ALL, ALL)
    cells[:, 3] += 0.25
    assert asked(reference, cells, units).answer == "align"


@pytest.mark.parametrize("gain", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(2))
def test_where_no_type_is_shared_nothing_can_be_known(sides, gain, seed):
    found = asked(*sides([0, 1, 2, 3], [4, 5, 6, 7], gain=gain, seed=10 * seed))
    assert found.answer == "unknown"
    assert not found.moves
    assert found.share < 0.2


def test_strong_gains_need_more_that_speaks_for_them(sides):
    reference, cells, _ = sides([0, 1, 2], [2, 3, 4])
    before = as_measured(reference, cells, seed=0)
    usual, strong = (
        after_start(reference, cells, cells, before, strength=by, seed=0)[0] for by in (0.5, 1.5)
    )
    assert 0.25 < usual.share < 0.5
    assert (usual.answer, strong.answer) == ("align", "unknown")
    assert usual.share == strong.share


def test_few_that_correspond_must_not_be_told_apart(sides, monkeypatch):
    reference, cells, _ = sides([0, 1, 2], [2, 3, 4])
    before = Evidence("align", 0.3, 0.9)
    monkeypatch.setattr(module, "weighted_auc", lambda *_, **__: 0.8)
    few, _ = after_start(reference, cells, cells, before, strength=0.3, seed=0)
    same, _, _ = sides(ALL, ALL)  # of many, it is known which they are
    many, _ = after_start(same, same, same, before, strength=0.3, seed=0)
    assert (few.answer, many.answer) == ("unknown", "align")


@pytest.mark.parametrize("few", [0, 1])
@pytest.mark.parametrize(("n", "answer"), [(FEW_CELLS - 1, "few"), (FEW_CELLS, "align")])
def test_of_fewer_than_fifty_cells_nothing_is_asked(sides, few, n, answer):
    reference, cells, units = sides(ALL, ALL, gain=1.0)
    sizes = [(n, 300), (300, n)][few]
    found = as_measured(reference[: sizes[0]], cells[: sizes[1]], seed=0)
    assert found.answer == answer
    assert found.moves == (answer == "align")
    assert np.isnan(found.share) == (answer == "few")


def test_which_markers_differ_is_told_within_clusters(sides):
    """Another composition moves means of all markers, and none within clusters."""
    reference, cells, _ = sides([0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 3, 3])
    cells[:, [4, 7]] += [0.3, -0.3]
    even = Weights(np.ones(len(reference)), np.ones(len(cells)))
    assert np.flatnonzero(differing(reference, cells, even, seed=0)).tolist() == [4, 7]
    assert np.abs(reference.mean(axis=0) - cells.mean(axis=0))[[0, 1, 2, 3, 5, 6, 8, 9]].max() > 0.3


def test_markers_that_differ_by_chance_alone_are_to_be_kept_as_measured(sides):
    """Others are looked for where the alignment puts cells: as measured, some would correspond to none."""
    reference, truth, _ = sides(ALL, ALL)
    cells = truth.copy()
    cells[:, [4, 7, 8]] += [1.5, -0.4, 0.8]
    _, still = after_start(reference, cells, truth, Evidence("align"), strength=0.0, seed=0)
    assert not {4, 7, 8} & set(still)
    assert len(still) >= 5
    assert all(isinstance(marker, int) for marker in still)
    _, none = after_start(reference, truth + 0.5, truth, Evidence("align"), strength=0.0, seed=0)
    assert none == ()


def test_where_no_cluster_can_be_compared_all_may_differ():
    cells = np.random.default_rng(0).normal(size=(60, 3))
    even = Weights(np.ones(60), np.ones(60))
    assert differing(cells, cells + 100, even, seed=0).all()
