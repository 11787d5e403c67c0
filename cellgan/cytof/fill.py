"""Markers that a batch did not measure, filled in for all of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.core import every, pick
from cellgan.cytof.impute import Imputed, Imputer, fit_imputer
from cellgan.cytof.imputed_quality import Quality, measure_quality
from cellgan.cytof.learn import N_LEARNED, some_rows
from cellgan.cytof.straight import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.core import RoundReport
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
    """

    gap: Gap
    imputed: Imputed
    quality: Quality


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
        Draws, seed, device.
    mapped
        All cells of every batch, by name: those without a counterpart are told by it.
    progress
        Called with the name of the batch that lacks something and the done fraction of all.
    """
    lines: dict[str, StraightLines] = {}
    learned: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[Imputer, Quality]] = {}
    filled = []

    def framed(name: str, markers: Sequence[str], rows: NDArray[np.intp] | None) -> NDArray[np.float64]:
        """Return shared markers of a batch in the reference's frame."""
        batch = prepared.batch(name)
        if name not in lines:
            some = some_rows(batch.adata.n_obs, N_LEARNED, config.seed)
            lines[name] = lines_of(prepared.values(batch, some), maps[name])
        at = [prepared.shared_by(batch).index(marker) for marker in markers]
        return lines[name].at(at)(prepared.proteins(batch, markers, rows))

    for number, gap in enumerate(gaps):
        key = gap.source, gap.predictors, gap.markers

        def show(report: RoundReport, target: str = gap.target, number: int = number) -> None:
            progress(target, (number + report.round / report.last_round) / len(gaps))

        if key not in learned:
            source = prepared.batch(gap.source)
            rows = some_rows(source.adata.n_obs, N_LEARNED, config.seed)
            imputer = fit_imputer(
                framed(gap.source, gap.predictors, rows),
                prepared.proteins(source, gap.markers, rows),
                seed=config.seed,
                device=pick(config.device),
                watchers=[every(SHOW_EVERY, show)],
            )
            learned[key] = imputer, measure_quality(imputer, seed=config.seed)
        imputer, quality = learned[key]
        imputed = imputer(framed(gap.target, gap.predictors, None), draws=config.draws, seed=config.seed)
        # Of cells without counterpart nothing is known but how far values can differ at all.
        novel = mapped[gap.target].novel
        imputed.sd[novel] = np.maximum(imputed.sd[novel], imputer.outputs.sd)
        filled.append(Filled(gap, imputed, quality))
    return tuple(filled)
