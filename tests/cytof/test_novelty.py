"""Cells without counterpart: a type that the reference lacks is found, and next to nothing else is."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof import novelty as module
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.novelty import fit_novelty
from cellgan.cytof.pair import align_pair
from cellgan.cytof.response import Response
from cellgan.cytof.transform import Standardise, to_arcsinh


def standard(*counts: np.ndarray) -> list[np.ndarray]:
    """Bring counts to standard units of the first."""
    scaled = [to_arcsinh(np.asarray(each), 5.0) for each in counts]
    units = Standardise.of(scaled[0])
    return [units.apply(each).astype(float) for each in scaled]


def told(reference: np.ndarray, aligned: np.ndarray) -> np.ndarray:
    """Say which cells are novel; nobody is where there is nothing to tell them by."""
    found = fit_novelty(reference, aligned, seed=0)
    return np.zeros(len(aligned), dtype=bool) if found is None else found(aligned)


@pytest.fixture(scope="module")
def blood():
    """A reference without NK cells, cells with them, which these are; all as the reference measures them."""
    full, lacking = cellgan.simulate(n_cells=1000, n_markers=12, seed=0, missing=True)
    return *standard(lacking.layers["truth"], full.layers["truth"]), (
        full.obs["cell_type"] == "NK"
    ).to_numpy()


def test_a_type_that_the_reference_lacks_is_found(blood):
    reference, cells, killers = blood
    novel = told(reference, cells)
    assert novel[killers].mean() > 0.9
    assert novel[~killers].mean() < 0.01
    with_them = np.vstack([reference, cells[killers]])
    assert told(with_them, cells)[killers].mean() < 0.05


def test_and_after_an_alignment_that_had_to_move_them():
    full, lacking = cellgan.simulate(n_cells=1000, n_markers=12, seed=1, missing=True)
    scaled = [to_arcsinh(each.X, 5.0) for each in (lacking, full)]  # this reference has the batch effect
    units = Standardise.of(scaled[0])
    reference, cells = (units.apply(each).astype(float) for each in scaled)
    pair = align_pair(reference, cells, units=units, config=AlignConfig(rounds=15))
    killers = (full.obs["cell_type"] == "NK").to_numpy()
    novel = told(reference, pair.mover(cells))
    assert pair.chosen != "nothing"
    assert novel[killers].mean() > 0.8
    assert novel[~killers].mean() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_halves_of_one_sample_hold_nothing_novel(seed):
    (cells, _) = cellgan.simulate(n_cells=1200, n_markers=12, seed=seed)
    (cells,) = standard(cells.X)
    assert fit_novelty(cells[::2], cells[1::2], seed=seed) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_type_that_is_merely_five_times_rarer_is_not_novel(seed):
    _, blood = cellgan.simulate(n_cells=2000, n_markers=20, seed=seed)
    (cells,) = standard(blood.layers["truth"])
    killers = (blood.obs["cell_type"] == "NK").to_numpy()
    reference, cells = cells[::2], cells[1::2]
    at = np.flatnonzero(killers[::2])
    thinned = np.delete(reference, at[len(at) // 5 :], axis=0)
    assert told(thinned, cells).mean() < 0.01
    # Without any, they are: the cells are there to be found.
    assert told(np.delete(reference, at, axis=0), cells)[killers[1::2]].mean() > 0.8


@pytest.mark.parametrize(
    ("n_markers", "rarer"),
    [
        # A density so many times lower is rarer ** (1 / n_markers) times the distance: 1.12, 1.15, 1.13.
        (6, 2),
        (8, 3),
        (16, 7),
    ],
)
def test_a_type_that_is_merely_rarer_lies_little_farther(n_markers, rarer):
    rng = np.random.default_rng(0)

    def draw(n_common: int, n_rare: int) -> np.ndarray:
        cells = rng.normal(size=(n_common + n_rare, n_markers))
        cells[n_common:, 0] += 12
        return cells

    cells = draw(1200, 300)
    assert told(draw(1500 - 300 // rarer, 300 // rarer), cells).mean() < 0.01
    assert told(draw(1500, 0), cells)[1200:].mean() > 0.95


def test_what_is_typical_tells_all_cells_as_their_neighbours_did(blood):
    reference, cells, _ = blood
    found = fit_novelty(reference, cells, seed=0)
    by_neighbours = module._novel(reference / found.scale, cells / found.scale)
    assert 0.05 < by_neighbours.mean() < 0.2
    assert (found(cells) == by_neighbours).mean() > 0.99
    assert found(cells[:1]).shape == (1,)


def test_a_type_close_to_another_is_found_and_the_edge_of_one_is_not():
    """Four of eight markers are higher by 2.2 standard deviations: nearer than many cells of one type lie."""
    rng = np.random.default_rng(0)
    reference, cells = rng.normal(size=(2, 2000, 8))
    cells[:200, :4] += 2.2
    novel = told(reference, cells)
    assert novel[:200].mean() > 0.8
    assert novel[200:].mean() < 0.05
    wide = rng.normal(size=(2000, 8)) * np.linspace(1, 2.5, 8)
    assert not told(wide[::2], wide[1::2]).any()


@pytest.mark.parametrize(("n", "found"), [(10, 0), (40, 80)])
def test_groups_of_few_cells_are_no_population(n, found):
    """Of 4,000 cells .7 % are 28: two groups of ten are enough cells to ask, and either is too small."""
    rng = np.random.default_rng(0)
    reference, cells = rng.normal(size=(2, 4000, 6))
    cells[:n, 0] += 12
    cells[n : 2 * n, 1] += 12
    novel = module._novel(reference, cells)
    assert novel[: 2 * n].sum() == found
    assert novel[2 * n :].mean() < 0.01


def test_markers_count_as_they_vary_among_neighbours():
    """The first marker tells two types apart, far: among neighbours, it varies as it does within them."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(2, 1500, 4))
    cells[:, ::2, 0] += 40
    cells[1, :200, 3] += 12
    found = fit_novelty(*cells, seed=0)
    assert cells[..., 0].std() > 15
    assert found.scale.max() < 1.2
    assert found(cells[1])[:200].mean() > 0.9


def test_what_put_cells_there_is_remembered(blood):
    reference, cells, _ = blood
    response = Response.identity(cells.shape[1])
    assert fit_novelty(reference, cells, seed=0, response=response).response is response
    assert fit_novelty(reference, cells, seed=0).response is None


def test_a_sample_of_the_cells_will_do(blood, monkeypatch):
    reference, cells, killers = blood
    monkeypatch.setattr(module, "N_CELLS", 500)
    novel = told(reference, cells)
    assert novel[killers].mean() > 0.8
    assert novel[~killers].mean() < 0.02


def test_few_cells_are_too_few_to_tell(blood):
    """Twenty neighbours, and twenty novel cells: with fewer than these together nothing is said."""
    reference, cells, killers = blood
    ours, theirs = cells[killers][:45], cells[~killers]
    assert fit_novelty(reference[:39], cells[:39], seed=0) is None
    assert fit_novelty(reference[:0], cells, seed=0) is None
    few, enough = (np.vstack([theirs[:800], ours[:n]]) for n in (19, 45))
    assert fit_novelty(reference, few, seed=0) is None
    assert fit_novelty(reference, enough, seed=0) is not None


def test_cells_that_are_the_same_to_the_last_digit():
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(40, 4))
    assert fit_novelty(np.repeat(cells, 12, axis=0), np.repeat(cells, 12, axis=0), seed=0) is None
    twins = np.repeat(cells[:1] + 9, 60, axis=0)
    found = fit_novelty(rng.normal(size=(400, 4)), np.vstack([rng.normal(size=(340, 4)), twins]), seed=0)
    assert found(twins).all()
    assert found(cells).mean() < 0.02


def test_same_seed_same_cells(blood):
    reference, cells, _ = blood
    one, two, other = (fit_novelty(reference, cells, seed=seed) for seed in (3, 3, 4))
    assert one.novel.tobytes() == two.novel.tobytes() != other.novel.tobytes()
    assert one.familiar.tobytes() == two.familiar.tobytes()


def test_b_cells_that_one_centre_did_not_measure(real_cells):
    cells = ad.read_h5ad(real_cells / "multicenter_S01_S08.h5ad")
    one, other = cells[cells.obs["batch"] == "S01"], cells[cells.obs["batch"] == "S05"]
    rng = np.random.default_rng(0)
    one = one[one.obs["cell_type"] != "B"]
    one, other = (side[rng.permutation(side.n_obs)[:2500]] for side in (one, other))
    scaled = [to_arcsinh(np.asarray(side.X), 5.0) for side in (one, other)]
    units = Standardise.of(scaled[0])
    reference, cells = (units.apply(each).astype(float) for each in scaled)
    pair = align_pair(reference, cells, units=units, config=AlignConfig(rounds=25))
    novel, lacking = told(reference, pair.mover(cells)), (other.obs["cell_type"] == "B").to_numpy()
    assert lacking.sum() > 100
    assert novel[lacking].mean() > 0.8
    assert novel[~lacking].mean() < 0.05


def test_halves_of_a_replicate(real_cells):
    cells = ad.read_h5ad(real_cells / "replicates_person1.h5ad")
    (cells,) = standard(cells[cells.obs["batch"] == "Day1"].X)
    assert told(cells[::2], cells[1::2]).mean() <= 0.05
