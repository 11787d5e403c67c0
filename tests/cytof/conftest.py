"""Cells for the tests: small made-up ones, and real ones where CELLGAN_DATA names their folder."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.fcs import write_fcs
from cellgan.cytof.read_write import write_whole
from cellgan.cytof.verdict import judge_batch


@pytest.fixture
def real_cells() -> Path:
    if "CELLGAN_DATA" not in os.environ:
        pytest.skip("needs real data: set CELLGAN_DATA to its folder")
    return Path(os.environ["CELLGAN_DATA"]) / "cytof"


@pytest.fixture
def cells() -> ad.AnnData:
    """Six cells, three markers, in ion counts."""
    counts = np.array(
        [[0, 5, 300], [1.5, 80, 2], [-0.5, 7, 40], [12, 0, 900], [3, 33, 6], [250, 1, 0.25]], dtype=np.float32
    )
    obs = pd.DataFrame({"day": ["a", "a", "b", "b", "a", "b"]}, index=[f"cell{i}" for i in range(6)])
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=["CD3", "CD4", "CD19"]))


@pytest.fixture
def saved(tmp_path, cells):
    """Write the cells to a file of the given name."""

    def save(name: str = "cells.h5ad") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".h5ad":
            write_whole(cells, path)
        else:
            write_fcs(path, cells.X, ["a", "b", "c"], list(cells.var_names))
        return path

    return save


N_TYPES, N_TYPE_MARKERS = 9, 10


@pytest.fixture(scope="session")
def drawn_types():
    """Return a function that draws cells of made-up types, high in about two fifths of ten markers each."""

    def draw(types: list[int], n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return true signals in cofactors, ``(n, 10)``, and the type of each cell, ``(n,)``."""
        rng = np.random.default_rng(99)
        low, high = (
            rng.uniform(0, 0.3, (N_TYPES, N_TYPE_MARKERS)),
            rng.uniform(2.5, 5, (N_TYPES, N_TYPE_MARKERS)),
        )
        centres = np.sinh(np.where(rng.random((N_TYPES, N_TYPE_MARKERS)) < 0.4, high, low))
        rng = np.random.default_rng(seed)
        kind = rng.choice(types, n)
        signal = centres[kind] * np.exp(rng.normal(0, 0.35, (n, N_TYPE_MARKERS)))
        return signal + rng.normal(0, 0.25, signal.shape), kind

    return draw


STILL = {"method": "nothing", "emd": 0.60, "auc": 0.95, "neighbours": 1.0, "moved": 0.0, "chosen": True}


def a_good_batch() -> dict:
    """Give an alignment that deserves no doubt."""
    return {
        "batch": "day2",
        "reference": "day1",
        "n_cells": 5000,
        "novel": 0,
        "learned_from": {"source": "cells", "reference": 5000, "batch": 5000},
        "held_out": {"reference": 800, "batch": 800},
        "scores": [
            {"method": "nothing", "emd": 0.60, "auc": 0.95, "neighbours": 1.0, "moved": 0.0},
            {"method": "per-marker quantiles", "emd": 0.15, "auc": 0.64, "neighbours": 0.66, "moved": 0.6},
            {"method": "start", "emd": 0.10, "auc": 0.58, "neighbours": 0.62, "moved": 0.6},
            {"method": "cellgan", "emd": 0.06, "auc": 0.53, "neighbours": 0.6, "moved": 0.6, "chosen": True},
        ],
        "floor": {"emd": 0.04, "auc": 0.50},
        "scale": "",
        "evidence": {"answer": "align", "share": 0.9, "auc_before": 0.95, "auc": 0.55, "strength": 0.2},
        "markers": [{"marker": "CD3", "emd_before": 0.5, "emd_after": 0.05, "moved": 0.5, "gain": 1.2}],
        "clusters": [
            {
                "cluster": 0,
                "share_reference": 0.4,
                "share_batch": 0.5,
                "mapped": True,
                "high": ["CD3", "CD4"],
                "high_before": ["CD3", "CD4"],
                "changed": [],
            },
            {
                "cluster": 1,
                "share_reference": 0.6,
                "share_batch": 0.5,
                "mapped": True,
                "high": [],
                "high_before": [],
                "changed": [],
            },
        ],
    }


@pytest.fixture
def good_batch():
    """Return a function that gives an alignment that deserves no doubt."""
    return a_good_batch


@pytest.fixture
def cluster():
    """Return a function that describes a population."""

    def cluster(number: int, reference: float, batch: float, *, mapped: bool = False, high=("CD14",)) -> dict:
        return {
            "cluster": number,
            "share_reference": reference,
            "share_batch": batch,
            "mapped": mapped,
            "high": list(high),
            "high_before": list(high),
            "changed": [],
        }

    return cluster


@pytest.fixture
def judged():
    """Return a function that judges the good batch with something changed."""

    def judged(**changes: object) -> tuple[str, str, list[str]]:
        """Judge the good batch with ``method_key``, ``floor_key``, ``evidence_key`` or ``key`` changed."""
        batch = a_good_batch()
        rows = {"nothing": 0, "quantiles": 1, "start": 2, "cellgan": 3}
        for key, value in changes.items():
            where, _, score = key.partition("_")
            if where in rows:
                batch["scores"][rows[where]][score] = value
            elif where in {"floor", "evidence"}:
                batch[where][score] = value
            else:
                batch[key] = value
        seen = copy.deepcopy(batch)
        verdict, warnings = judge_batch(batch)
        assert batch == seen
        json.dumps([verdict, warnings])
        assert set(verdict) == {"level", "text"}
        return verdict["level"], verdict["text"], warnings

    return judged


@pytest.fixture
def unmoved():
    """Return a function that judges a batch that stayed as measured."""

    def unmoved(answer: str, **changes: object) -> tuple[str, str, list[str]]:
        """Judge a batch that stayed as measured, with values of ``evidence`` or of the batch changed."""
        batch = a_good_batch()
        batch["scores"] = [dict(STILL), batch["scores"][1]]
        batch["evidence"]["answer"] = answer
        for key, value in changes.items():
            (batch["evidence"] if key in batch["evidence"] else batch)[key] = value
        verdict, warnings = judge_batch(batch)
        return verdict["level"], verdict["text"], warnings

    return unmoved
