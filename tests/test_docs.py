"""Code in the pages runs."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np

import cellgan

ROOT = Path(__file__).parents[1]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def run(code: str) -> dict:
    names: dict = {"__name__": "page"}
    exec(code, names)  # noqa: S102 - our own pages
    return names


def undescribed(report: dict) -> set[str]:
    """Give the entries of the JSON that the report's page does not name; settings have their own page."""
    page = (ROOT / "docs/report.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", page.split("## The JSON")[1]))
    found = set()

    def look(entry: object, *, by_name: bool = False) -> None:
        if isinstance(entry, list):
            for inner in entry:
                look(inner)
        if isinstance(entry, dict):
            found.update(() if by_name else entry)
            for name, inner in entry.items():
                look(inner, by_name=name in {"config", "versions", "private", "terms"})

    look(report)
    return found - told


def test_the_game_of_the_core_page_learns():
    (code,) = blocks("docs/core.md")
    names = run(code)
    import torch

    with torch.no_grad():
        drawn = names["game"].generator(torch.randn(500, 4, generator=torch.Generator().manual_seed(1)))
    assert len(names["history"].terms["generator/fool"]) == 100
    assert torch.allclose(drawn.mean(0), torch.tensor([1.0, -1.0]), atol=0.3)


def test_the_python_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, batch in enumerate(cellgan.simulate(n_cells=600, n_markers=14), 1):
        batch.write_h5ad(tmp_path / f"batch{number}.h5ad")
    quick = {
        "example_data/": "",
        "align([a, b])": "align([a, b], config=cellgan.AlignConfig(rounds=10))",
        "seed=1": "seed=1, rounds=10",
    }
    code = "\n".join(blocks("docs/python.md"))
    for said, done in quick.items():
        assert said in code
        code = code.replace(said, done)
    names = run(code)
    aligned = names["alignment"].adata
    second = aligned[aligned.obs["batch"] == "batch2"]
    np.testing.assert_array_equal(names["later"].layers["aligned"], second.layers["aligned"])
    assert names["tied"].report["batches"][0]["learned_from"] == {
        "source": "controls",
        "reference": 200,
        "batch": 200,
    }
    assert "batch2: renamed as told: CD3e to CD3" in names["told"].report["warnings"]
    assert [batch["batch"] for batch in names["centred"].report["batches"]] == ["batch1", "batch2"]
    assert undescribed(json.loads((tmp_path / "aligned.json").read_text(encoding="utf-8"))) == set()
    assert {"aligned.h5ad", "aligned.html", "aligned.json", "aligned.model"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_the_truth_of_the_simulation_page_is_nearer_after(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "practice").mkdir()
    batches = cellgan.simulate(n_cells=1500, n_markers=12)
    for number, batch in enumerate(batches, 1):
        batch.write_h5ad(tmp_path / f"practice/batch{number}.h5ad")
    cellgan.align(batches, config=cellgan.AlignConfig(rounds=100)).write("practice/aligned.h5ad")
    (code,) = blocks("docs/simulate.md")
    run(code)
    before, after = (float(line.split()[-1]) for line in capsys.readouterr().out.splitlines())
    assert after < before


def test_the_align_page_gives_the_defaults_of_the_config():
    page = (ROOT / "docs/align.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `--([a-z-]+)`[^|]*\| (?:`?([^|`]+?)`? )?\|", page, flags=re.MULTILINE))
    for field in fields(cellgan.AlignConfig):
        flag = field.name.replace("_", "-")
        assert flag in told
        if isinstance(field.default, str | int | float):
            assert type(field.default)(told[flag]) == field.default, field.name
