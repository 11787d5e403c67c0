import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cellgan.cytof.report import write_report
from cellgan.cytof.verdict import judge_batch
from cellgan.cytof.views import Views
from cellgan.errors import OutputError

SECTIONS = [
    "All cells on one map",
    "Scores beside simpler methods",
    "Marker by marker",
    "Two markers at a time",
    "Populations",
    "Training",
    "How this was made",
]
KEYS = ("method", "emd", "auc", "neighbours", "moved", "chosen")
ROWS = [
    ("nothing", 0.6, 0.95, 1.0, 0.0),
    ("per-marker quantiles", 0.2, 0.64, 0.66, 0.6),
    ("start", 0.1, 0.58, 0.62, 0.6),
    ("cellgan", 0.06, 0.53, 0.61, 0.6, True),
]
HOSTILE = "<script>alert('x')</script>$\\frac{1}{$"


def parsed(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314 (drawn here, not a stranger's)


def case(names=("day2",), *, markers=("CD3", "CD4", "CD8"), n_cells=60) -> tuple[dict, Views]:
    """Make a report and views by hand: one or more batches, shifted by 1 before, by nothing after."""
    draw = np.random.default_rng(0)
    reference = draw.gamma(2, size=(n_cells, len(markers)))
    cells = {name: draw.gamma(2, size=(n_cells, len(markers))) for name in names}
    views = Views(tuple(markers), reference, {name: (values + 1, values) for name, values in cells.items()})
    batches = []
    for name in names:
        batch = {
            "batch": name,
            "reference": "day1",
            "n_cells": 5000,
            "novel": 0,
            "learned_from": {"source": "cells", "reference": 5000, "batch": 5000},
            "held_out": {"reference": 800, "batch": 700},
            "scores": [dict(zip(KEYS, row, strict=False)) for row in ROWS],
            "floor": {"emd": 0.04, "auc": 0.5},
            "scale": "",
            "evidence": {"answer": "align", "share": 0.9, "auc_before": 0.95, "auc": 0.55, "strength": 0.2},
            "markers": [
                {"marker": marker, "emd_before": 1.0, "emd_after": 0.1, "moved": i, "sd": 0.12, "gain": 1.2}
                for i, marker in enumerate(markers)
            ],
            "clusters": [
                {"cluster": i, "share_reference": theirs, "share_batch": 0.5, "mapped": not i}
                | {"high": high, "high_before": high, "changed": []}
                for i, theirs, high in ((0, 0.4, [markers[0]]), (1, 0.6, []))
            ],
            "losses": {"rounds": [0, 1, 2], "terms": {"generators/fool": [1.0, 0.8, 0.7]}},
        }
        batch["verdict"], batch["warnings"] = judge_batch(batch)
        batches.append(batch)
    report = {
        "cellgan": "0.1.0",
        "format": 1,
        "config": {"seed": 0, "rounds": 600, "markers": (), "reference": None}
        | {"cofactor": "auto", "cofactors": {}},
        "versions": {"python": "3.11.4", "torch": "2.9.1"},
        "device": "cpu",
        "reference": "day1",
        "inputs": [
            {"batch": name, "path": path, "format": "h5ad", "sha256": "ab" * 32}
            | {"n_cells": 5000, "n_channels": 7}
            for name, path in [("day1", "folder/day1.h5ad"), *((name, None) for name in names)]
        ],
        "transform": {"name": "arcsinh", "cofactor": 5.0, "cofactors": {}}
        | {"reason": "arcsinh(x / 5): counts", "warning": ""},
        "markers": {
            "aligned": list(markers),
            "kept": [{"name": "Time", "kind": "time"}],
            "private": {"day1": ["CD161"], names[0]: []},
        },
        "batches": batches,
        "warnings": [],
    }
    return report, views


def written(folder, report, views) -> str:
    write_report(report, views, folder / "aligned.html")
    return (folder / "aligned.html").read_text(encoding="utf-8")


def drawings(text: str) -> list[ET.Element]:
    """Give every drawing that stands for something; swatches of legends do not."""
    return [parsed(svg) for svg in re.findall(r"<svg viewBox.*?</svg>", text) if 'role="img"' in svg]


def test_everything_is_on_the_page(tmp_path):
    report, views = case()
    text = written(tmp_path, report, views)
    assert "<h1>day2 aligned to day1</h1>" in text
    assert re.findall(r"<h2>(.*?)</h2>", text) == SECTIONS
    # The verdict comes before everything but the title.
    assert text.index(report["batches"][0]["verdict"]["text"]) < text.index("<h2>")
    shown = [drawing.get("aria-label") for drawing in drawings(text)]
    assert (
        len(shown) == len(set(shown)) + 2 + 0
    )  # the rows of markers are alike here: three dumbbells, one text
    for marker in ("CD3", "CD4", "CD8"):
        assert sum(label.startswith(f"Densities of {marker}:") for label in shown) == 1
    assert [s.split(":")[0] for s in shown if "two-dimensional map" in s] == ["Before", "After"]
    assert sum("as dots" in label for label in shown) == 2  # one pair of three markers
    assert "generators/fool by round" in shown
    facts = ("ab" * 32, "folder/day1.h5ad", "from memory", "2.9.1", "CD161", "Time (time)", "arcsinh(x / 5)")
    for fact in facts:
        assert fact in text
    for row in (
        "nothing: as measured",
        "per-marker quantiles",
        "start of the alignment",
        "cellgan (used)",
        "floor",
    ):
        assert row in text


def test_most_moved_marker_first(tmp_path):
    text = written(tmp_path, *case())
    assert re.findall(r'aria-label="Densities of (\w+)', text) == ["CD8", "CD4", "CD3"]


def test_names_of_strangers_are_words(tmp_path):
    report, views = case((HOSTILE,), markers=(HOSTILE + "1", HOSTILE + "2", "批次"))
    report["inputs"][1]["path"] = HOSTILE
    text = written(tmp_path, report, views)
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    assert "批次" in text
    assert any(HOSTILE in drawing.get("aria-label") for drawing in drawings(text))


def test_page_fetches_nothing(tmp_path):
    text = written(tmp_path, *case())
    assert "://" not in text
    assert "src=" not in text
    for target in re.findall(r'href="([^"]*)"', text):
        assert target.startswith(("#", "data:image/png;base64,"))


def test_same_report_same_bytes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, *case())
    for name in ("aligned.html", "aligned.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_json_beside(tmp_path):
    report, views = case()
    report["batches"][0]["scores"][0]["auc"] = math.nan
    written(tmp_path, report, views)
    found = json.loads((tmp_path / "aligned.json").read_text(encoding="utf-8"))
    assert found["batches"][0]["scores"][0]["auc"] is None
    assert found["config"]["markers"] == []
    assert found["batches"][0]["verdict"] == report["batches"][0]["verdict"]
    assert math.isnan(report["batches"][0]["scores"][0]["auc"])  # the caller's report is as it was


def test_several_batches(tmp_path):
    report, views = case(("day2", "day3", "day4", "day5"))
    report["batches"][1]["verdict"] = {"level": "poor", "text": "They cannot be relied on."}
    report["warnings"] = ["Two batches came from one file."]
    text = written(tmp_path, report, views)
    assert "<h1>4 batches aligned to day1</h1>" in text
    assert re.findall(r'<p class="headline">(.*?)</p>', text)[0] == "Some of these batches should not be used"
    assert "Do not use: day3. Good: day2, day4 and day5." in text
    assert re.findall(r"<h2>(.*?)</h2>", text) == ["day2", "day3", "day4", "day5", "How this was made"]
    targets = re.findall(r'<a href="#([^"]*)"', text)
    assert targets == ["batch-1", "batch-2", "batch-3", "batch-4", *["batches"] * 4]
    for target in targets:
        assert text.count(f'id="{target}"') == 1
    # Before all details stands one table: what to think of each batch, and where to read more.
    assert text.index("Verdicts at a glance") < text.index('id="batch-1"')
    assert "Two batches came from one file." in text


@pytest.mark.parametrize("level", ["good", "caution", "poor", "nothing"])
def test_every_level_has_a_page(tmp_path, level):
    report, views = case(("day2", "day3"))
    for batch in report["batches"]:
        batch["verdict"] = {"level": level, "text": "Because."}
    assert re.findall(r'<div class="banner (\w+)"', written(tmp_path, report, views)) == (
        ["neutral" if level == "nothing" else level] * 3
    )


def test_what_is_missing_is_left_out_or_a_dash(tmp_path):
    report, views = case()
    batch = report["batches"][0]
    batch["clusters"], batch["losses"] = [], {"rounds": [], "terms": {}}
    batch["floor"] = {"emd": None, "auc": math.nan}
    for row in batch["scores"]:
        row.update(emd=None, auc=None, neighbours=math.nan)
    for row in batch["markers"]:
        row.update(emd_before=None, emd_after=None)
    text = written(tmp_path, report, views)
    assert "<h2>Populations</h2>" not in text
    assert "<h2>Training</h2>" not in text
    assert "– → – SD" in text
    words = re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]*>", " ", text, flags=re.DOTALL)
    assert re.findall(r"\b(nan|None|inf)\b", words) == []


def test_two_markers_that_never_vary(tmp_path):
    report, views = case(markers=("CD3", "CD4"))
    for cells in (views.reference, *views.batches["day2"]):
        cells[:] = 0
    assert len(drawings(written(tmp_path, report, views))) == 2 + 2 + 2 + 2 + 2 + 1


def test_unwritable_place_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        write_report(*case(), tmp_path / "nowhere" / "aligned.html")
    assert list(tmp_path.iterdir()) == []


def test_worse_marker_is_flagged(tmp_path):
    report, views = case()
    report["batches"][0]["markers"][0].update(emd_before=0.1, emd_after=0.4)
    text = written(tmp_path, report, views)
    assert text.count('<span class="flag">worse</span>') == 1
    assert "CD3 (worse)" in text


def settings_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", text))


def test_settings_that_were_not_given_are_said_to_be(tmp_path):
    report, views = case()
    told = settings_of(written(tmp_path, report, views))
    assert [told[name] for name in ("markers", "reference", "cofactors")] == ["not given"] * 3
    assert told["cofactor"] == "auto"
    report["config"] |= {"cofactors": {"CD3": 10.0, "CD4": 150.0}, "markers": ["CD3", "CD4"]}
    told = settings_of(written(tmp_path, report, views))
    assert (told["cofactors"], told["markers"]) == ("CD3: 10.0, CD4: 150.0", "CD3, CD4")


def test_cells_without_counterpart_are_drawn(tmp_path):
    report, views = case(("day2", "day3"))
    plain = written(tmp_path, report, views)
    assert "without counterpart</span>" not in plain
    report["batches"][1]["novel"] = 400
    views.novel["day3"] = np.arange(60) < 20
    text = written(tmp_path, report, views)
    assert text.count("day3, without counterpart</span>") == 1
    assert "day2, without counterpart</span>" not in text
    same = [a == b for a, b in zip(maps_of(plain), maps_of(text), strict=True)]
    assert same == [True, True, False, False]  # day2 before and after, day3 before and after


def maps_of(text: str) -> list[str]:
    found = [ET.tostring(drawing, "unicode") for drawing in drawings(text)]
    return [drawing for drawing in found if "two-dimensional map" in drawing]


def test_a_consensus_is_no_batch(tmp_path):
    report, views = case(("day2", "day3"))
    report["reference"] = "consensus"
    del report["inputs"][0]
    for batch in report["batches"]:
        batch["reference"] = "consensus"
        batch["verdict"], batch["warnings"] = judge_batch(batch)
    text = written(tmp_path, report, views)
    assert "<h1>day2 and day3 aligned to the consensus</h1>" in text
    assert "10,000 cells were moved onto the consensus of all batches" in text
    assert "Where this page says reference, it means the consensus." in text
    assert "consensus of all batches</span>" in text  # legends
    assert "(reference)" not in text
    assert "5,000 of the consensus" in text


def test_what_stayed_was_not_moved(tmp_path):
    report, views = case(("day2", "day3"))
    stayed = report["batches"][1]
    stayed["scores"] = [stayed["scores"][0] | {"chosen": True}]
    text = written(tmp_path, report, views)
    assert "5,000 cells were moved onto the" in text
    assert "So were those of day3." in text
    assert "No cell was moved." in written(tmp_path, report | {"batches": [stayed]}, views)
