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
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.core import RoundReport, Watcher
    from cellgan.cytof.batch_map import BatchMap, Mapped
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.gaps import Gap
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.straight import StraightLines

SHOW_EVERY = 100


class Filled(NamedTuple):
    """What fills one gap.

    Attributes
    ----------
    gap
        Which.
    imputed
        For all cells of the target; arcsinh units, of the source.
    quality
        How well the markers were predicted in cells of the source that were held out.
    n_novel
        How many cells of the target have no counterpart in the source; None where nobody looked.
    """

    gap: Gap
    imputed: Imputed
    quality: Quality
    n_novel: int | None


def fill_gaps(
    gaps: Sequence[Gap],
    prepared: Prepared,
    maps: Mapping[str, BatchMap],
    config: AlignConfig,
    *,
    mapped: Mapping[str, Mapped],
    progress: Callable[[str, float], None],
) -> tuple[Filled, ...]:
    """Learn the markers of every gap in its source, and impute them in its target.

    Parameters
    ----------
    gaps
        What to fill.
    prepared
        All batches.
    maps
        Of every batch, by name.
    config
        Method, draws, rounds, seed, device.
    mapped
        All cells of every batch, by name, with all columns.
    progress
        Called with the name of the batch that lacks something and the done fraction of all.
    """
    filler = _Filler(prepared, maps, config, mapped)
    fill = filler.by_magan if config.method == "magan" else filler.by_regression
    filled = []
    for number, gap in enumerate(gaps):

        def show(report: RoundReport, target: str = gap.target, number: int = number) -> None:
            progress(target, (number + report.round / report.last_round) / len(gaps))

        filled.append(fill(gap, every(SHOW_EVERY, show)))
    return tuple(filled)


@dataclass(frozen=True)
class _Filler:
    """Fills gaps; what several of them need is learned once."""

    prepared: Prepared
    maps: Mapping[str, BatchMap]
    config: AlignConfig
    mapped: Mapping[str, Mapped]
    lines: dict[str, StraightLines] = field(default_factory=dict)
    learned: dict[tuple[object, ...], tuple[Imputer, Quality]] = field(default_factory=dict)

    def by_regression(self, gap: Gap, watcher: Watcher) -> Filled:
        """Predict markers from shared ones as they go together in the source."""
        config, key = self.config, (gap.source, gap.predictors, gap.markers)
        if key not in self.learned:
            rows, own = self._rows(gap.source), self.prepared.panel.proteins[gap.source]
            columns = np.array([own[marker] for marker in gap.markers])
            imputer = fit_imputer(
                self._framed(gap.source, gap.predictors, rows),
                # Where the source is not the reference, some of these may have been aligned.
                self.mapped[gap.source].aligned[np.ix_(rows, columns)],
                seed=config.seed,
                device=pick(config.device),
                watchers=[watcher],
            )
            self.learned[key] = imputer, measure_quality(imputer, seed=config.seed)
        imputer, quality = self.learned[key]
        cells = self._framed(gap.target, gap.predictors, None)
        imputed = imputer(cells, draws=config.draws, seed=config.seed)
        # Of cells without counterpart nothing is known but how far values can differ at all.
        novel = self._novel(gap, cells)
        imputed.sd[novel] = np.maximum(imputed.sd[novel], imputer.outputs.sd)
        return Filled(gap, imputed, quality, int(novel.sum()))

    def by_magan(self, gap: Gap, watcher: Watcher) -> Filled:
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
        imputed = generator(self.prepared.proteins(target, ours), columns, draws=config.draws)
        return Filled(gap, imputed, Quality.unknown(len(gap.markers)), None)

    def _novel(self, gap: Gap, cells: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which of the target's cells have no counterpart in the source."""
        if self.maps[gap.source].mover is None:  # the reference: that is known already
            return self.mapped[gap.target].novel
        known = self._framed(gap.source, gap.predictors, self._rows(gap.source))
        units = Standardise.of(known.astype(np.float32))
        source, target = (units.apply(side.astype(np.float32)).astype(np.float64) for side in (known, cells))
        novelty = fit_novelty(source, target[self._rows(gap.target)], seed=self.config.seed)
        return novelty(target) if novelty is not None else np.zeros(len(target), dtype=bool)

    def _rows(self, name: str) -> NDArray[np.intp]:
        """Return the cells of a batch that are learned from."""
        return learned_rows(self.prepared.batch(name), self.config.seed)

    def _framed(
        self, name: str, markers: Sequence[str], rows: NDArray[np.intp] | None
    ) -> NDArray[np.float64]:
        """Return shared markers of some or all cells of a batch in the reference's frame."""
        batch = self.prepared.batch(name)
        if name not in self.lines:
            self.lines[name] = lines_of(self.prepared.values(batch, self._rows(name)), self.maps[name])
        at = [self.prepared.shared_by(batch).index(marker) for marker in markers]
        return self.lines[name].at(at)(self.prepared.proteins(batch, markers, rows))
