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


def test_every_demo_has_a_row_and_pictures_are_small():
    rows = re.findall(
        r"^\| (?:!\[[^]]+\]\(demos/([\w-]+)\.svg\) )?\| `([\w-]+)` \| \S", PAGE, flags=re.MULTILINE
    )
    assert {name for _, name in rows} == set(TITLES)
    assert all(picture in {"", name} for picture, name in rows)
    assert sum(path.stat().st_size for path in (DOCS / "demos").iterdir()) < 400_000
