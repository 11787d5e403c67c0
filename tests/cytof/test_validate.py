"""Validation as a whole: which markers, which words, which rows; the work itself is stood in for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import cellgan
from cellgan.cytof import validate as module
from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.hold_out import OWN
from cellgan.cytof.kept_parts import KeptParts
from cellgan.errors import CellganError, ConfigError, InputError, OutputError, PanelError

PLAIN = {"r_within": 0.3, "nrmse": 0.6, "emd": 0.4, "sd_ratio": 0.6, "corr": 0.1}
R = {"CD45": 0.2, "CD3": 0.9, "CD4": 0.8, "CD8a": 0.75, "CD19": 0.6, "CD14": 0.55}


@pytest.fixture
def panels():
    a, b = cellgan.simulate(n_cells=150, n_markers=8)
    names = list(a.var_names)
    return a[:, names[:7]].copy(), b[:, [*names[:6], names[7]]].copy()


@pytest.fixture
def asked(monkeypatch):
    """Stand in for what takes time; give the markers that were asked for."""
    found = []

    def hold_out(_trial, marker):
        found.append(marker)
        own = PLAIN | {"r": R[marker], "coverage": 0.9, "emd": 0.05, "r_draw": R[marker] / 2}
        simple = {method: PLAIN | {"r": R[marker] - 0.1} for method in BASELINES}
        values = np.linspace(0, 5, 60).tolist()
        return {
            "marker": marker,
            "r_source": R[marker] + 0.05,
            "methods": {OWN: own} | simple,
            "n_learned": 150,
            "n_scored": 150,
            "view": {"measured": values, "expected": values[::-1], "drawn": values},
        }

    private = {"batch1": {"CD56": 0.85}, "batch2": {"CD16": 0.4}}
    monkeypatch.setattr(module, "hold_out", hold_out)
    monkeypatch.setattr(module.Trial, "of", classmethod(lambda *_: None))
    monkeypatch.setattr(module, "r_of_private", lambda _prepared, batch, _config: private[batch.name])
    return found


def test_a_row_a_marker_and_method_then_one_for_each_imputed(panels, asked):
    table = cellgan.validate(*panels)
    assert asked == list(R)
    held, imputed = table[table["r"].notna()], table[table["r"].isna()]
    assert len(held) == 6 * (1 + len(BASELINES))
    own = held[held["method"] == OWN].set_index("marker")
    assert own["r"].to_dict() == R
    assert own["trust"].tolist() == ["no", "trust", "trust", "trust", "care", "care"]
    assert set(held["measured_in"]) == {"batch1,batch2"}
    assert set(held[held["method"] != OWN]["trust"]) == {""}
    assert imputed[["marker", "measured_in", "trust"]].to_numpy().tolist() == [
        ["CD56", "batch1", "care"],  # by six markers; seven are asked for
        ["CD16", "batch2", "no"],
    ]
    assert imputed["r_expected"].tolist() == pytest.approx([0.80, 0.35])
    assert "CD8a 0.80 → 0.75" in imputed["why"].iloc[0]


def test_names_under_any_spelling_in_the_order_of_the_panel(panels, asked):
    a, b = panels
    b = b.copy()
    b.var_names = [name.lower() for name in b.var_names]
    cellgan.validate(a, b, hold_out=["cd19", "CD3", "CD19"])
    assert asked == ["CD3", "CD19"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["CD44"], r"'CD44' cannot be held out, .* did you mean CD4"),
        (["TIGIT"], "they share CD45, CD3, CD4"),
        (["CD56"], "only batch1 measured it"),
        ([], "names no marker"),
    ],
)
def test_markers_that_cannot_be_held_out(panels, asked, names, message):
    with pytest.raises(CellganError, match=message):
        cellgan.validate(*panels, hold_out=names)
    assert asked == []


def test_two_shared_markers_are_too_few(panels, asked):
    a, b = panels
    with pytest.raises(PanelError, match="only 2 markers are shared, CD45 and CD3, and it takes 3"):
        cellgan.validate(a, b[:, ["CD45", "CD3"]].copy())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference": "batch2"}, "the first batch is the reference"),
        ({"reference": "consensus"}, "the first batch is the reference"),
        ({"threads": 2}, "set jobs instead"),
        ({"impute": False}, "nothing to validate"),
    ],
)
def test_settings_that_would_do_nothing(panels, asked, settings, message):
    with pytest.raises(ConfigError, match=message):
        cellgan.validate(*panels, config=cellgan.AlignConfig(**settings))


def test_too_few_cells_to_learn_from(panels, asked):
    a, b = panels
    with pytest.raises(InputError, match=r"'batch2' has 99 cells; .* needs 100"):
        cellgan.validate(a, b[:99].copy())


def test_a_report_is_written_and_never_replaced_unasked(panels, asked, tmp_path):
    path = tmp_path / "v.html"
    cellgan.validate(*panels, report=path)
    report = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    assert report["batch"] == "batch2"
    assert [entry["marker"] for entry in report["private"]] == ["CD56", "CD16"]
    assert report["mean"][0]["r"] == pytest.approx(np.mean(list(R.values())))
    asked.clear()
    with pytest.raises(OutputError, match="exists already"):
        cellgan.validate(*panels, report=path)
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        cellgan.validate(*panels, report=tmp_path / "v.pdf")
    assert asked == []
    assert {file.name for file in tmp_path.iterdir()} == {"v.html", "v.json"}


def test_every_entry_of_the_json_is_described(panels, asked, tmp_path):
    page = (Path(__file__).parents[2] / "docs/validate.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", page.split("## The JSON")[1]))
    cellgan.validate(*panels, report=tmp_path / "v.html")
    report = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))
    assert set(report) <= told
    for name in ("held_out", "private", "mean"):
        assert {key for entry in report[name] for key in entry} <= told
    assert {key for entry in report["held_out"] for row in entry["methods"] for key in row} <= told


def test_it_goes_on_where_it_was_stopped(panels, asked, tmp_path, monkeypatch):
    kept = KeptParts(tmp_path / "v.parts")
    batches = module.batches_from_adata(list(panels))
    config = cellgan.AlignConfig()
    whole, work = module.hold_out, list(R)[:4]

    def until(trial, marker):
        if marker not in work:
            raise KeyboardInterrupt
        return whole(trial, marker)

    monkeypatch.setattr(module, "hold_out", until)
    with pytest.raises(KeyboardInterrupt):
        module.validate_batches(batches, config, kept=kept)
    assert asked == work
    monkeypatch.setattr(module, "hold_out", whole)
    asked.clear()
    resumed = module.validate_batches(batches, config, kept=kept)
    assert asked == list(R)[4:]
    assert resumed.report == module.validate_batches(batches, config).report
    asked.clear()
    module.validate_batches(batches, cellgan.AlignConfig(seed=1), kept=kept)
    assert asked == list(R)
