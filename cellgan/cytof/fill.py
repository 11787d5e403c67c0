"""Markers that a batch did not measure, filled in for all of its cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.core import every, pick
from cellgan.cytof.impute import Imputed, Imputer, fit_imputer
from cellgan.cytof.imputed_quality import Quality, measure_quality
from cellgan.cytof.learn import learned_rows
from cellgan.cytof.magan_panels import fit_panel_generator
from cellgan.cytof.novelty import fit_novelty
from cellgan.cytof.straight import lines_of
from cellgan.cytof.transform import Standardise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cellgan.core import RoundReport, Watcher
    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.gaps import Gap
    from cellgan.cytof.model import Model
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.straight import StraightLines

SHOW_EVERY = 100


class Filling(NamedTuple):
    """How one gap is filled, in any number of cells.

    Attributes
    ----------
    gap
        Which.
    quality
        How well the markers were predicted in cells of the source that were held out.
    fill
        Takes cells of the target that were read, all their columns, with what they are mapped to and where
        draws come from. Returns their markers in arcsinh units of the source, and which of the cells have no
        counterpart in it; None where nobody looked.
    """

    gap: Gap
    quality: Quality
    fill: Callable[
        [NDArray[np.float32], Mapped, np.random.Generator], tuple[Imputed, NDArray[np.bool_] | None]
    ]


def learn_gaps(
    gaps: Sequence[Gap],
    prepared: Prepared,
    model: Model,
    config: AlignConfig,
    *,
    progress: Callable[[str, float], None],
) -> tuple[Filling, ...]:
    """Learn the markers of every gap in its source.

    Parameters
    ----------
    gaps
        What to fill.
    prepared
        All batches.
    model
        Maps every batch.
    config
        Method, rounds, seed, device.
    progress
        Called with the name of the batch that lacks something and the done fraction of all.
    """
    learner = _Learner(prepared, model, config)
    learn = learner.magan if config.method == "magan" else learner.regression
    fillings = []
    for number, gap in enumerate(gaps):

        def show(report: RoundReport, target: str = gap.target, number: int = number) -> None:
            progress(target, (number + report.round / report.last_round) / len(gaps))

        fillings.append(learn(gap, every(SHOW_EVERY, show)))
    return tuple(fillings)


@dataclass(frozen=True)
class _Learner:
    """Learns to fill gaps; what several of them need is learned once."""

    prepared: Prepared
    model: Model
    config: AlignConfig
    lines: dict[str, StraightLines] = field(default_factory=dict)
    learned: dict[tuple[object, ...], tuple[Imputer, Quality]] = field(default_factory=dict)

    def regression(self, gap: Gap, watcher: Watcher) -> Filling:
        """Predict markers from shared ones as they go together in the source."""
        config, key = self.config, (gap.source, gap.predictors, gap.markers)
        if key not in self.learned:
            imputer = fit_imputer(
                self._framed(gap.source, gap.predictors),
                self._aligned(gap.source, gap.markers),
                seed=config.seed,
                device=pick(config.device),
                watchers=[watcher],
            )
            self.learned[key] = imputer, measure_quality(imputer, seed=config.seed)
        imputer, quality = self.learned[key]
        target, lines = self.prepared.batch(gap.target), self._lines(gap.target, gap.predictors)
        tell = self._novelty(gap)

        def fill(
            values: NDArray[np.float32], mapped: Mapped, rng: np.random.Generator
        ) -> tuple[Imputed, NDArray[np.bool_] | None]:
            cells = lines(self.prepared.proteins_of(target, gap.predictors, values))
            imputed = imputer(cells, draws=config.draws, seed=rng)
            # Of cells without counterpart nothing is known but how far values can differ at all.
            novel = mapped.novel if tell is None else tell(cells)
            imputed.sd[novel] = np.maximum(imputed.sd[novel], imputer.outputs.sd)
            return imputed, novel

        return Filling(gap, quality, fill)

    def magan(self, gap: Gap, watcher: Watcher) -> Filling:
        """Take what MAGAN's generator makes of the target's whole panel."""
        config, panel = self.config, self.prepared.panel
        target, source = (self.prepared.batch(name) for name in (gap.target, gap.source))
        ours, theirs = (tuple(panel.proteins[batch.name]) for batch in (target, source))
        generator = fit_panel_generator(
            self.prepared.proteins(target, ours, self._rows(target.name)),
            self.prepared.proteins(source, theirs, self._rows(source.name)),
            [(ours.index(marker), theirs.index(marker)) for marker in gap.predictors],
            rounds=config.rounds,
            seed=config.seed,
            device=pick(config.device),
            watchers=[watcher],
        )
        columns = [theirs.index(marker) for marker in gap.markers]

        def fill(
            values: NDArray[np.float32],
            _mapped: Mapped,
            _rng: np.random.Generator,
        ) -> tuple[Imputed, NDArray[np.bool_] | None]:
            cells = self.prepared.proteins_of(target, ours, values)
            return generator(cells, columns, draws=config.draws), None

        return Filling(gap, Quality.unknown(len(gap.markers)), fill)

    def _novelty(self, gap: Gap) -> Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None:
        """Return what tells the target's cells without counterpart in the source; None if that is known."""
        if self.model.batches[gap.source].mover is None:  # the reference
            return None
        known = self._framed(gap.source, gap.predictors)
        units = Standardise.of(known.astype(np.float32))

        def scaled(cells: NDArray[np.float64]) -> NDArray[np.float64]:
            return units.apply(cells.astype(np.float32)).astype(np.float64)

        own = self._framed(gap.target, gap.predictors)
        novelty = fit_novelty(scaled(known), scaled(own), seed=self.config.seed)

        def tell(cells: NDArray[np.float64]) -> NDArray[np.bool_]:
            return novelty(scaled(cells)) if novelty is not None else np.zeros(len(cells), dtype=bool)

        return tell

    def _rows(self, name: str) -> NDArray[np.intp]:
        """Return the cells of a batch that are learned from."""
        return learned_rows(self.prepared.batch(name), self.config.seed)

    def _aligned(self, name: str, markers: Sequence[str]) -> NDArray[np.float32]:
        """Return any proteins of a source's learned cells as mapped: some of them may have been aligned."""
        batch = self.prepared.batch(name)
        values = batch.cells.values(self._rows(name), np.arange(len(batch.markers)))
        mapped = self.model.mapped(values, self.prepared.columns(batch), name)
        return mapped.aligned[:, self.prepared.protein_columns(batch, markers)]

    def _framed(self, name: str, markers: Sequence[str]) -> NDArray[np.float64]:
        """Return shared markers of a batch's learned cells in the reference's frame."""
        batch = self.prepared.batch(name)
        return self._lines(name, markers)(self.prepared.proteins(batch, markers, self._rows(name)))

    def _lines(self, name: str, markers: Sequence[str]) -> StraightLines:
        """Return the lines that take markers of a batch to the reference's frame."""
        batch = self.prepared.batch(name)
        if name not in self.lines:
            values = self.prepared.values(batch, self._rows(name))
            self.lines[name] = lines_of(values, self.model.batches[name])
        return self.lines[name].at([self.prepared.shared_by(batch).index(marker) for marker in markers])
