"""Code in the page on adaptation runs, and its flags are those of the commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cellgan_cli.adapt import adapt

PAGE = (Path(__file__).parents[1] / "docs/adapt.md").read_text(encoding="utf-8")


def test_the_code_of_the_page(capsys, tmp_path, monkeypatch):
    import torch

    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
    torch.manual_seed(0)
    names: dict = {"__name__": "page"}
    exec(code, names)  # noqa: S102 - our own page
    assert capsys.readouterr().out.startswith("adapted")
    truth = names["labels"].roll(3)
    right = (names["found"].probabilities(names["target"]).argmax(1) == truth).float().mean()
    assert float(right) > 0.95
    cells = names["named"].adata.obs
    assert (cells["cellgan_type"] == cells["cell_type"].astype(str)).mean() > 0.9
    assert Path("named.h5ad").exists()


@pytest.mark.parametrize("name", ["cells", "volumes"])
def test_the_page_gives_the_defaults_of_the_commands(name):
    section = PAGE.split(f"## {name.capitalize()}")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `--([a-z-]+)` \| ([^|]*?) \|", section, flags=re.MULTILINE))
    flags = {
        p.opts[0].removeprefix("--"): p for p in adapt.commands[name].params if p.opts[0].startswith("--")
    }
    for flag, default in told.items():
        if re.fullmatch(r"[\d.]+", default):
            assert type(flags[flag].default)(default) == flags[flag].default
        else:
            assert flag in flags
