"""Align batches: from cells as measured to an `Alignment`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from cellgan.core import pick
from cellgan.cytof.alignment import Alignment
from cellgan.cytof.anchors import anchors_in_memory, read_anchors
from cellgan.cytof.batch_map import make_maps
from cellgan.cytof.cells import InMemory
from cellgan.cytof.config import CONSENSUS, AlignConfig, check_anchors, check_reference
from cellgan.cytof.consensus import consensus_cells
from cellgan.cytof.fill import learn_gaps
from cellgan.cytof.gaps import find_gaps
from cellgan.cytof.learn import learn_all, learned_rows, plan_lessons
from cellgan.cytof.model import Model
from cellgan.cytof.panel import everywhere
from cellgan.cytof.prepare import Prepared, prepare
from cellgan.cytof.read_write import CellBatch, batches_from_adata, read_batches
from cellgan.cytof.rename import rename_by_table, rename_in_memory
from cellgan.cytof.summary import run_summary
from cellgan.cytof.threads import limited_threads
from cellgan.cytof.transform import to_linear
from cellgan.cytof.whole_run import WholeRun
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad

NAMED = 60  # fewer markers than this are named on the screen

Progress = Callable[[str, float], None]
Say = Callable[[str], None]


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
    anchors: Mapping[str, ad.AnnData] | None = None,
    rename: Mapping[str, Mapping[str, str]] | None = None,
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
    anchors
        Control samples by name of batch: what is given here is learned from, and all batches are mapped.
    rename
        Columns that mean the same protein under other names: new names by old ones, and these by name of
        batch, or ``*`` for all of them.

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
    config, given = config or AlignConfig(), batches_from_adata(batches, batch_key=batch_key)
    if rename is not None:
        given = rename_in_memory(given, rename)
    controls = None
    if anchors is not None:
        check_anchors(config)
        controls = anchors_in_memory(anchors, batches=[batch.name for batch in given])
    found = align_batches(given, config, Screen(), controls=controls)
    _ = found.adata  # what can go wrong does so here
    return found


def align_files(
    paths: Sequence[Path],
    config: AlignConfig,
    *,
    batch_key: str | None = None,
    anchors: Path | None = None,
    rename: Path | None = None,
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
    anchors
        Table of control samples, with the columns ``batch`` and ``file``.
    rename
        Table of columns that get another name, with the columns ``batch``, ``from`` and ``to``.
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
    batches = read_batches(paths, batch_key=batch_key)
    if rename is not None:
        batches = rename_by_table(batches, rename)
    controls = None
    if anchors is not None:
        check_anchors(config)
        controls = read_anchors(anchors, batches=[batch.name for batch in batches])
    return align_batches(batches, config, Screen(progress, say), controls=controls)


def align_batches(
    batches: list[CellBatch],
    config: AlignConfig,
    screen: Screen,
    *,
    controls: Mapping[str, CellBatch] | None = None,
) -> Alignment:
    """Align batches that were read; `controls` by name of batch. See `align`."""
    if len(batches) < 2:
        given = f"only one batch was given, {batches[0].name!r}" if batches else "no batch was given"
        msg = f"{given}; give the reference and at least one other"
        raise ConfigError(msg)
    check_reference(config, [batch.name for batch in batches])
    pick(config.device)  # before any work is done for nothing
    name = batches[0].name if config.reference in {None, CONSENSUS} else str(config.reference)
    learning = config.for_learning()
    prepared = prepare(batches, learning, reference=name)
    _say_what(screen.say, prepared, CONSENSUS if config.reference == CONSENSUS else name)
    with limited_threads(config.threads):
        if config.reference == CONSENSUS:
            screen.progress("finding the consensus", 0.0)
            prepared = replace(prepared, panel=everywhere(prepared.panel))
            prepared, name = prepared.joined_by(_consensus(prepared, learning)), CONSENSUS
        reference = prepared.batch(name)
        units = prepared.units(reference, learning.seed)
        others = [batch for batch in prepared.batches if batch.name != name]
        lessons = plan_lessons(reference, others, learning, controls=controls)
        learned = learn_all(
            lessons, prepared, units=units, config=learning, progress=partial(_show_game, screen)
        )
        maps = make_maps(prepared, learned, reference=name, units=units)
        model = Model(
            reference=name,
            markers=prepared.panel.shared,
            transform=prepared.decision.name,
            cofactors=prepared.decision.cofactors,
            units=units,
            batches={batch.name: maps[batch.name] for batch in batches},
            about=run_summary(batches, prepared, config, reference=name),
        )
        gaps, lost = find_gaps(batches, prepared.panel, reference=name) if config.impute else ((), ())
        show = partial(_show_filling, screen)
        fillings = learn_gaps(gaps, prepared, model, config, progress=show)
    return Alignment(
        WholeRun(
            batches,
            prepared,
            config,
            model,
            learned=learned,
            fillings=fillings,
            warnings=lost,
            progress=partial(_show_mapping, screen),
            say=screen.say,
        )
    )


def _consensus(prepared: Prepared, config: AlignConfig) -> CellBatch:
    """Make a reference of cells that lie in the middle of all batches, on the batches' own scale."""
    import anndata as ad
    import pandas as pd

    cells = consensus_cells(
        {batch.name: prepared.values(batch, learned_rows(batch, config.seed)) for batch in prepared.batches},
        seed=config.seed,
    )
    if prepared.decision.name == "arcsinh":
        cells = to_linear(cells, prepared.decision.cofactors.each(prepared.panel.shared))
    var = pd.DataFrame({"channel": ""}, index=pd.Index(prepared.panel.shared, dtype=str))
    return CellBatch(name=CONSENSUS, cells=InMemory(ad.AnnData(cells, var=var)))


def _show_game(screen: Screen, batch: str, fraction: float) -> None:
    screen.progress(f"matching {batch}", 0.7 * fraction)


def _show_filling(screen: Screen, batch: str, fraction: float) -> None:
    screen.progress(f"imputing what {batch} lacks", 0.7 + 0.1 * fraction)


def _show_mapping(screen: Screen, stage: str, fraction: float) -> None:
    screen.progress(stage, 0.8 + 0.15 * fraction)


def _say_what(say: Say, prepared: Prepared, reference: str) -> None:
    for batch in prepared.batches:
        role = " (reference)" if batch.name == reference else ""
        say(f"{batch.name}{role}: {batch.n_cells:,} cells, {len(batch.markers)} columns")
    panel = prepared.panel
    shared = {len(own) for name, own in panel.columns.items() if name != reference}
    some = f", {min(shared)} to {max(shared)} of them in each batch" if len(shared) > 1 else ""
    say(f"{len(panel.shared)} shared markers{some}; values: {prepared.decision.reason}")
    if len(panel.shared) < NAMED:
        say(f"aligned: {', '.join(panel.shared)}")
