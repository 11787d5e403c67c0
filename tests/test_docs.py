"""Code in the pages runs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)


def run(code: str) -> dict:
    names: dict = {"__name__": "page"}
    exec(code, names)  # noqa: S102 - our own pages
    return names


def test_the_game_of_the_core_page_learns():
    (code,) = blocks("docs/core.md")
    names = run(code)
    import torch

    with torch.no_grad():
        drawn = names["game"].generator(torch.randn(500, 4, generator=torch.Generator().manual_seed(1)))
    assert len(names["history"].terms["generator/fool"]) == 100
    assert torch.allclose(drawn.mean(0), torch.tensor([1.0, -1.0]), atol=0.3)
