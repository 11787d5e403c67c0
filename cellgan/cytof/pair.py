"""One batch onto the reference: proposals, the choice among them by held-out cells, and the mover."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cellgan.core import History, every, pick
from cellgan.cytof.correspondence import Weights, balance, fit_passes, fit_start, play_game, stay_near
from cellgan.cytof.evaluate import HeldOut, Scores
from cellgan.cytof.labels import fit_labelled_start, labelled_pairs
from cellgan.cytof.maps import fit_marker_maps
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import Ranked, dither
from cellgan.cytof.split import Split
from cellgan.cytof.threads import beside, side_by_side
from cellgan.cytof.uncertainty import fit_uncertainty, fit_way_back, undetected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from cellgan.core import RoundReport
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.labels import Known
    from cellgan.cytof.magan import Correspondence
    from cellgan.cytof.maps import MarkerMaps
    from cellgan.cytof.transform import Standardise
    from cellgan.cytof.uncertainty import Uncertainty

MAX_CELLS = 10_000  # of each batch, to learn the maps from that are used in the end
HISTORY_EVERY = 10
# The game's proposal is left only for one that costs so much less: on a few hundred held-out cells, an AUC is
# known to .03 at best.
MARGIN = 0.05
REFIT_TURNS = 3  # of the start, from where it stands, with all cells
REFIT_SEED = 500

# Names of proposals and rivals, as the report shows them.
NOTHING = "nothing"
QUANTILES = "per-marker quantiles"
START = "start"
START_MAPS = "start + cluster maps"
GAME_MAPS = "game + cluster maps"
GENERATOR = "MAGAN's generator"


@dataclass(frozen=True, eq=False)
class Pair:
    """How one batch is moved, and what is known of how well.

    Attributes
    ----------
    mover
        From the batch to the reference, in standard units.
    uncertainty
        How far its results may be from the truth.
    chosen
        Name of the proposal that was taken.
    scores
        Of every proposal and of simple rivals, on held-out cells, with movers that had not seen them.
    floor
        What two halves of the held-out reference score against each other.
    alike
        Whether the batches, as measured, differ no more than two halves of the reference do.
    held_out
        Numbers of held-out cells: reference, batch.
    losses
        Terms of the game by round; empty if none was played.
    """

    mover: Mover
    uncertainty: Uncertainty
    chosen: str
    scores: Mapping[str, Scores]
    floor: Mapping[str, float]
    alike: bool
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
    proposals, preferred = _PROPOSE[config.method](split, unseen, config, watch)
    rivals = {NOTHING: Mover(), QUANTILES: Mover(quantile_maps(split.reference, split.cells)), **proposals}
    with beside(lambda: fit_way_back(split.reference, split.cells, seed=config.seed)) as back:
        scores = {name: unseen.score(mover(split.unseen_cells)) for name, mover in rivals.items()}
        floor = unseen.floor()
        chosen = _choose(scores, preferred)
        likeness = split.compare(scores[NOTHING], floor, seed=config.seed)
        # Labels may know of types that changed places, which scores without labels cannot see.
        if likeness.alike and config.method == "matched" and config.label_key is None:
            chosen = NOTHING
        way_back = back.result()
    known_cells = split.unseen_reference if len(split.unseen_reference) else split.reference
    return Pair(
        mover=_learn_from_all(
            rivals[chosen], reference, cells, seed=config.seed, labelled=split.known is not None
        ),
        uncertainty=undetected(reference.shape[1], likeness.floor)
        if chosen == NOTHING
        else fit_uncertainty(rivals[chosen], way_back, split.cells, known_cells, units=units),
        chosen=chosen,
        scores=scores,
        floor=floor,
        alike=likeness.alike,
        held_out=(len(split.unseen_reference), len(split.unseen_cells)),
        losses=losses,
    )


def quantile_maps(reference: NDArray[np.float64], cells: NDArray[np.float64]) -> MarkerMaps:
    """Match every marker's quantiles for itself, all cells alike: the simplest rival."""
    return fit_marker_maps(
        Ranked.of(reference), Ranked.of(dither(cells)), np.ones(len(reference)), np.ones(len(cells))
    )


def _matched(
    split: Split, unseen: HeldOut, config: AlignConfig, watch: every
) -> tuple[dict[str, Mover], tuple[str, ...]]:
    """Propose the start, maps after it, and maps after the game; labels decide for the last."""
    r, c, seed = split.reference, split.cells, config.seed
    movers, start, positions = {}, None, c
    if config.correspondence != "none":
        labels = split.known
        start = _start(split, unseen, seed) if labels is None else fit_labelled_start(r, c, labels)
        movers[START] = Mover(start)
        positions = movers[START](c)
    device = pick(config.device)
    tie: Correspondence | None = None
    if split.known is not None:
        tie = labelled_pairs(r, positions, split.known, device=device, seed=seed)
    elif start is not None:
        tie = stay_near(r.shape[1])
    weights = balance(r, positions, seed=seed + 50)
    # The game leaves all threads but one idle: the maps after the start are fitted meanwhile.
    with beside(lambda: fit_passes(r, c, positions, seed=seed) if start else ()) as fitted:
        generator = play_game(
            r, positions, weights, tie, rounds=config.rounds, seed=seed, device=device, watchers=[watch]
        )
        if start is not None:
            movers[START_MAPS] = Mover(start, passes=fitted.result())
    led = Mover(start, generator)
    movers[GAME_MAPS] = Mover(start, generator, fit_passes(r, c, led(c), seed=seed))
    free = config.correspondence == "shared"
    return movers, (GAME_MAPS, START_MAPS) if free else (GAME_MAPS,)


def _start(split: Split, unseen: HeldOut, seed: int) -> MarkerMaps:
    """Begin where cells were measured, unless quantile matching for a first guess leads clearly nearer."""
    fit = partial(fit_start, split.reference, split.cells, seed=seed)
    measured, matched = side_by_side(
        lambda guess: fit(guess=guess), [None, quantile_maps(split.reference, split.cells)]
    )
    costs = [unseen.score(Mover(start)(split.unseen_cells)).cost for start in (measured, matched)]
    return matched if costs[1] < costs[0] - MARGIN else measured


def _magan(
    split: Split,
    unseen: HeldOut,  # noqa: ARG001 - there is nothing to choose between
    config: AlignConfig,
    watch: every,
) -> tuple[dict[str, Mover], tuple[str, ...]]:
    """Propose what MAGAN's generator makes of the cells.

    As published but for the generators, which are residual: between batches the identity is a better first
    guess than chance, and no time is spent on learning it.
    """
    r, c, device = split.reference, split.cells, pick(config.device)
    tie: Correspondence | None = None
    if split.known is not None:
        tie = labelled_pairs(r, c, split.known, device=device, seed=config.seed)
    elif config.correspondence == "shared":
        tie = stay_near(r.shape[1])
    evenly = Weights(np.ones(len(r)), np.ones(len(c)))
    generator = play_game(
        r, c, evenly, tie, rounds=config.rounds, seed=config.seed, device=device, watchers=[watch]
    )
    return {GENERATOR: Mover(generator=generator)}, (GENERATOR,)


def _quantiles(
    split: Split,  # noqa: ARG001 - the rival that stands in every table is the proposal here
    unseen: HeldOut,  # noqa: ARG001
    config: AlignConfig,  # noqa: ARG001
    watch: every,  # noqa: ARG001
) -> tuple[dict[str, Mover], tuple[str, ...]]:
    """Propose nothing of its own."""
    return {}, (QUANTILES,)


_PROPOSE = {"matched": _matched, "magan": _magan, "quantiles": _quantiles}


def _choose(scores: Mapping[str, Scores], preferred: tuple[str, ...]) -> str:
    """Return the first proposal, unless a later one costs clearly less on held-out cells."""
    chosen = preferred[0]
    for name in preferred[1:]:
        if scores[name].cost < scores[chosen].cost - MARGIN:
            chosen = name
    return chosen


def _learn_from_all(
    mover: Mover,
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    seed: int,
    labelled: bool,
) -> Mover:
    """Fit the maps again, now from the held-out cells too; the game stays as it is, and so do labels."""
    if not mover.passes:
        return mover
    rng = np.random.default_rng(seed)
    r, c = (_some(side, rng.permutation(len(side)), MAX_CELLS) for side in (reference, cells))
    start = mover.start
    if start is not None and not labelled:
        # Some draws of the cells to learn from lead the start astray; all of them do not.
        start = fit_start(r, c, seed=seed + REFIT_SEED, guess=start, turns=REFIT_TURNS)
    positions = Mover(start, mover.generator)(c)
    return Mover(start, mover.generator, fit_passes(r, c, positions, seed=seed))


def _some(cells: NDArray[np.float64], order: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    return cells[np.sort(order[:n])]


class _Shown:
    """Keep the terms, and tell how far the game is."""

    terms_only = True

    def __init__(self, history: History, progress: Callable[[float], None]) -> None:
        self._history = history
        self._progress = progress

    def __call__(self, report: RoundReport) -> None:
        self._history(report)
        self._progress(report.round / report.last_round)
