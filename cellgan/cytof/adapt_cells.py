"""Cell types from one centre's labels to another's cells, through an adapted classifier.

A classifier learns the types from labelled source cells (`cellgan.cytof.type_classifier`); its encoder is
adapted to the target's cells (`cellgan.adaptation`), and names their types. A linear one is then fitted again
to the target's cells with the types that it gave them (`fit_again`). Both files go through one preprocessing:
markers matched by name, one decision on the scale, and standardised in the source's units, which the result
keeps.

Departures from Tzeng et al. (2017): the guards of `cellgan.adaptation.adda`, and fitting again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cellgan.adaptation.adaptation import adapt, probabilities
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.criterion import right
from cellgan.adaptation.domains import Domains
from cellgan.atomic import check_output
from cellgan.core.watch import Told
from cellgan.cytof.align import Screen, align_batches
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.labels import labels_of
from cellgan.cytof.prepare import prepare
from cellgan.cytof.read_write import batches_from_adata, read_batches, write_whole
from cellgan.cytof.transform import Standardise
from cellgan.cytof.type_classifier import LEAST, fit_again, learn_types
from cellgan.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

    from cellgan.adaptation.adaptation import Adaptation
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.type_classifier import Kind

UNKNOWN = "unknown"


@dataclass(frozen=True)
class CellsConfig:
    """How types are carried from cells to cells.

    Parameters
    ----------
    label
        Column of ``obs`` with the source's types; cells without one, or called ``unlabelled`` or ``unknown``,
        are not learned from.
    unknown_below
        Target cells whose most probable type is less probable than this stay unknown; 0 names every cell.
    align
        Align the target to the source first, as `cellgan align` does.
    fit_again
        Fit a linear classifier again to the target's cells, with the types that it gave them.
    seed
        Of everything random.
    """

    label: str
    unknown_below: float = 0.5
    align: bool = False
    fit_again: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not self.label:
            msg = "label is empty; expected the name of the obs column with the source's cell types"
            raise ConfigError(msg)
        if not 0 <= self.unknown_below < 1:
            msg = f"unknown_below is {self.unknown_below}; expected at least 0 and less than 1"
            raise ConfigError(msg)


@dataclass(frozen=True, eq=False)
class AdaptedCells:
    """The target's cells with types, and how they came by them.

    Attributes
    ----------
    adata
        The target as it was, with ``obs["cellgan_type"]``, ``obs["cellgan_confidence"]`` (the probability of
        the most probable type), ``obs["cellgan_source_type"]`` (without adaptation) and ``uns["cellgan"]``.
    report
        JSON.
    """

    adata: ad.AnnData
    report: dict[str, Any]

    @property
    def verdict(self) -> str:
        """What was done, in a sentence."""
        again = self.report["fitted_again"]
        if again is not None and again["used"]:
            return f"fitted again to the target's cells, of which {again['changed']:,} changed type"
        if self.report["kept"] == "adapted":
            return "adapted"
        return "adapting looked no better: the source's classifier is kept"

    def write(self, path: Path, *, inputs: Sequence[Path] = (), overwrite: bool = False) -> None:
        """Write the cells as .h5ad.

        Raises
        ------
        OutputError
            The place cannot be written.
        """
        check_output(path, inputs=inputs, overwrite=overwrite)
        write_whole(self.adata, path)


def adapt_cells(
    source: ad.AnnData, target: ad.AnnData, config: CellsConfig, adaptation: AdaptConfig | None = None
) -> AdaptedCells:
    """Name the types of target cells from the labels of source cells. Nothing that is given is changed.

    Parameters
    ----------
    source
        Cells with types in ``obs[config.label]``.
    target
        Cells; whatever types they have are not looked at.
    config
        What to learn.
    adaptation
        Settings of the game; None takes `default_game`.

    Raises
    ------
    CellganError
        Panels share too little, labels are missing or of one type, or values cannot be used.
    """
    return _adapt(batches_from_adata({"source": source, "target": target}), config, adaptation, Screen())


def adapt_cell_files(
    source: Path, target: Path, config: CellsConfig, adaptation: AdaptConfig | None = None, *, screen: Screen
) -> AdaptedCells:
    """Do the same with .h5ad files (the target may be .fcs). See `adapt_cells`."""
    screen.progress("reading", 0.0)
    return _adapt(read_batches([source, target]), config, adaptation, screen)


def default_game(kind: Kind, seed: int) -> AdaptConfig:
    """Return the settings of the game that suit a classifier of cells; a single layer takes longer steps."""
    return AdaptConfig(rounds=300, encoder_lr=1e-3 if kind == "linear" else 2e-4, seed=seed)


def _adapt(
    batches: list[CellBatch], config: CellsConfig, adaptation: AdaptConfig | None, screen: Screen
) -> AdaptedCells:
    source, target = batches
    types, codes = known_types(source, config.label)
    ours, theirs, markers = comparable(batches, codes, config, screen)
    known = codes >= 0
    domains = Domains(*(torch.from_numpy(each) for each in (ours[known], codes[known], theirs)))
    domains.check()
    screen.progress("learning the types", 0.0)
    learned = learn_types(domains.source, domains.labels, seed=config.seed)
    show = Told(screen.progress, "adapting to the target")
    game = adaptation or default_game(learned.kind, config.seed)
    found = adapt(learned.encoder, learned.head, domains, game, watchers=[show])
    before = probabilities(learned.encoder, learned.head, domains.target).numpy()
    p, again = found.probabilities(domains.target), None
    if config.fit_again and learned.kind == "linear":
        p, again = _fitted_again(found, domains, p)
    after = p.numpy()
    report = _report(batches, config, found, types, after, again)
    report |= {"markers": markers, "classifier": learned.kind, "mistakes": learned.mistakes}
    adata = target.adata.copy()
    adata.obs["cellgan_type"] = _named(after, types, config.unknown_below)
    adata.obs["cellgan_confidence"] = after.max(1).astype(np.float32)
    adata.obs["cellgan_source_type"] = _named(before, types, config.unknown_below)
    adata.uns["cellgan"] = {"adaptation": report["summary"]}
    return AdaptedCells(adata, report)


def _fitted_again(
    found: Adaptation, domains: Domains, before: torch.Tensor
) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return probabilities of types, fitted again unless the source is lost, and what came of it."""
    networks = fit_again(before.argmax(1), domains.target, domains.source, domains.labels)
    after = probabilities(*networks, domains.target)
    kept = right(probabilities(*networks, domains.source), domains.labels)
    used = kept >= found.looks[0].source_kept - found.config.tolerance
    moved = int((before.argmax(1) != after.argmax(1)).sum())
    about = {"used": used, "source_kept": kept, "changed": moved}
    return after if used else before, about


def comparable(
    batches: list[CellBatch], codes: NDArray[np.int64], config: CellsConfig, screen: Screen | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[str]]:
    """Bring both batches through one preprocessing.

    Parameters
    ----------
    batches
        Source and target.
    codes
        Types of the source's cells, -1 where not known; cells of known type give the units.
    config
        Whether to align.
    screen
        Where progress goes.

    Returns
    -------
    Source and target cells, ``(n_cells, n_markers)``, in units of the source's SD, and the markers.
    """
    prepared = prepare(batches, AlignConfig(), reference=batches[0].name)
    markers = list(prepared.panel.shared)
    ours, theirs = (prepared.values(batch) for batch in batches)
    if config.align:
        settings = AlignConfig(impute=False, seed=config.seed)
        aligned = align_batches(batches, settings, screen or Screen()).adata
        columns = aligned[:, markers].layers["aligned"]
        ours, theirs = (np.asarray(columns[aligned.obs["batch"] == batch.name]) for batch in batches)
    units = Standardise.of(ours[codes >= 0])
    return units.apply(ours), units.apply(theirs), markers


def known_types(source: CellBatch, label: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the source's types, and of each of its cells which one it is; -1 where that is not known.

    Raises
    ------
    InputError
        There is no such column, fewer than two types, or a type of very few cells.
    """
    labels = labels_of(source, label)
    types = sorted({str(name) for name in labels} - {""})
    if len(types) < 2:
        there = f"only {types[0]!r}" if types else "none"
        msg = f"{source.name}: obs[{label!r}] holds {there}; expected at least two types to tell apart"
        raise InputError(msg)
    counts = {name: int(np.sum(labels == name)) for name in types}
    if small := [name for name in types if counts[name] < LEAST]:
        msg = (
            f"{source.name}: the type {small[0]!r} has {counts[small[0]]} labelled cells; expected at least "
            f"{LEAST}. Merge it with another, or call these cells {UNKNOWN}"
        )
        raise InputError(msg)
    place = {name: k for k, name in enumerate(types)}
    return types, np.array([place.get(str(name), -1) for name in labels], dtype=np.int64)


def _named(p: NDArray[np.float32], types: Sequence[str], unknown_below: float) -> NDArray[np.object_]:
    names = np.array(types, dtype=object)[p.argmax(1)]
    return np.where(p.max(1) < unknown_below, UNKNOWN, names)


def _report(  # noqa: PLR0917
    batches: Sequence[CellBatch],
    config: CellsConfig,
    found: Adaptation,
    types: Sequence[str],
    p: NDArray[np.float32],
    again: Mapping[str, Any] | None,
) -> dict[str, Any]:
    kept = "adapted" if again and again["used"] else found.kept
    named = _named(p, types, config.unknown_below)
    return {
        "cellgan": version("cellgan"),
        "source": batches[0].name,
        "target": batches[1].name,
        "n_cells": [batch.n_cells for batch in batches],
        "sha256": [batch.sha256 or "" for batch in batches],
        "cells": asdict(config),
        "config": asdict(found.config),
        "kept": kept,
        "fitted_again": again,
        "chosen": found.chosen,
        "looks": [asdict(each) for each in found.looks],
        "types": {name: int(np.sum(named == name)) for name in (*types, UNKNOWN)},
        "summary": {
            "kept": kept,
            "label": config.label,
            "source": batches[0].name,
            "seed": config.seed,
        },
    }
