"""What ``cellgan align`` wrote, opened again without its values; whether several files belong together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.assemble import IMPUTED
from cellgan.cytof.batch_map import LAYERS
from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.input_files import check_files, naming
from cellgan.cytof.joint_obs import OWN_NAME
from cellgan.cytof.stores import opened, reading
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCALE = ("name", "cofactor", "cofactors")
FREE = {"threads", "device", "reference"}  # settings that may differ from file to file


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
    first = parts[0]
    seen: dict[str, Path] = {}
    for part in parts:
        with naming(part.path):
            _check_alike(part, first)
            for batch in part.others:
                if batch in seen:
                    msg = f"batch {batch!r} is also in {seen[batch]}: give each batch once"
                    raise InputError(msg)
                seen[batch] = part.path
    return parts


def _open(path: Path) -> Part:
    with naming(path):
        with reading(path), opened(path) as file:
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
    scales = [{k: one.told("transform").get(k) for k in SCALE} for one in (part, first)]
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
