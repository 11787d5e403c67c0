"""Align batches: from cells as measured to an `Alignment`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.alignment import Alignment
from cellgan.cytof.assemble import assemble
from cellgan.cytof.columns import Columns
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.labels import Known, labels_of
from cellgan.cytof.model import BatchMap, Model
from cellgan.cytof.pair import MAX_CELLS, Pair, align_pair
from cellgan.cytof.panel import match_panels, without
from cellgan.cytof.read_write import CellBatch, batches_from_adata, read_batches
from cellgan.cytof.summary import batch_summary, run_summary
from cellgan.cytof.threads import limited_threads
from cellgan.cytof.transform import Decision, Standardise, decide, to_arcsinh
from cellgan.cytof.views import Views
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

    from cellgan.cytof.panel import Panel

Progress = Callable[[str, float], None]
Say = Callable[[str], None]
N_VIEWED = 4000  # cells of a batch that are kept for plots


@dataclass(frozen=True)
class Screen:
    """Where progress and words for people go.

    Attributes
    ----------
    progress
        Called with a stage's name and its done fraction.
    say
        Called with a line of text.
    """

    progress: Progress = lambda _stage, _fraction: None
    say: Say = lambda _line: None


def align(
    batches: ad.AnnData | Sequence[ad.AnnData] | Mapping[str, ad.AnnData],
    *,
    batch_key: str | None = None,
    config: AlignConfig | None = None,
) -> Alignment:
    """Align batches of cells that are in memory. Nothing that is given is changed.

    Parameters
    ----------
    batches
        One AnnData a batch, in a sequence or by name; or one AnnData with `batch_key`. ``X`` holds ion counts
        or arcsinh values, ``(n_cells, n_markers)``.
    batch_key
        Column of ``obs`` that tells the batches of one AnnData apart.
    config
        Settings; the defaults suit most data.

    Returns
    -------
    Alignment
        With ``.adata``, ``.report``, ``.map()``, ``.save()``.

    Raises
    ------
    CellganError
        Cells, markers or settings cannot be used; the message says how to fix it.

    Examples
    --------
    >>> import cellgan
    >>> a, b = cellgan.simulate(n_cells=400, n_markers=8, seed=0)
    >>> alignment = cellgan.align([a, b], config=cellgan.AlignConfig(rounds=20))
    >>> alignment.adata.layers["aligned"].shape
    (800, 8)
    """
    return align_batches(batches_from_adata(batches, batch_key=batch_key), config or AlignConfig(), Screen())


def align_files(
    paths: Sequence[Path],
    config: AlignConfig,
    *,
    batch_key: str | None = None,
    progress: Progress = Screen.progress,
    say: Say = Screen.say,
) -> Alignment:
    """Align batches that are in files: one batch a file, or several in one ``.h5ad`` with `batch_key`.

    Parameters
    ----------
    paths
        ``.h5ad`` and ``.fcs`` files; the first one is the reference unless `config` names another.
    config
        Settings.
    batch_key
        Column of ``obs`` that tells the batches of one file apart.
    progress, say
        Where progress and words for people go.

    Returns
    -------
    Alignment
        Of all batches.

    Raises
    ------
    CellganError
        Files, markers or settings cannot be used; the message names the file and says how to fix it.
    """
    progress("reading", 0.0)
    return align_batches(read_batches(paths, batch_key=batch_key), config, Screen(progress, say))


def align_batches(batches: list[CellBatch], config: AlignConfig, screen: Screen) -> Alignment:
    """Align batches that were read. See `align`."""
    if len(batches) < 2:
        given = f"only one batch was given, {batches[0].name!r}" if batches else "no batch was given"
        msg = f"{given}; give the reference and at least one other"
        raise ConfigError(msg)
    reference = config.reference or batches[0].name
    panel = match_panels(batches, reference=reference, markers=config.markers)
    anchor = next(batch for batch in batches if batch.name == reference)
    panel = without(panel, _constant(batches, panel))
    values = {batch.name: _markers(batch, panel) for batch in batches}
    decision = decide(
        list(values.values()), requested=config.transform, cofactor=config.cofactor, names=list(values)
    )
    _say_what(screen.say, batches, panel, decision, reference)
    if decision.name == "arcsinh":
        values = {name: to_arcsinh(own, decision.cofactor) for name, own in values.items()}
    units = Standardise.of(values[reference])
    pairs: dict[str, Pair] = {}
    others = [batch for batch in batches if batch.name != reference]
    with limited_threads(config.threads):
        for number, batch in enumerate(others):
            pairs[batch.name] = _align_one(
                batch,
                anchor,
                values,
                units=units,
                config=config,
                progress=partial(_show_game, screen, batch.name, number / len(others), 1 / len(others)),
            )
        model = Model(
            reference=reference,
            markers=panel.shared,
            transform=decision.name,
            cofactor=decision.cofactor,
            units=units,
            batches=_maps(batches, panel, values, pairs),
            about=run_summary(batches, panel, decision, config, reference),
        )
        columns = {batch.name: _columns(batch, panel) for batch in batches}
        screen.progress("mapping all cells", 0.9)
        layers = {b.name: model.aligned(b.adata.X, columns[b.name], b.name) for b in batches}
    sample = {batch.name: _sample(batch.adata.n_obs, config.seed) for batch in batches}
    at = {batch.name: columns[batch.name].aligned for batch in batches}
    after = {name: layers[name][rows][:, at[name]] for name, rows in sample.items()}
    views = Views(
        markers=panel.shared,
        reference=after[reference],
        batches={b.name: (values[b.name][sample[b.name]], after[b.name]) for b in others},
    )
    n_reference = len(values[reference])
    report = {
        **model.about,
        "batches": [
            batch_summary(
                batch.name,
                pairs[batch.name],
                units=units,
                views=views,
                n_cells=batch.adata.n_obs,
                reference=(reference, n_reference),
            )
            for batch in others
        ],
    }
    adata = assemble(batches, panel, layers, _uns(report))
    return Alignment(adata, report, views, model, batches, columns)


def _align_one(
    batch: CellBatch,
    reference: CellBatch,
    values: Mapping[str, NDArray[np.float32]],
    *,
    units: Standardise,
    config: AlignConfig,
    progress: Callable[[float], None],
) -> Pair:
    """Learn one batch's way, from a sample of its cells that bounds time and memory."""
    sides = (reference, batch)
    rows = [_sample(side.adata.n_obs, config.seed, n=2 * MAX_CELLS) for side in sides]
    cells = [units.apply(values[b.name][i]).astype(np.float64) for b, i in zip(sides, rows, strict=True)]
    known = None
    if config.label_key:
        known = Known(*(labels_of(b, config.label_key)[i] for b, i in zip(sides, rows, strict=True)))
    return align_pair(*cells, config=config, known=known, progress=progress)


def _show_game(screen: Screen, name: str, done: float, share: float, fraction: float) -> None:
    screen.progress(f"matching {name}", 0.9 * (done + share * fraction))


def _markers(batch: CellBatch, panel: Panel) -> NDArray[np.float32]:
    """Return a batch's shared markers as measured, in the panel's order."""
    own = panel.columns[batch.name]
    values: NDArray[np.float32] = batch.adata.X[:, [own[marker] for marker in panel.shared]]
    return values


def _constant(batches: list[CellBatch], panel: Panel) -> dict[str, list[str]]:
    """Return the shared markers that have one single value in a batch, and in which."""
    found: dict[str, list[str]] = {}
    for batch in batches:
        same = np.ptp(_markers(batch, panel), axis=0) == 0
        for marker in np.array(panel.shared)[same]:
            found.setdefault(str(marker), []).append(batch.name)
    return found


def _columns(batch: CellBatch, panel: Panel) -> Columns:
    own = panel.columns[batch.name]
    var = batch.adata.var
    return Columns.at(
        [own[marker] for marker in panel.shared], list(map(str, var.index)), list(map(str, var["channel"]))
    )


def _maps(
    batches: list[CellBatch],
    panel: Panel,
    values: Mapping[str, NDArray[np.float32]],
    pairs: Mapping[str, Pair],
) -> dict[str, BatchMap]:
    reference = next(batch.name for batch in batches if batch.name not in pairs)
    lowest = values[reference].min(axis=0)
    return {
        batch.name: BatchMap(
            markers=tuple(
                str(batch.adata.var_names[panel.columns[batch.name][marker]]) for marker in panel.shared
            ),
            mover=pairs[batch.name].mover if batch.name in pairs else None,
            lowest=np.minimum(lowest, values[batch.name].min(axis=0)),
        )
        for batch in batches
    }


def _sample(n_cells: int, seed: int, n: int = N_VIEWED) -> NDArray[np.intp]:
    return np.sort(np.random.default_rng(seed).permutation(n_cells)[:n])


def _uns(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report as AnnData can write it: numbers and text, with JSON for what is nested."""
    return {
        "version": report["cellgan"],
        "seed": report["config"]["seed"],
        "reference": report["reference"],
        "config": json.dumps(report["config"]),
        "inputs": json.dumps(report["inputs"]),
        "transform": json.dumps(report["transform"]),
        "scores": json.dumps({b["batch"]: b["scores"] for b in report["batches"]}),
        "verdicts": json.dumps({b["batch"]: b["verdict"] for b in report["batches"]}),
    }


def _say_what(say: Say, batches: list[CellBatch], panel: Panel, decision: Decision, reference: str) -> None:
    for batch in batches:
        role = " (reference)" if batch.name == reference else ""
        say(f"{batch.name}{role}: {batch.adata.n_obs:,} cells, {batch.adata.n_vars} columns")
    say(f"{len(panel.shared)} shared markers; values: {decision.reason}")
