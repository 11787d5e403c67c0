"""What a person reads of a validation: the verdict, its warnings, and the page."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.hold_out import OWN
from cellgan.cytof.validation import METHODS, summarise
from cellgan.cytof.validation_page import validation_page
from cellgan.report.page import render

ABOUT = {
    "cellgan": "0.1.0",
    "config": {"seed": 0, "markers": []},
    "versions": {"python": "3.12"},
    "device": "cpu",
    "reference": "day1",
    "inputs": [
        {"batch": name, "path": f"{name}.h5ad", "sha256": "ab12", "n_cells": 1000}
        for name in ("day1", "day2")
    ],
    "transform": {"reason": "the values are counts"},
    "markers": {"aligned": ["CD3", "CD4", "CD8", "CD19"]},
    "warnings": ["CD3 was spelled Cd3"],
}
RNG = np.random.default_rng(0)


def part(marker: str, r: float, *, simple: float = 0.4, coverage: float = 0.9, r_source: float | None = None):
    scores = {"r_within": 0.2, "nrmse": 0.5, "emd": 0.1, "sd_ratio": 1.0, "corr": 0.02}
    values = RNG.gamma(2, 1, 200)
    return {
        "marker": marker,
        "r_source": r if r_source is None else r_source,
        "n_learned": 9000,
        "n_scored": 8000,
        "methods": {OWN: scores | {"r": r, "coverage": coverage}}
        | {method: scores | {"r": simple, "emd": 0.3} for method in BASELINES},
        "view": {"measured": values.tolist(), "expected": (values / 2).tolist(), "drawn": values.tolist()},
    }


def found(*parts, private=None):
    return summarise(ABOUT, parts, private or {"day1": {}, "day2": {}}, batch="day2")


THREE = (part("CD3", 0.9), part("CD4", 0.6), part("CD8", 0.3))
SEVEN = (*THREE, *(part(name, r) for name, r in (("CD2", 0.9), ("CD5", 0.3), ("CD7", 0.9), ("CD9", 0.3))))


@pytest.mark.parametrize(
    ("r_source", "level", "headline"),
    [
        ((0.9, 0.8), "good", "Trust the imputed markers"),
        ((0.9, 0.6), "caution", "Trust 1 of the 2 imputed markers"),
        ((0.6, 0.6), "caution", "Use the imputed markers with care"),
        ((0.6, 0.1), "caution", "Use 1 of the 2 imputed markers, with care"),
        ((0.2, 0.1), "poor", "Do not use the imputed markers"),
    ],
)
def test_the_verdict_counts_imputed_markers(r_source, level, headline):
    private = {"day1": dict(zip(("CD16", "CD56"), r_source, strict=True)), "day2": {}}
    verdict = found(*SEVEN, private=private).report["verdict"]
    assert (verdict["level"], verdict["headline"]) == (level, headline)
    assert "Each of 7 shared markers was hidden in day2" in verdict["text"]
    assert "0.60 on average, 0.20 within populations" in verdict["text"]
    assert "reached 0.40" in verdict["text"]


def test_without_imputed_markers_it_says_so():
    verdict = found(*THREE).report["verdict"]
    assert verdict["headline"] == "1 of 3 markers could be trusted if they were missing"
    assert "nothing to impute" in verdict["text"]


@pytest.mark.parametrize(
    ("parts", "warning"),
    [
        ([part("CD3", 0.9, coverage=0.84)], "too narrow"),
        ([part("CD3", 0.9, coverage=0.96)], "too wide"),
        ([part("CD3", 0.6, simple=0.63)], "predicts better here: r 0.63 against 0.60"),
        ([part("CD3", 0.9), part("CD4", 0.9)], "only 2 markers were held out"),
    ],
)
def test_warnings(parts, warning):
    told = found(*parts, private={"day1": {"CD16": 0.9}, "day2": {}}).report["warnings"]
    assert told[0] == "CD3 was spelled Cd3"
    assert any(warning in each for each in told)


def test_what_is_as_it_should_be_has_no_warning():
    private = {"day1": {"CD16": 0.9}, "day2": {}}
    good = [part(name, 0.6, simple=0.619, coverage=0.86) for name in ("CD3", "CD4", "CD8")]
    assert found(*good, private=private).report["warnings"] == ABOUT["warnings"]


def test_means_are_of_what_is_known():
    parts = [part("CD3", 0.9), part("CD4", 0.5)]
    parts[0]["methods"][OWN]["r_within"] = float("nan")
    report = found(*parts).report
    assert [row["method"] for row in report["mean"]] == list(METHODS)
    assert report["mean"][0]["r"] == pytest.approx(0.7)
    assert report["mean"][0]["r_within"] == 0.2
    assert report["held_out"][0]["methods"][0]["r_within"] is None


def test_the_page_shows_every_marker_and_why():
    validation = found(*THREE, private={"day1": {"<CD16>": 0.85}, "day2": {"CD56": 0.2}})
    text = render(validation_page(validation.report, validation.views))
    shown = re.sub(r"<[^>]+>", " ", text)
    assert "&lt;CD16&gt;" in text
    for words in (
        "Use 1 of the 2 imputed markers, with care",
        "CD3 was spelled Cd3",
        "CD8, CD4, CD3",
        "Do not trust",
    ):
        assert words in shown
    assert text.count("data:image/png") == 3
    assert text.count("<figure>") == 6
    best_first = [text.index(f'<figcaption><span class="title">{name}<') for name in ("CD3", "CD4", "CD8")]
    assert best_first == sorted(best_first)
    assert render(validation_page(validation.report, validation.views)) == text


def test_many_markers_are_folded():
    validation = found(*[part(f"CD{i}", 0.5) for i in range(14)])
    text = render(validation_page(validation.report, validation.views))
    assert "The other 2 markers, less well predicted" in text
