"""Controls: samples that were measured in every batch, from which alone an alignment may be learned.

What differs between two measurements of one sample is the batch effect and nothing else, so maps that are
learned on controls leave differences between the other samples alone.

References
----------
Van Gassen et al. (2020), CytoNorm: a normalization algorithm for cytometry data. Cytometry A 97, 268-278.
It fits its splines on such controls. Departures: cells are matched and moved as elsewhere in this package;
a batch without a control is not refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.anchor_table import read_anchor_table
from cellgan.cytof.input_files import naming
from cellgan.cytof.obs_column import text_of
from cellgan.cytof.read_write import CellBatch, batches_from_adata, read_batch
from cellgan.errors import InputError
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

YES = frozenset({"true", "yes", "1"})
NO = frozenset({"false", "no", "0"})


def read_anchors(path: Path, *, batches: Sequence[str]) -> dict[str, CellBatch]:
    """Read the controls that a table lists.

    Parameters
    ----------
    path
        A table with the columns ``batch`` and ``file``; see `read_anchor_table`.
    batches
        Names of the batches that are aligned.

    Returns
    -------
    dict[str, CellBatch]
        Controls by batch, each under the name of its batch. A batch that is not listed has none.

    Raises
    ------
    InputError
        The table or a control cannot be used; names the file.
    """
    files = read_anchor_table(path, batches=batches)
    return {batch: read_batch(file, batch) for batch, file in files.items()}


def anchors_in_memory(anchors: Mapping[str, ad.AnnData], *, batches: Sequence[str]) -> dict[str, CellBatch]:
    """Take controls from memory; they are copied and never changed.

    Parameters
    ----------
    anchors
        Controls by batch, ``X`` (n_cells, n_markers). A batch that is not named has none.
    batches
        Names of the batches that are aligned.

    Returns
    -------
    dict[str, CellBatch]
        As `read_anchors`.

    Raises
    ------
    InputError
        There is no control, a batch is unknown, or a control cannot be used as it is.
    """
    given: object = anchors  # not everybody has a type checker
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        msg = f"anchors is a {kind}; expected a dict of AnnData with the batches' names as keys"
        raise InputError(msg)
    if not anchors:
        msg = "anchors is empty: give one AnnData a batch, or leave it out"
        raise InputError(msg)
    for name in anchors:
        if str(name) not in batches:
            msg = f"anchors: there is no batch {str(name)!r}; the batches are {', '.join(batches)}"
            raise InputError(msg)
    with naming("anchors"):
        return {control.name: control for control in batches_from_adata(anchors)}


def anchor_rows(batch: CellBatch, key: str) -> NDArray[np.intp]:
    """Find the control cells within a batch.

    Parameters
    ----------
    batch
        The cells.
    key
        ``KEY``: a yes-or-no column of ``obs``, in which a cell without a value is none. ``KEY=VALUE``: cells
        whose ``obs[KEY]`` is VALUE.

    Returns
    -------
    ndarray
        (n_controls,) rows, ascending; empty if the batch holds none.

    Raises
    ------
    InputError
        There is no such column, or ``KEY`` is not a yes-or-no column; says what it holds.
    """
    column, value = _parsed(batch, key)
    if value is not None:
        texts = text_of(batch, column, what="the control cells")
        # A column of booleans holds "True", which few would type.
        wanted = [value, value.capitalize()] if value.casefold() in {"true", "false"} else [value]
        return np.flatnonzero((texts != "") & np.isin(texts, wanted))
    texts = text_of(batch, column, what="the control cells")
    values = sorted(set(texts.tolist()) - {""})
    if odd := [value for value in values if value.casefold() not in YES | NO]:
        msg = (
            f"obs column {key!r} of batch {batch.name!r} holds {listing(list(map(repr, values)))}; expected "
            "true/false, yes/no or 1/0. Say which value marks the controls: "
            f"--anchor-key '{key}={odd[0]}', for example"
        )
        raise InputError(msg)
    return np.flatnonzero(np.isin(texts, [value for value in values if value.casefold() in YES]))


def may_hold_anchors(batch: CellBatch, key: str) -> bool:
    """Tell whether a batch has the column that ``KEY`` or ``KEY=VALUE`` names."""
    return _parsed(batch, key)[0] in batch.cells.obs_columns


def check_tied(n_controls: Mapping[str, int], *, reference: str, said: str) -> None:
    """See that controls tie at least one batch to the reference.

    Parameters
    ----------
    n_controls
        Control cells by batch, for all batches; 0 where there are none.
    reference
        Name of the reference batch.
    said
        How the controls were given, such as ``--anchor-key control``.

    Raises
    ------
    InputError
        The reference has no control, or it alone has one: nothing could be learned from controls.
    """
    controlled = [name for name, n in n_controls.items() if n]
    if not controlled:
        msg = f"{said}: no batch holds a control cell; check the spelling of column and value"
        raise InputError(msg)
    if reference not in controlled:
        msg = (
            f"{said}: the reference {reference!r} has no control, so the others' controls have nothing to be "
            f"held against; controls are in {listing(controlled)}: name one of these with --reference"
        )
        raise InputError(msg)
    if len(controlled) == 1:
        msg = (
            f"{said}: only the reference {reference!r} has a control; a control must have been measured in "
            "another batch too"
        )
        raise InputError(msg)


def _parsed(batch: CellBatch, key: str) -> tuple[str, str | None]:
    """Return the column that a key names, and the value if it names one.

    A column may have "=" in its name: if there is such a column, it is meant.
    """
    if key in batch.cells.obs_columns or "=" not in key:
        return key, None
    column, _, value = key.partition("=")
    return column.strip(), value.strip()
