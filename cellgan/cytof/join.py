"""Batches that were aligned one by one onto the same reference, put into one table piece by piece."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.assemble import write_frame
from cellgan.cytof.batch_map import LAYERS, NOVEL
from cellgan.cytof.cell_file import ROWS
from cellgan.cytof.joint_obs import Frame, JointObs
from cellgan.cytof.stores import Element, created, new_array, opened, placed
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.cytof.aligned_file import Part

NO_REPORT = "or join without a report (--no-report)"


def join(parts: Sequence[Part], out_path: Path) -> int:
    """Write one table of the reference's cells and those of all other batches; memory stays bounded.

    Values are copied, never computed anew: they are those of the files.

    Parameters
    ----------
    parts
        From `open_parts`.
    out_path
        The new file, ``.h5ad``, whole or not at all.

    Returns
    -------
    int
        Cells written.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    first = parts[0]
    pieces = [(first, first.reference), *((part, batch) for part in parts for batch in part.others)]
    tables = [part.obs.iloc[slice(*part.rows(batch))] for part, batch in pieces]
    joint = JointObs(
        {
            batch: Frame(table.drop(columns=["batch", NOVEL]))
            for (_, batch), table in zip(pieces, tables, strict=True)
        }
    )
    novel = np.concatenate([table[NOVEL].to_numpy(dtype=bool) for table in tables])
    var = _join_var(parts, [batch for _, batch in pieces])
    with placed(out_path) as target, created(target) as root:
        write_frame(root, var)
        for parent, name in ((root, "X"), *((root["layers"], name) for name in LAYERS)):
            _copy(new_array(parent, name, (len(novel), len(var))), pieces, var.index)
        joint.write(root, novel)
        ad.io.write_elem(root, "uns", {"cellgan": _join_about(parts)})
    return len(novel)


def join_reports(parts: Sequence[Part]) -> dict[str, Any]:
    """Return one report from the JSON reports that lie beside the files.

    Parameters
    ----------
    parts
        From `open_parts`.

    Raises
    ------
    InputError
        A report is missing, or of another run than its cells.
    """
    reports = [_read_report(part) for part in parts]
    markers = [report["markers"] for report in reports]
    kept = {entry["name"]: entry for own in markers for entry in own["kept"]}
    private: dict[str, list[str]] = {}
    for own in markers:
        private = own["private"] | private
    return {
        **reports[0],
        "inputs": _once(entry for report in reports for entry in report["inputs"]),
        "markers": {
            "aligned": _once(name for own in markers for name in own["aligned"]),
            "kept": list(kept.values()),
            "private": private,
        },
        "warnings": _once(text for report in reports for text in report["warnings"]),
        "batches": [batch for report in reports for batch in report["batches"]],
        "imputed": [],
    }


def _join_var(parts: Sequence[Part], batches: Sequence[str]) -> pd.DataFrame:
    every = pd.concat([part.var for part in parts])
    var = every[~every.index.duplicated()].copy()
    var["aligned"] = every["aligned"].astype(bool).groupby(level=0).any().loc[var.index]
    measured: dict[str, set[str]] = {}
    for name, text in every["measured_in"].items():
        measured.setdefault(str(name), set()).update(str(text).split(";"))
    var["measured_in"] = [";".join(b for b in batches if b in measured[name]) for name in var.index]
    return var


def _join_about(parts: Sequence[Part]) -> dict[str, Any]:
    about = dict(parts[0].about)
    about["inputs"] = json.dumps(_once(entry for part in parts for entry in part.told("inputs")))
    for key in ("scores", "verdicts"):
        about[key] = json.dumps({name: one for part in parts for name, one in part.told(key).items()})
    return about


def _copy(array: Element, pieces: Sequence[tuple[Part, str]], names: pd.Index[Any]) -> None:
    """Copy one array of all files into one of the same path; NaN where a file has no such column."""
    start = 0
    for part, batch in pieces:
        columns = names.get_indexer(part.var.index)
        with opened(part.path) as file:
            first, stop = part.rows(batch)
            for at in range(first, stop, ROWS):
                values: NDArray[np.float32] = file[array.name.lstrip("/")][at : min(at + ROWS, stop)]
                wide = np.full((len(values), len(names)), np.nan, dtype=np.float32)
                wide[:, columns] = values
                array[start : start + len(values)] = wide
                start += len(values)


def _read_report(part: Part) -> dict[str, Any]:
    path = part.path.with_suffix(".json")
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        same = report["inputs"] == part.told("inputs")
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"its report {path} cannot be read ({error}): put it beside the cells, {NO_REPORT}"
        raise InputError(msg) from error
    if not same:
        msg = f"{path} is the report of another run than {part.path}: put its own beside it, {NO_REPORT}"
        raise InputError(msg)
    return report


def _once(entries: Any) -> list[Any]:  # noqa: ANN401 - any iterable
    """Return each of them once, in order."""
    found: list[Any] = []
    for entry in entries:
        if entry not in found:
            found.append(entry)
    return found
