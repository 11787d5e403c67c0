"""The code of docs/validate.md runs, on fewer cells; what it says of thresholds is so."""

from __future__ import annotations

import re
from pathlib import Path

import cellgan
from cellgan.cytof.trust import CARE, LEAST_LIKE, N_LIKE, TRUST

PAGE = (Path(__file__).parents[1] / "docs/validate.md").read_text(encoding="utf-8")


def test_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, batch in enumerate(cellgan.simulate(n_cells=200, n_markers=20), 1):
        batch.write_h5ad(tmp_path / f"batch{number}.h5ad")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    quick = {
        "example_data/": "",
        "jobs=2": "config=cellgan.AlignConfig(rounds=2)",
        '["CD3", "CD4", "CD19"]': '["CD3"]',
    }
    for said, done in quick.items():
        assert said in code
        code = code.replace(said, done)
    names: dict = {"__name__": "__main__"}
    exec(code, names)  # noqa: S102 - our own page
    assert len(names["imputed"]) == 2
    assert set(names["imputed"]["trust"]) <= {"trust", "care", "no"}
    assert {"validation.html", "validation.json"} <= {path.name for path in tmp_path.iterdir()}


def test_the_thresholds_are_those_of_the_code():
    care, trust = (f"{threshold:.2f}".lstrip("0") for threshold in (CARE, TRUST))
    assert f"| Trust | {trust} and more |" in PAGE
    assert f"| With care | {care} to {trust} |" in PAGE
    assert (N_LIKE, LEAST_LIKE) == (7, 3)
    assert "the seven held-out ones" in PAGE
    assert "With fewer than three held-out markers" in PAGE
