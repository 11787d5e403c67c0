"""Batches with their own cells and columns, put into one AnnData."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.batch_map import NOVEL
from cellgan.cytof.marker_names import column_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.fill import Filled
    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch

IMPUTED, SAMPLE = "imputed", "sample"


def assemble(
    batches: Sequence[CellBatch],
    panel: Panel,
    mapped: Mapping[str, Mapped],
    uns: Mapping[str, Any],
    *,
    filled: Sequence[Filled] = (),
) -> ad.AnnData:
    """Put all cells of all batches into one AnnData.

    Parameters
    ----------
    batches
        In the order in which their cells shall stand.
    panel
        Which of their columns correspond.
    mapped
        By name of batch, its cells as mapped, all columns.
    uns
        What goes into ``uns["cellgan"]``.
    filled
        Markers that a batch did not measure. With them come the layers ``imputed``, which says where, and
        ``sample``, a draw in place of the expected value (``sample_2`` and so on if there are more).

    Returns
    -------
    AnnData
        ``X`` as measured, NaN where a batch did not measure a column, like ``layers["aligned"]`` and
        ``layers["aligned_sd"]`` unless it was imputed; ``obs["batch"]``, ``obs["cellgan_novel"]``,
        ``obs["original_name"]`` where names clashed; ``var["measured_in"]``, ``var["kind"]``,
        ``var["aligned"]``, ``var["channel"]``.
    """
    names = {batch.name: _column_names(batch, panel) for batch in batches}
    var_names = list(dict.fromkeys(name for own in names.values() for name in own))
    n_cells = sum(batch.adata.n_obs for batch in batches)
    x = np.full((n_cells, len(var_names)), np.nan, dtype=np.float32)
    aligned, sd = x.copy(), x.copy()
    first = 0
    rows_of = {}
    for batch in batches:
        rows = slice(first, first + batch.adata.n_obs)
        columns = pd.Index(var_names).get_indexer(pd.Index(names[batch.name]))
        x[rows, columns] = batch.adata.X
        aligned[rows, columns], sd[rows, columns], _ = mapped[batch.name]
        rows_of[batch.name] = rows
        first = rows.stop
    layers = {"aligned": aligned, "aligned_sd": sd}
    if filled:
        layers |= _impute(filled, aligned, sd, var_names, rows_of)
    return ad.AnnData(
        x,
        obs=_obs(batches, mapped),
        var=_var(batches, names, var_names, panel),
        layers=layers,
        uns={"cellgan": dict(uns)},
    )


def _impute(
    filled: Sequence[Filled],
    aligned: NDArray[np.float32],
    sd: NDArray[np.float32],
    var_names: Sequence[str],
    rows_of: Mapping[str, slice],
) -> dict[str, NDArray[Any]]:
    """Fill expected values in, in place, and return the layers that come with them."""
    imputed = np.zeros(aligned.shape, dtype=bool)
    samples = [aligned.copy() for _ in filled[0].imputed.draws]
    for gap, (expected, spread, draws), *_ in filled:
        rows, columns = rows_of[gap.target], pd.Index(var_names).get_indexer(pd.Index(gap.markers))
        imputed[rows, columns] = True
        aligned[rows, columns], sd[rows, columns] = expected, spread
        for sample, draw in zip(samples, draws, strict=True):
            sample[rows, columns] = draw
    named = {SAMPLE if n == 1 else f"{SAMPLE}_{n}": sample for n, sample in enumerate(samples, 1)}
    return {IMPUTED: imputed, **named}


def _column_names(batch: CellBatch, panel: Panel) -> list[str]:
    """Return a batch's columns; proteins under the one name that they have in all batches."""
    names = [str(name) for name in batch.adata.var_names]
    for marker, column in panel.proteins[batch.name].items():
        names[column] = marker
    return names


def _obs(batches: Sequence[CellBatch], mapped: Mapping[str, Mapped]) -> pd.DataFrame:
    parts = []
    for batch in batches:
        part = batch.adata.obs.copy()
        if "batch" in part and not (part["batch"].astype(str) == batch.name).all():
            part = _make_room(part, "batch")
        part["batch"] = batch.name
        if NOVEL in part:
            part = _make_room(part, NOVEL)
        part[NOVEL] = mapped[batch.name].novel
        parts.append(part)
    return join_obs(parts, [batch.name for batch in batches])


def join_obs(parts: Sequence[pd.DataFrame], batches: Sequence[str]) -> pd.DataFrame:
    """Put tables of cells into one; names that clash are made unique, and ``original_name`` keeps the old.

    Parameters
    ----------
    parts
        One a batch, with the columns ``batch`` and ``cellgan_novel``.
    batches
        Their names.
    """
    obs: pd.DataFrame = pd.concat(parts).apply(_writable)
    order = ["batch", NOVEL, *(name for name in obs if name not in {"batch", NOVEL})]
    obs = obs[order]
    obs["batch"] = pd.Categorical(obs["batch"], categories=list(batches))
    clash = obs.index.duplicated(keep=False)
    if clash.any():
        obs = _make_room(obs, "original_name")
        own = obs.index.astype(str)
        obs.index = pd.Index(_unique(list(own), clash, list(obs["batch"].astype(str))))
        obs["original_name"] = np.where(obs.index == own, "", own)
    return obs


def _make_room(obs: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rename a column of the user's whose name is needed."""
    own = name
    while own in obs:
        own = f"original_{own}"
    return obs.rename(columns={name: own})


def _writable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as .h5ad files hold it: text if it mixes types or is of another."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.categories.inferred_type in {"string", "integer", "floating", "boolean"}
        return column if known else column.cat.rename_categories(str)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.astype("boolean" if column.hasnans else bool)
    if column.dtype.kind in "fiu" or kind == "string":
        return column
    text = [str(value) if there else None for value, there in zip(column, column.notna(), strict=True)]
    return pd.Series(pd.Categorical(text), index=column.index)


def _unique(names: list[str], clash: NDArray[np.bool_], batches: list[str]) -> list[str]:
    """Add the batch to names that clash; and a number, should even that name be taken."""
    fresh = [f"{n}-{b}" if c else n for n, c, b in zip(names, clash, batches, strict=True)]
    taken, seen = Counter(fresh), set[str]()
    out = []
    for name in fresh:
        unique, number = name, 1
        while unique in seen or (number > 1 and unique in taken):
            number += 1
            unique = f"{name}-{number}"
        seen.add(unique)
        out.append(unique)
    return out


def _var(
    batches: Sequence[CellBatch], names: Mapping[str, list[str]], var_names: list[str], panel: Panel
) -> pd.DataFrame:
    channel: dict[str, str] = {}
    kind: dict[str, str] = {}
    for batch in reversed(batches):  # the first batch that measures a column has the last word
        own = list(map(str, batch.adata.var["channel"]))
        channel |= dict(zip(names[batch.name], own, strict=True))
        kinds = column_kinds(list(map(str, batch.adata.var_names)), own)
        kind |= dict(zip(names[batch.name], kinds, strict=True))
    measured = [";".join(b.name for b in batches if name in names[b.name]) for name in var_names]
    return pd.DataFrame(
        {
            "channel": [channel[name] for name in var_names],
            "kind": [kind[name] for name in var_names],
            "measured_in": measured,
            "aligned": [name in panel.shared for name in var_names],
        },
        index=pd.Index(var_names, dtype=str),
    )
