"""Code in the page on segmentation runs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import nibabel as nib
import numpy as np

from cellgan.segmentation.config import SegmentConfig

PAGE = (Path(__file__).parents[1] / "docs/segment.md").read_text(encoding="utf-8")


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def write(path: Path, data: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.diag([1.0, 1.0, 3.0, 1.0])), path)


def test_the_scores_of_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CASES.csv").write_text(re.findall(r"```\n(case,site.*?)```", PAGE, flags=re.DOTALL)[0])
    mask = np.zeros((8, 8, 4), np.uint8)
    mask[2:6, 2:6, 1:3] = 1
    for name, site, width in (("p01", "A", 4), ("p02", "B", 2)):
        image = np.random.default_rng(0).random((8, 8, 4)).astype(np.float32)
        write(tmp_path / f"site_{site}/{name}_t2w.nii.gz", image)
        write(tmp_path / f"site_{site}/{name}_gland.nii.gz", mask)
        found = mask.copy()
        found[2 + width :] = 0
        write(tmp_path / f"out/{name}_t2w_mask.nii.gz", found)
    (code,) = blocks()
    assert "steps=900" in code
    exec(code.replace("steps=900", "steps=2, width=2"), {"__name__": "page"})  # noqa: S102 - our own page
    shape, trusted, *lines = capsys.readouterr().out.splitlines()
    assert shape.startswith("(8, 8, 4) 0.")
    assert trusted.split(";")[0] in {"True", "False"}
    assert "Our masks." in (tmp_path / "report.html").read_text()
    assert (tmp_path / "model/model.safetensors").exists()
    rows = [line.split() for line in lines]
    assert [(row[0], round(float(row[2]), 3)) for row in rows] == [("A", 1.0), ("B", 0.667), ("all", 0.833)]


def test_the_page_gives_the_defaults_of_the_config():
    told = dict(re.findall(r"^\| `--([a-z-]+)` \| (?:`?([^|`]+?)`? )?\|", PAGE, flags=re.MULTILINE))
    for field in fields(SegmentConfig):
        flag = field.name.replace("_", "-")
        assert flag in told
        if field.default is not None:
            assert str(field.default) == told[flag], flag
