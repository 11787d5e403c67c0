"""The page of the demos: its code runs, its gallery is whole, and its pictures are small."""

from __future__ import annotations

import re
from pathlib import Path

from cellgan.images.demos import TITLES

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "demos.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert "rounds=50" in code
    names: dict = {"__name__": "page"}
    exec(code.replace("rounds=50", "rounds=5"), names)  # noqa: S102 - our own page
    assert "Parzen log-likelihood" in capsys.readouterr().out
    assert 0 <= names["found"].interval[0] <= names["found"].share <= names["found"].interval[1] <= 1


def test_every_demo_has_a_row_and_a_small_picture():
    shown = re.findall(r"^\| !\[[^]]+\]\(demos/([\w-]+)\.\w+\) \| `([\w-]+)` \| \S", PAGE, flags=re.MULTILINE)
    assert all(picture == name for picture, name in shown)
    assert {name for _, name in shown} == set(TITLES)
    assert sum(path.stat().st_size for path in (DOCS / "demos").iterdir()) < 400_000
