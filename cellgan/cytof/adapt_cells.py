"""Cell types from one centre's labels to another's cells, through an adapted classifier.

A classifier learns the types from labelled source cells (`cellgan.cytof.type_classifier`); its encoder is
adapted to the target's cells (`cellgan.adaptation`), and names their types. A linear one is then fitted again
to the target's cells with the types that it gave them (`fit_again`). Both files go through one preprocessing
(`two_centres`). Cells that are unlike any labelled one are marked (`find_novel`): however sure a
classifier is of them, it can only give them a type that it knows.

Departures from Tzeng et al. (2017): the guards of `cellgan.adaptation.adda`, and fitting again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from cellgan.adaptation.adaptation import adapt, probabilities
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.criterion import right
from cellgan.adaptation.domains import Domains
from cellgan.core.watch import Told
from cellgan.cytof.adapted_cells import AdaptedCells, Named, adapted_cells
from cellgan.cytof.align import Screen
from cellgan.cytof.read_write import batches_from_adata, read_batches
from cellgan.cytof.rename import rename_by_table
from cellgan.cytof.two_centres import comparable, find_novel, known_types
from cellgan.cytof.type_classifier import fit_again, learn_types
from cellgan.errors import ConfigError
from cellgan.seeds import check_seed

if TYPE_CHECKING:
    from pathlib import Path

    import anndata as ad

    from cellgan.adaptation.adaptation import Adaptation
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.type_classifier import Kind


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
    novel_unknown
        Cells that look like no labelled one stay unknown; otherwise they are marked, and named nonetheless.
    fit_again
        Fit a linear classifier again to the target's cells, with the types that it gave them.
    seed
        Of everything random.
    """

    label: str
    unknown_below: float = 0.5
    align: bool = False
    novel_unknown: bool = False
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
        check_seed(self.seed)


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
    source: Path,
    target: Path,
    config: CellsConfig,
    adaptation: AdaptConfig | None = None,
    *,
    rename: Path | None = None,
    screen: Screen,
) -> AdaptedCells:
    """Do the same with .h5ad files (the target may be .fcs); `rename` is as in `align_files`."""
    screen.progress("reading", 0.0)
    batches = read_batches([source, target])
    return _adapt(batches if rename is None else rename_by_table(batches, rename), config, adaptation, screen)


def default_game(kind: Kind, seed: int) -> AdaptConfig:
    """Return the settings of the game that suit a classifier of cells; a single layer takes longer steps."""
    return AdaptConfig(rounds=300, encoder_lr=1e-3 if kind == "linear" else 2e-4, seed=seed)


def _adapt(
    batches: list[CellBatch], config: CellsConfig, adaptation: AdaptConfig | None, screen: Screen
) -> AdaptedCells:
    types, codes = known_types(batches[0], config.label)
    both = comparable(batches, codes, align=config.align, seed=config.seed, screen=screen)
    known = codes >= 0
    domains = Domains(*(torch.from_numpy(each) for each in (both.source[known], codes[known], both.target)))
    domains.check()
    screen.progress("learning the types", 0.0)
    learned = learn_types(domains.source, domains.labels, seed=config.seed)
    show = Told(screen.progress, "adapting to the target")
    game = adaptation or default_game(learned.kind, config.seed)
    found = adapt(learned.encoder, learned.head, domains, game, watchers=[show])
    before = probabilities(learned.encoder, learned.head, domains.target)
    after, again = found.probabilities(domains.target), None
    if config.fit_again and learned.kind == "linear":
        after, again = _fitted_again(found, domains, after)
    screen.progress("looking for other types", 0.0)
    novel = find_novel(batches, codes, both, after.argmax(1).numpy(), seed=config.seed, screen=screen)
    return adapted_cells(
        batches,
        config,
        both,
        Named(tuple(types), codes, before.numpy(), after.numpy(), novel),
        learned,
        found=found,
        fitted_again=again,
    )


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
