"""Prove what an imputation is worth: hold out shared markers one at a time, and compare with the truth."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cellgan.core import pick
from cellgan.cytof.align import Screen
from cellgan.cytof.hold_out import OWN, Trial, hold_out
from cellgan.cytof.hold_out_choice import ALL, check_settings, check_two, chosen_markers
from cellgan.cytof.impute import LEAST_CELLS
from cellgan.cytof.predict_hidden import r_of_private
from cellgan.cytof.prepare import prepare
from cellgan.cytof.processes import in_processes
from cellgan.cytof.read_write import batches_from_adata, read_batches
from cellgan.cytof.rename import rename_by_table
from cellgan.cytof.summary import run_summary
from cellgan.cytof.threads import limited_threads
from cellgan.cytof.validation import Validation, summarise
from cellgan.errors import InputError
from cellgan.report.numbers import decimal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import anndata as ad
    import pandas as pd

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.kept_parts import KeptParts
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.read_write import CellBatch

KEPT_FORMAT = 1  # of what is kept of a run that was stopped


def validate(
    a: ad.AnnData,
    b: ad.AnnData,
    *,
    hold_out: Sequence[str] | Literal["all"] = ALL,
    config: AlignConfig | None = None,
    jobs: int = 1,
    report: str | Path | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Hold out markers that two batches share, one at a time, and say which imputed ones can be believed.

    Every marker is hidden in `b` in turn, predicted as `cellgan.align` would predict it, and compared with
    what was measured. Nothing that is given is changed.

    Parameters
    ----------
    a, b
        The reference and the other batch; ``X`` holds ion counts or arcsinh values.
    hold_out
        Names of shared markers; or all of them.
    config
        Settings of the alignment.
    jobs
        Processes that work side by side, each with one thread; results do not depend on it. With more than
        one, a script needs its ``if __name__ == "__main__":``.
    report
        Where to write the page (.html), and the same as JSON beside it.
    overwrite
        Whether an older report may be replaced.

    Returns
    -------
    DataFrame
        A row for every held-out marker and method, then a row for every marker that one batch did not
        measure: see `Validation.table`.

    Raises
    ------
    CellganError
        Cells, markers or settings cannot be used; the message says how to fix it.

    Examples
    --------
    >>> import cellgan
    >>> a, b = cellgan.simulate(n_cells=400, n_markers=8, seed=0)
    >>> found = cellgan.validate(a, b[:, :7].copy(), hold_out=["CD4"], config=cellgan.AlignConfig(rounds=5))
    >>> found[["marker", "method", "trust"]].iloc[[0, -1]].values.tolist()[-1][0]
    'CD56'
    """
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.report_files import check_report

    if report is not None:
        check_report(Path(report), overwrite=overwrite)
    batches = batches_from_adata([a, b])
    found = validate_batches(batches, config or AlignConfig(), hold_out=hold_out, jobs=jobs)
    if report is not None:
        found.write_report(Path(report))
    return found.table()


def validate_files(
    paths: Sequence[Path],
    config: AlignConfig,
    *,
    hold_out: Sequence[str] | Literal["all"] = ALL,
    jobs: int = 1,
    rename: Path | None = None,
    kept: KeptParts | None = None,
    screen: Screen | None = None,
) -> Validation:
    """Validate two batches that are in files; see `validate`.

    Parameters
    ----------
    paths
        The reference and the other batch, ``.h5ad`` or ``.fcs``.
    config, hold_out, jobs
        See `validate`.
    rename
        Table of columns that mean the same protein, with the columns ``batch``, ``from`` and ``to``.
    kept
        Where each marker's result is kept until all are there, so that a run that was stopped goes on.
    screen
        Where progress and words for people go.
    """
    screen = screen or Screen()
    screen.progress("reading", 0.0)
    check_two(paths)
    batches = read_batches(paths)
    if rename is not None:
        batches = rename_by_table(batches, rename)
    return validate_batches(batches, config, hold_out=hold_out, jobs=jobs, kept=kept, screen=screen)


def validate_batches(
    batches: Sequence[CellBatch],
    config: AlignConfig,
    *,
    hold_out: Sequence[str] | Literal["all"] = ALL,
    jobs: int = 1,
    kept: KeptParts | None = None,
    screen: Screen | None = None,
) -> Validation:
    """Validate two batches that were read; see `validate_files`."""
    screen = screen or Screen()
    check_settings(config, jobs)
    pick(config.device)
    reference, batch = batches
    for each in batches:
        if each.n_cells < LEAST_CELLS:
            msg = (
                f"batch {each.name!r} has {each.n_cells} cells; to learn and score predictions needs "
                f"{LEAST_CELLS} or more: give more cells"
            )
            raise InputError(msg)
    prepared = prepare(batches, config.for_learning(), reference=reference.name)
    markers = chosen_markers(prepared.panel, [each.name for each in batches], hold_out)
    about = run_summary(batches, prepared, config, reference=reference.name)
    screen.say(
        f"{len(prepared.panel.shared)} shared markers, of which {len(markers)} are hidden in {batch.name}, "
        f"one at a time; values: {prepared.decision.reason}"
    )
    parts = _hold_out_all(prepared, config, markers, jobs, kept=(kept, about), screen=screen)
    screen.progress("what the batches do not share", 0.97)
    with limited_threads(1):
        private = {each.name: r_of_private(prepared, each, config) for each in batches}
    return summarise(about, parts, private, batch=batch.name)


def _hold_out_all(
    prepared: Prepared,
    config: AlignConfig,
    markers: Sequence[str],
    jobs: int,
    *,
    kept: tuple[KeptParts | None, Mapping[str, Any]],
    screen: Screen,
) -> list[dict[str, Any]]:
    """Hold out every marker, as far as that is not kept from before."""
    store, about = kept
    number = {marker: place for place, marker in enumerate(prepared.panel.shared)}
    done: dict[str, dict[str, Any]] = {}
    if store is not None:
        there = store.open(_run(about, config))
        done = {m: there[number[m]] for m in markers if there.get(number[m], {}).get("marker") == m}
        if done:
            screen.say(f"{len(done)} of {len(markers)} markers are there from a run that was stopped")
    left = [marker for marker in markers if marker not in done]
    if left:
        screen.progress("aligning with all markers", 0.0)
        trial, start, before = Trial.of(prepared, config), time.monotonic(), len(done)
        screen.progress(f"holding out markers, {before} of {len(markers)}", before / len(markers))
        for marker, part in in_processes(hold_out, trial, left, jobs=jobs):
            done[marker] = part
            if store is not None:
                store.keep(number[marker], part)
            r = decimal(part["methods"][OWN]["r"])
            screen.say(f"{marker}: r {r} ({len(done)} of {len(markers)})")
            each = (time.monotonic() - start) / (len(done) - before)
            rest = _duration(each * (len(markers) - len(done)))
            stage = f"holding out markers, {len(done)} of {len(markers)}, {rest} left"
            screen.progress(stage, 0.97 * len(done) / len(markers))
    return [done[marker] for marker in markers]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _run(about: Mapping[str, Any], config: AlignConfig) -> dict[str, Any]:
    """Return what decides about the results, as JSON holds it."""
    return {
        "format": KEPT_FORMAT,
        "cellgan": about["cellgan"],
        "versions": about["versions"],
        "device": about["device"],
        "config": asdict(config) | {"markers": list(config.markers)},
        "inputs": [entry["sha256"] for entry in about["inputs"]],
        "markers": about["markers"],  # --rename decides about these too
    }
