"""Cells of a centre with the types that another centre's labels gave them, and what is told of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellgan.atomic import check_output
from cellgan.cytof.adapted_cells_warnings import warnings_of
from cellgan.cytof.batch_map import NOVEL
from cellgan.cytof.read_write import write_whole
from cellgan.cytof.two_centres import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import anndata as ad
    from numpy.typing import NDArray

    from cellgan.adaptation.adaptation import Adaptation
    from cellgan.cytof.adapt_cells import CellsConfig
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.two_centres import TwoCentres
    from cellgan.cytof.type_classifier import Classifier

MOST_TELLING = 8  # markers, of which the report tells the medians


class Named(NamedTuple):
    """What the target's cells were taken for.

    Attributes
    ----------
    types
        Names of the source's types.
    codes
        Which of them each source cell has, ``(n,)``, -1 where not known.
    before, after
        Probabilities of the types in the target without and with adaptation, ``(m, n_types)``.
    novel
        Which of the target's cells look like no labelled one, ``(m,)``.
    """

    types: tuple[str, ...]
    codes: NDArray[np.int64]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    novel: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AdaptedCells:
    """The target's cells with types, and how they came by them.

    Attributes
    ----------
    adata
        The target as it was, with ``obs["cellgan_type"]``, ``obs["cellgan_confidence"]`` (the probability of
        the most probable type), ``obs["cellgan_source_type"]`` (without adaptation), ``obs["cellgan_novel"]``
        (unlike any labelled cell) and ``uns["cellgan"]``.
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

    def write(self, path: str | Path, *, inputs: Sequence[Path] = (), overwrite: bool = False) -> None:
        """Write the cells as .h5ad.

        Raises
        ------
        OutputError
            The place cannot be written.
        """
        place = Path(path)
        check_output(place, inputs=inputs, overwrite=overwrite)
        write_whole(self.adata, place)


def adapted_cells(
    batches: Sequence[CellBatch],
    config: CellsConfig,
    both: TwoCentres,
    named: Named,
    learned: Classifier,
    *,
    found: Adaptation,
    fitted_again: Mapping[str, Any] | None,
) -> AdaptedCells:
    """Write the types into a copy of the target, and what there is to tell of them into a report."""
    source, target = batches
    before, after = (_names(p, named, config) for p in (named.before, named.after))
    kept = "adapted" if fitted_again and fitted_again["used"] else found.kept
    report = {
        "cellgan": version("cellgan"),
        "source": source.name,
        "target": target.name,
        "n_cells": [batch.n_cells for batch in batches],
        "n_labelled": int(np.sum(named.codes >= 0)),
        "sha256": [batch.sha256 or "" for batch in batches],
        "cells": asdict(config),
        "config": asdict(found.config),
        "kept": kept,
        "fitted_again": fitted_again,
        "chosen": found.chosen,
        "looks": [asdict(each) for each in found.looks],
        "types": {name: int(np.sum(after == name)) for name in (*named.types, UNKNOWN)},
        "each_type": _each_type(named, learned),
        "changed": _changed(before, after),
        "novel": int(named.novel.sum()),
        "markers": list(both.panel.shared),
        "missing": {name: list(both.panel.private[name]) for name in (source.name, target.name)},
        "panel_notes": list(both.panel.notes),
        "medians": _medians(both, named),
        "classifier": learned.kind,
        "mistakes": learned.mistakes,
        "alignment": both.alignment,
        "summary": {"kept": kept, "label": config.label, "source": source.name, "seed": config.seed},
    }
    report["warnings"] = warnings_of(report)
    adata = target.adata.copy()
    adata.obs["cellgan_type"] = after
    adata.obs["cellgan_confidence"] = named.after.max(1).astype(np.float32)
    adata.obs["cellgan_source_type"] = before
    adata.obs[NOVEL] = named.novel
    adata.uns["cellgan"] = {"adaptation": report["summary"]}
    return AdaptedCells(adata, report)


def _names(p: NDArray[np.float32], named: Named, config: CellsConfig) -> NDArray[np.object_]:
    unknown = p.max(1) < config.unknown_below
    if config.novel_unknown:
        unknown |= named.novel
    return np.where(unknown, UNKNOWN, np.array(named.types, dtype=object)[p.argmax(1)])


def _each_type(named: Named, learned: Classifier) -> list[dict[str, Any]]:
    """Tell of each type how many cells the source labelled and the target was given, and how surely."""
    most, found = named.after.argmax(1), []
    for k, name in enumerate(named.types):
        own = most == k
        found.append(
            {
                "type": name,
                "labelled": int(np.sum(named.codes == k)),
                "found_at_home": learned.found[k],
                "given": int(own.sum()),
                "novel": int(named.novel[own].sum()),
                "confidence": float(np.median(named.after[own].max(1))) if own.any() else None,
            }
        )
    return found


def _changed(before: NDArray[np.object_], after: NDArray[np.object_]) -> list[dict[str, Any]]:
    """Tell from which type to which cells changed by adapting, the most frequent change first."""
    moved = before != after
    pairs, counts = np.unique(np.stack([before[moved], after[moved]]).astype(str), axis=1, return_counts=True)
    return [
        {"from": str(pairs[0, k]), "to": str(pairs[1, k]), "cells": int(counts[k])}
        for k in np.argsort(-counts, kind="stable")
    ]


def _medians(both: TwoCentres, named: Named) -> dict[str, Any]:
    """Tell the medians, in arcsinh units, of the markers that part the source's types most."""
    ours, theirs = (both.units.invert(cells) for cells in (both.source, both.target))
    most, none = named.after.argmax(1), np.full(ours.shape[1], np.nan)

    def of(cells: NDArray[np.float32], types: NDArray[np.int64]) -> NDArray[np.float64]:
        owns = [types == k for k in range(len(named.types))]
        return np.array([np.median(cells[own], 0) if own.any() else none for own in owns])

    source, target = of(ours, named.codes), of(theirs, most)
    telling = np.sort(np.argsort(-source.std(0) / both.units.sd, kind="stable")[:MOST_TELLING])
    rows = [
        {"type": name, "centre": centre, "medians": [None if np.isnan(v) else float(v) for v in values]}
        for k, name in enumerate(named.types)
        for centre, values in (("source", source[k, telling]), ("target", target[k, telling]))
    ]
    return {"markers": [both.panel.shared[j] for j in telling], "rows": rows}
