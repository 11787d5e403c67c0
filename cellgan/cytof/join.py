"""Batches that were aligned one by one onto the same reference, put into one table piece by piece."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd

from cellgan.atomic import atomic
from cellgan.cytof.assemble import IMPUTED, join_obs
from cellgan.cytof.batch_map import LAYERS
from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.h5ad import reading_h5ad
from cellgan.cytof.input_files import check_files, naming
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ROWS = 32_768  # cells at a time
FREE = {"threads", "device", "reference"}  # settings that may differ from file to file
OWN_NAME = "original_name"
NO_REPORT = "or join without a report (--no-report)"


@dataclass(frozen=True, eq=False)
class Part:
    """One file that ``cellgan align`` wrote, without its values.

    Attributes
    ----------
    path
        The file.
    obs, var
        Its tables; cells go by the names that they had before they were made unique.
    about
        What ``uns["cellgan"]`` says.
    """

    path: Path
    obs: pd.DataFrame
    var: pd.DataFrame
    about: Mapping[str, Any]

    @property
    def reference(self) -> str:
        """The batch that stayed as it was."""
        return str(self.about["reference"])

    @property
    def others(self) -> list[str]:
        """The batches that were moved."""
        return [name for name in map(str, self.obs["batch"].cat.categories) if name != self.reference]

    def told(self, key: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return an entry that is kept as JSON."""
        return json.loads(str(self.about[key]))

    def digest(self) -> str | None:
        """Return the SHA-256 of the reference's file."""
        inputs = {entry["batch"]: entry["sha256"] for entry in self.told("inputs")}
        digest: str | None = inputs[self.reference]
        return digest

    def rows(self, batch: str) -> tuple[int, int]:
        """Return where the cells of a batch begin and end."""
        at = np.flatnonzero(self.obs["batch"] == batch)
        return int(at[0]), int(at[-1]) + 1


def open_parts(paths: Sequence[Path]) -> list[Part]:
    """Read the tables of files that ``cellgan align`` wrote, and see that they belong together.

    Parameters
    ----------
    paths
        ``.h5ad`` files, each of the same reference and one or more other batches.

    Raises
    ------
    InputError
        A file is none of these, was aligned onto other cells or with other settings, or holds a batch that
        another one holds too. The message names it.
    """
    check_files(paths)
    if len(paths) < 2:
        msg = f"only one file was given, {paths[0]}; give two or more that share their reference"
        raise InputError(msg)
    parts = [_open(path) for path in paths]
    first, seen = parts[0], dict[str, Path]()
    for part in parts:
        with naming(part.path):
            _check_alike(part, first)
            for batch in part.others:
                if batch in seen:
                    msg = f"batch {batch!r} is also in {seen[batch]}: give each batch once"
                    raise InputError(msg)
                seen[batch] = part.path
    return parts


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
    obs = join_obs([table.astype({"batch": str}) for table in tables], [batch for _, batch in pieces])
    var = _join_var(parts, [batch for _, batch in pieces])
    with atomic(out_path) as target:
        ad.AnnData(obs=obs, var=var, uns={"cellgan": _join_about(parts)}).write_h5ad(target)
        with h5py.File(target, "r+") as file:
            file.pop("X", None)
            layers = file.require_group("layers")
            for parent, name in ((file, "X"), *((layers, name) for name in LAYERS)):
                _copy(_new_array(parent, name, (len(obs), len(var))), pieces, var.index)
    return len(obs)


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


def _open(path: Path) -> Part:
    with naming(path):
        with reading_h5ad(path), h5py.File(path) as file:
            about = ad.io.read_elem(file["uns/cellgan"]) if "uns/cellgan" in file else {}
            layers = set(file.get("layers", {}))
            obs, var = (ad.io.read_elem(file[name]) for name in ("obs", "var"))
        if not {"reference", "inputs", "config", "transform"} <= set(about) or not set(LAYERS) <= layers:
            msg = "`cellgan align` did not write this file; give .h5ad files that it wrote"
            raise InputError(msg)
        if IMPUTED in layers:
            msg = (
                "it holds imputed markers, and the reference's would be other ones in every file: align with "
                "--no-impute, or align all batches in one run"
            )
            raise InputError(msg)
        if about["reference"] == CONSENSUS:
            msg = "its frame is a consensus of its own batches: align all batches in one run, or onto one"
            raise InputError(msg)
    return Part(path, _with_own_names(obs), var, about)


def _with_own_names(obs: pd.DataFrame) -> pd.DataFrame:
    """Give cells their names back where these were made unique within the file."""
    if OWN_NAME not in obs:
        return obs
    now, own, batches = list(obs.index), list(obs[OWN_NAME].astype(str)), list(obs["batch"].astype(str))
    made = [not o or n.startswith(f"{o}-{b}") for n, o, b in zip(now, own, batches, strict=True)]
    if not all(made):  # a column of the user's that happens to be called so
        return obs
    obs = obs.drop(columns=OWN_NAME).rename(columns={f"original_{OWN_NAME}": OWN_NAME})
    obs.index = pd.Index([o or n for n, o in zip(now, own, strict=True)], dtype=str)
    return obs


def _check_alike(part: Part, first: Part) -> None:
    """Refuse what was not aligned onto the same cells in the same way."""
    settings = [{k: v for k, v in one.told("config").items() if k not in FREE} for one in (part, first)]
    scales = [{k: one.told("transform")[k] for k in ("name", "cofactor")} for one in (part, first)]
    differ = [key for key in settings[0] if settings[0].get(key) != settings[1].get(key)]
    told = [
        ("reference", part.reference, first.reference),
        ("reference's file (SHA-256)", part.digest(), first.digest()),
        ("version of cellgan", part.about["version"], first.about["version"]),
        *((f"setting {key}", settings[0].get(key), settings[1].get(key)) for key in differ),
        ("scale of the values", scales[0], scales[1]),
    ]
    for what, here, there in told:
        if here != there:
            msg = f"the {what} is {here!r}, but {there!r} in {first.path}: align both in the same way"
            raise InputError(msg)


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


def _new_array(parent: h5py.Group, name: str, shape: tuple[int, int]) -> h5py.Dataset:
    rows = max(1, min(shape[0], 2**20 // (4 * shape[1])))  # a mebibyte a chunk, whole cells
    array = parent.create_dataset(
        name, shape, "f4", chunks=(rows, shape[1]), compression="gzip", compression_opts=1
    )
    array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    return array


def _copy(array: h5py.Dataset, pieces: Sequence[tuple[Part, str]], names: pd.Index[Any]) -> None:
    """Copy one array of all files into one of the same path; NaN where a file has no such column."""
    start = 0
    for part, batch in pieces:
        columns = names.get_indexer(part.var.index)
        with h5py.File(part.path) as file:
            first, stop = part.rows(batch)
            for at in range(first, stop, ROWS):
                values: NDArray[np.float32] = file[array.name][at : min(at + ROWS, stop)]
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
