"""Markers that say nothing in a batch: stains that failed, and what nearly all of its cells lack."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.silent import FEW_CELLS, silent_markers

N = 2000
Batches = dict[str, np.ndarray]


def stained(share: float = 0.4, *, n: int = N, gain: float = 1.0, seed: int = 0) -> np.ndarray:
    """One marker on the arcsinh scale: some cells have it, and all others have exactly none."""
    rng = np.random.default_rng(seed)
    bright = np.exp(rng.normal(np.log(100 * gain), 0.5, n))
    return np.arcsinh(np.where(rng.random(n) < share, bright, 0) / 5).astype(np.float32)


def noise(sd: float, *, n: int = N, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sd, n).astype(np.float32)


def rare(share: float, *, n: int = N) -> np.ndarray:
    """Zeros, but for some cells here and there that are bright."""
    values = np.zeros(n, dtype=np.float32)
    there = np.random.default_rng(2).permutation(n)[: round(share * n)]
    values[there] = stained(1.0, n=len(there))
    return values


def silent(**columns: np.ndarray) -> list[str]:
    """Say in which batches a marker says nothing; the reference is ``r``."""
    values = {name: column[:, None] for name, column in columns.items()}
    found = silent_markers(values, dict.fromkeys(values, ("CD3",)), reference="r")
    assert set(found) <= {"CD3"}
    return found.get("CD3", [])


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(np.zeros(N, dtype=np.float32), id="nothing"),
        pytest.param(np.full(N, 3.3, dtype=np.float32), id="one value"),
        pytest.param(noise(0.03), id="hardly any noise"),
        pytest.param(rare(0.001), id="99.9 % zeros"),
        pytest.param(rare(0.01), id="99 % zeros"),
        pytest.param(rare(0.05), id="95 % zeros"),
    ],
)
def test_a_stain_that_failed_says_nothing_in_its_batch_alone(failed):
    assert silent(r=stained(), a=failed) == ["a"]
    assert silent(r=stained(), a=failed, b=stained(seed=5)) == ["a"]
    assert silent(r=failed, a=stained()) == ["r"]


@pytest.mark.parametrize(
    "works",
    [
        pytest.param(stained(0.15), id="a rarer population"),
        pytest.param(rare(0.06), id="94 % zeros"),
        pytest.param(stained(gain=0.05), id="a weak stain"),
        pytest.param(stained(gain=30), id="a strong one"),
        pytest.param(stained() + noise(0.3), id="noise around zero"),
        pytest.param(noise(0.3), id="noise alone, where no cell has it"),
    ],
)
def test_what_varies_is_aligned(works):
    assert silent(r=stained(), a=works) == []
    assert silent(r=works, a=stained()) == []


def test_what_is_rare_in_all_batches_is_aligned():
    """Such as a marker of a population of one in a hundred cells."""
    assert silent(r=rare(0.01), a=rare(0.01), b=rare(0.02)) == []


@pytest.mark.parametrize(("times", "says_nothing"), [(0.045, True), (0.055, False)])
def test_the_range_of_nearly_all_cells_is_compared(times, says_nothing):
    full = noise(1.0)
    assert silent(r=full, a=times * full) == (["a"] if says_nothing else [])
    # A few cells beyond that range change nothing.
    stray = times * full
    stray[:4] = 9
    assert silent(r=full, a=stray) == (["a"] if says_nothing else [])


@pytest.mark.parametrize(("share", "says_nothing"), [(0.66, True), (0.68, False)])
def test_zeros_must_be_clearly_fewer_in_the_other_batch(share, says_nothing):
    """Of .98."""
    other = np.where(np.arange(N) < share * N, 0, stained(1.0)).astype(np.float32)
    assert silent(r=other, a=rare(0.02)) == (["a"] if says_nothing else [])


def test_the_reference_says_nothing_where_it_is_so_beside_every_other():
    flat = np.zeros(N, dtype=np.float32)
    assert silent(r=flat, a=stained(), b=stained(seed=3)) == ["r"]
    assert silent(r=flat, a=flat) == ["r", "a"]
    assert silent(r=flat, a=flat, b=stained()) == ["r", "a"]
    # Another batch varies as little: then the marker may well be so.
    assert silent(r=noise(0.01), a=noise(0.01, seed=3), b=stained()) == []


def test_each_marker_is_looked_at_where_it_was_measured():
    both, flat = np.stack([stained(), stained(seed=1)], axis=1), np.zeros((N, 1), dtype=np.float32)
    values = {"r": np.hstack([both, stained(seed=2)[:, None]]), "a": np.hstack([flat, both]), "b": flat}
    markers = {"r": ["CD3", "CD4", "CD8"], "a": ["CD8", "CD4", "CD3"], "b": ["CD4"]}
    assert silent_markers(values, markers, reference="r") == {"CD4": ["b"], "CD8": ["a"]}


@pytest.mark.parametrize("n", [2, 5, FEW_CELLS - 1])
def test_few_cells_that_hardly_differ_may_be_of_one_type(n):
    assert silent(r=stained(), a=noise(0.01, n=n)) == []
    assert silent(r=noise(0.01, n=n), a=stained()) == []
    assert silent(r=noise(0.01, n=n), a=noise(0.01, n=n, seed=3)) == []
    # But a single value is one.
    assert silent(r=stained(), a=np.zeros(n, dtype=np.float32)) == ["a"]


def test_from_fifty_cells_on_it_is_known():
    assert silent(r=stained(), a=noise(0.01, n=FEW_CELLS)) == ["a"]


@pytest.fixture(scope="module")
def three() -> list[ad.AnnData]:
    return [
        *cellgan.simulate(n_cells=400, n_markers=6, seed=3),
        cellgan.simulate(n_cells=400, n_markers=6)[1],
    ]


def test_a_stain_that_failed_is_kept_in_its_batch_and_aligned_in_the_others(three):
    one, two, last = (batch.copy() for batch in three)
    marker = two.var_names[2]
    values = np.zeros(400, dtype=np.float32)
    values[::100] = 50  # a few stray cells
    two.X[:, 2] = values
    config = cellgan.AlignConfig(rounds=2, transform="arcsinh", method="quantiles")
    aligned = cellgan.align({"one": one, "two": two, "last": last}, config=config)
    layer = aligned.adata[:, marker].layers["aligned"][:, 0]
    np.testing.assert_array_equal(layer[400:800], np.arcsinh(values / np.float32(5)))
    assert np.abs(layer[800:] - np.arcsinh(last.X[:, 2] / 5)).max() > 0.05
    assert marker in aligned.report["markers"]["aligned"]
    rows = {
        batch["batch"]: [row["marker"] for row in batch["markers"]] for batch in aligned.report["batches"]
    }
    assert marker not in rows["two"]
    assert marker in rows["last"]
    (note,) = [warning for warning in aligned.report["warnings"] if "hardly varies" in warning]
    assert note.startswith(f"{marker} hardly varies in two (a stain that failed?)")
    # Cells that come later are mapped the same way.
    again = aligned.map(two, batch="two")[:, marker].layers["aligned"][:, 0]
    np.testing.assert_array_equal(again, layer[400:800])
