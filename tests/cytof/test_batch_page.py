"""What the report says of one batch in words and tables; test_report.py looks at whole pages."""

import pytest

from cellgan.cytof import batch_page, batch_tables, report


def batch(source: str = "cells", **changes: object) -> dict:
    made = {
        "batch": "day2",
        "reference": "day1",
        "n_cells": 5000,
        "novel": 0,
        "learned_from": {"source": source, "reference": 900, "batch": 700},
        "held_out": {"reference": 180, "batch": 140},
        "scores": [{"method": "nothing", "emd": 0.6, "auc": 0.95, "neighbours": 1.0, "moved": 0.0}],
        "floor": {"emd": 0.04, "auc": 0.5},
        "scale": "",
        "evidence": {"answer": "align", "share": 0.9, "auc_before": 0.95, "auc": 0.55, "strength": 0.2},
        "verdict": {"level": "good", "text": "Because."},
        "warnings": [],
    }
    return made | changes


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("cells", "Learned from all cells: 700 of day2 and 900 of day1."),
        (
            "controls",
            "Learned from control cells alone: 700 of day2 and 900 of day1. All cells of day2",
        ),
        (
            "condition",
            "Learned from cells drawn so that both sides hold equal shares of every condition: 700 of day2",
        ),
    ],
)
def test_what_was_learned_from(source, said):
    assert batch_page.learned_from(batch(source)).startswith(said)


def test_many_cells_are_not_all_learned_from():
    learned = {"source": "cells", "reference": 10_000, "batch": 700}
    assert "drawn" not in batch_page.learned_from(batch(learned_from=learned))
    words = batch_page.learned_from(batch(learned_from=learned | {"reference": 10_001}))
    assert words.endswith("10,001 of day1. At most 10,000 of a side were drawn for it.")


def test_a_consensus_is_called_so():
    one = batch(reference="consensus")
    assert batch_page.learned_from(one).endswith("900 of the consensus.")
    assert batch_tables.scores(one).caption.endswith("180 of the consensus")


@pytest.mark.parametrize(
    ("source", "cells"), [("cells", "cells"), ("controls", "control cells"), ("condition", "cells")]
)
def test_scores_say_on_which_cells(source, cells):
    caption = batch_tables.scores(batch(source)).caption
    assert caption == f"On held-out {cells}: 140 of day2, 180 of day1"


def test_markers_have_their_uncertainty_and_keep_their_order():
    row = {"emd_before": 1.0, "emd_after": 0.1, "moved": 0.5}
    table = batch_tables.markers([row | {"marker": "CD8", "sd": 0.104}, row | {"marker": "CD3", "sd": 0.301}])
    assert table.columns[-1].title == "Uncertainty, SD"
    assert table.columns[-1].look == "number"
    assert [(cells[0].shown, cells[-1].shown, cells[-1].key) for cells in table.rows] == [
        ("CD8", "0.10", 0.104),
        ("CD3", "0.30", 0.301),
    ]


CLUSTERS = [
    {"cluster": 1, "share_reference": 0.6, "share_batch": 0.5, "mapped": True},
    {"cluster": 2, "share_reference": 0.4, "share_batch": 0.02, "mapped": False},
]
CLUSTERS[0] |= {"high_before": ["CD3"], "high": ["CD3", "CD4"], "changed": []}
CLUSTERS[1] |= {"high_before": [], "high": [], "changed": []}


@pytest.mark.parametrize(
    ("method", "moved_by"), [("start", ["own map", "neighbours’ maps"]), ("nothing", ["nothing", "nothing"])]
)
def test_clusters_are_described_as_measured_and_as_aligned(method, moved_by):
    used = {"method": method, "emd": 0.06, "auc": 0.5, "neighbours": 0.7, "moved": 0.3, "chosen": True}
    table = batch_tables.clusters(batch(clusters=CLUSTERS, scores=[used]))
    assert [column.title for column in table.columns[1:3]] == ["High in, as measured", "High in, aligned"]
    assert [[cell.shown for cell in row[:5]] for row in table.rows] == [
        ["1", "CD3+", "CD3+, CD4+", "60 %", "50 %"],
        ["2", "–", "–", "40 %", "2.0 %"],
    ]
    assert [row[-1].shown for row in table.rows] == moved_by


def glance(*batches: dict) -> list[list[str]]:
    table = report._summary(list(batches))
    return [[column.title for column in table.columns], *([cell.shown for cell in row] for row in table.rows)]


def test_all_batches_at_a_glance():
    used = {"method": "start", "emd": 0.06, "auc": 0.5, "neighbours": 0.7, "moved": 0.3, "chosen": True}
    one = batch(novel=400, warnings=["Hm."])
    one["scores"].append(used)
    assert glance(one, batch(batch="day3")) == [
        ["Batch", "Verdict", "Cells", "Distance", "AUC", "Neighbours kept", "No counterpart", "Warnings"],
        ["day2", "Good", "5,000", "0.60 → 0.06", "0.95 → 0.50", "70 %", "400 (8.0 %)", "1"],
        ["day3", "Good", "5,000", "0.60 → –", "0.95 → –", "–", "none", "0"],
    ]


def test_which_batches_have_controls_at_a_glance():
    table = glance(batch("controls"), batch())
    assert [row[-1] for row in table] == ["Learned from", "controls", "all cells"]
