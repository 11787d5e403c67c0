"""No population is turned into another one, however few types two batches share."""

from __future__ import annotations

from functools import cache

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig

N = 800
COFACTOR = 5.0
REFERENCE = (0, 1, 2, 3, 4)
BATCHES = {"none": (5, 6, 7, 8), "one": (4, 5, 6, 7), "some": (2, 3, 4, 5, 6), "all": REFERENCE}


@pytest.fixture(scope="session")
def aligned(drawn_types):
    """Return a function that aligns a batch: its types; its values in truth, before, and after; a report."""

    @cache
    def align(theirs: tuple[int, ...], *, gain: float, seed: int = 0):
        log_gain = np.random.default_rng(seed + 70).normal(0, gain, 10)
        signal, _ = drawn_types(REFERENCE, N, seed=seed)
        true, kind = drawn_types(theirs, N, seed=seed + 1)
        names = [f"M{i}" for i in range(10)]
        batches = [
            ad.AnnData((COFACTOR * own).astype(np.float32), var={"channel": names})
            for own in (signal, true * np.exp(log_gain))
        ]
        for batch in batches:
            batch.var_names = names
        config = AlignConfig(rounds=5, transform="arcsinh", cofactor=COFACTOR)
        found = cellgan.align(batches, config=config)
        after = np.asarray(found.adata[found.adata.obs["batch"] == "batch2", names].layers["aligned"])
        return kind, np.arcsinh(true), np.arcsinh(batches[1].X / np.float32(COFACTOR)), after, found.report

    return align


@pytest.fixture(scope="session")
def centres(drawn_types):
    """Where each of nine types lies, true values."""
    return {each: np.arcsinh(drawn_types([each], 300, seed=50)[0]).mean(axis=0) for each in range(9)}


def at_home(values: np.ndarray, own: int, centres: dict[int, np.ndarray]) -> float:
    """Return the share of cells of one type that lie nearest to where the truth puts this type."""
    distances = np.stack([np.abs(values - centre).sum(axis=1) for centre in centres.values()])
    return float((distances.argmin(axis=0) == list(centres).index(own)).mean())


@pytest.mark.parametrize(("shared", "gain"), [("none", 0.3), ("one", 0.6), ("some", 0.3), ("all", 0.0)])
def test_no_type_is_pressed_into_another(aligned, centres, shared, gain):
    kind, truth, before, after, report = aligned(BATCHES[shared], gain=gain)
    (batch,) = report["batches"]
    as_measured = np.array_equal(after, before)
    poor = as_measured and batch["verdict"]["level"] == "poor"
    for own in set(BATCHES[shared]):
        assert at_home(truth[kind == own], own, centres) > 0.97  # else there were nothing to ask
        assert poor or at_home(after[kind == own], own, centres) > 0.95, own
    errors = [float(np.sqrt(((each - truth) ** 2).mean())) for each in (before, after)]
    if not gain:
        assert as_measured
        assert errors[1] < 1e-6
    elif shared in {"some", "all"}:
        assert not as_measured
        assert errors[1] < 0.5 * errors[0]
    else:
        assert errors[1] <= errors[0]


def test_where_no_type_is_shared_the_verdict_is_poor(aligned):
    *_, report = aligned(BATCHES["none"], gain=0.3)
    (batch,) = report["batches"]
    assert batch["verdict"]["level"] == "poor"


def test_types_that_the_reference_lacks_are_told(aligned):
    """Two of five; and cells that correspond are not."""
    kind, *_, report = aligned(BATCHES["some"], gain=0.3)
    novel = report["batches"][0]["novel"]
    assert novel == pytest.approx(np.isin(kind, [5, 6]).sum(), rel=0.1)
