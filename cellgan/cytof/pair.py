"""One batch onto the reference: proposals, the choice among them by held-out cells, and the mover."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cellgan.core import History, every
from cellgan.cytof.cluster_maps import BatchMapping
from cellgan.cytof.correspondence import fit_passes
from cellgan.cytof.evaluate import HeldOut
from cellgan.cytof.mover import Mover
from cellgan.cytof.proposals import ORDER, Task, choose, initial, magan, matched, nothing, quantiles
from cellgan.cytof.split import Split
from cellgan.cytof.uncertainty import fit_uncertainty, undetected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from cellgan.core import RoundReport
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.correspondence import Start
    from cellgan.cytof.evaluate import Scores
    from cellgan.cytof.evidence import Evidence
    from cellgan.cytof.labels import Known
    from cellgan.cytof.response import Response
    from cellgan.cytof.transform import Standardise
    from cellgan.cytof.uncertainty import Uncertainty

HISTORY_EVERY = 10
UNKNOWN_SD = 1.0  # standard units: how far cells may be off where nothing is known of the effect


@dataclass(frozen=True, eq=False)
class Pair:
    """How one batch is moved, and what is known of how well.

    Attributes
    ----------
    mover
        From the batch to the reference, in standard units.
    response
        What the instrument did, by what is known; None where nobody asked, or where it did nothing.
    uncertainty
        How far its results may be from the truth.
    chosen
        Name of the proposal that was taken.
    scores
        Of every proposal and of simple rivals, on held-out cells, with movers that had not seen them.
    floor
        What two halves of the held-out reference score against each other.
    evidence
        Whether cells that correspond differ, and how many do.
    held_out
        Numbers of held-out cells: reference, batch.
    losses
        Terms of the game by round; empty if none was played.
    """

    mover: Mover
    response: Response | None
    uncertainty: Uncertainty
    chosen: str
    scores: Mapping[str, Scores]
    floor: Mapping[str, float]
    evidence: Evidence
    held_out: tuple[int, int]
    losses: History = field(default_factory=History)


def align_pair(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    units: Standardise,
    config: AlignConfig,
    known: Known | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Pair:
    """Learn how to move one batch onto the reference.

    Parameters
    ----------
    reference
        Cells of the reference batch, standardised, ``(n_cells, n_markers)``.
    cells
        Cells of the other batch, in the same units.
    units
        These units, for what counting leaves open.
    config
        Method, correspondence, rounds, seed, device.
    known
        Labels of cells, for ``correspondence="labels:KEY"``.
    progress
        Called with the done fraction of the game.

    Returns
    -------
    Pair
        The mover, learned from all cells, and the scores of movers that had not seen the held-out ones.
    """
    split = Split.of(reference, cells, known, seed=config.seed)
    unseen = HeldOut(split.unseen_reference, split.unseen_cells, seed=config.seed)
    losses = History()
    watch = every(HISTORY_EVERY, _Shown(losses, progress))
    task = Task(split, unseen, units, config, watch)
    start, evidence = initial(task)
    # Who asks for another method by name gets it; the verdict says what the evidence is.
    stays = config.method == "matched" and not evidence.moves
    proposed = nothing(task, start) if stays else _PROPOSE[config.method](task, start)
    scores = {name: proposed.proposals[name].scores for name in ORDER if name in proposed.proposals}
    floor = unseen.floor()
    chosen = choose(scores, proposed.preferred)
    mover = proposed.proposals[chosen].mover
    if not stays:
        known_cells = split.unseen_reference if len(split.unseen_reference) else split.reference
        uncertainty = fit_uncertainty(mover, proposed.way_back, split.cells, known_cells, units=units)
        mover = _learn_from_all(mover, split, proposed.start, units=units, seed=config.seed)
    else:
        distance = floor["emd"] if evidence.answer == "nothing" else UNKNOWN_SD
        uncertainty = undetected(reference.shape[1], distance)
    response = None if proposed.start is None else proposed.start.response
    if response is not None and not evidence.moves:
        response = response.usual()
    return Pair(
        mover=mover,
        response=response,
        uncertainty=uncertainty,
        chosen=chosen,
        scores=scores,
        floor=floor,
        evidence=evidence,
        held_out=(len(split.unseen_reference), len(split.unseen_cells)),
        losses=losses,
    )


_PROPOSE = {"matched": matched, "magan": magan, "quantiles": quantiles}


def _learn_from_all(
    mover: Mover, split: Split, start: Start | None, *, units: Standardise, seed: int
) -> Mover:
    """Fit the maps again, now from the held-out cells too; the game stays as it is."""
    if not mover.passes:
        return mover
    r, c = split.whole_reference, split.whole_cells
    maps = None if start is None else start.maps
    positions = Mover(maps, mover.generator)(c)
    batch = None if maps is None else BatchMapping(maps, units)
    passes = fit_passes(r, c, positions, seed=seed, batch=batch)
    return Mover(maps, mover.generator, passes, mover.still)


class _Shown:
    """Keep the terms, and tell how far the game is."""

    terms_only = True

    def __init__(self, history: History, progress: Callable[[float], None]) -> None:
        self._history = history
        self._progress = progress

    def __call__(self, report: RoundReport) -> None:
        self._history(report)
        self._progress(report.round / report.last_round)
