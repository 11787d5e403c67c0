"""Ways to move one batch onto the reference, proposed and scored side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.core import pick
from cellgan.cytof.correspondence import Weights, balance, fit_passes, fit_start, play_game, stay_near
from cellgan.cytof.labels import fit_labelled_start, labelled_pairs
from cellgan.cytof.maps import fit_marker_maps
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import Ranked, dither
from cellgan.cytof.threads import beside, side_by_side
from cellgan.cytof.uncertainty import fit_way_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.core import every
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.evaluate import HeldOut, Scores
    from cellgan.cytof.magan import Correspondence
    from cellgan.cytof.maps import MarkerMaps
    from cellgan.cytof.split import Split

# A proposal is left only for one that costs so much less: on a few hundred held-out cells, an AUC is known to
# .03 at best.
MARGIN = 0.05
REFIT_TURNS = 3  # of the start, from where it stands, with all cells
REFIT_SEED = 500
MOVER_HIDDEN = (128, 128)  # a generator that moves cells, not only leads maps to them, needs more

# Names of proposals and rivals, as the report shows them.
NOTHING = "nothing"
QUANTILES = "per-marker quantiles"
START = "start"
START_MAPS = "start + cluster maps"
GAME_MAPS = "game + cluster maps"
GENERATOR = "MAGAN's generator"
ORDER = (NOTHING, QUANTILES, START, START_MAPS, GAME_MAPS, GENERATOR)


class Proposal(NamedTuple):
    """A mover, and what it scores on cells that it has not seen."""

    mover: Mover
    scores: Scores


class Proposed(NamedTuple):
    """What there is to choose from.

    Attributes
    ----------
    proposals
        By name: the method's own, and simple rivals.
    preferred
        Names of those that may be taken, the first one unless another is clearly better.
    way_back
        From the reference's frame into the batch's.
    start
        The start of the preferred ones, learned once more from all cells; None if they have none.
    """

    proposals: Mapping[str, Proposal]
    preferred: tuple[str, ...]
    way_back: Mover
    start: MarkerMaps | None = None


def matched(split: Split, unseen: HeldOut, config: AlignConfig, watch: every) -> Proposed:
    """Propose the start, maps after it, and maps after the game; labels decide for the last.

    Parameters
    ----------
    split
        Cells to learn from.
    unseen
        Cells to score on.
    config
        Correspondence, rounds, seed, device.
    watch
        Watches the game.
    """
    r, c, seed = split.reference, split.cells, config.seed
    found: dict[str, Proposal] = {}
    start, positions = None, c
    if config.correspondence != "none":
        if split.known is None:
            found[START] = _start(split, unseen, seed)
        else:
            found[START] = _scored(Mover(fit_labelled_start(r, c, split.known)), split, unseen)
        start = found[START].mover.start
        positions = found[START].mover(c)
    device = pick(config.device)
    tie: Correspondence | None = None
    if split.known is not None:
        tie = labelled_pairs(r, positions, split.known, device=device, seed=seed)
    elif start is not None:
        tie = stay_near(r.shape[1])
    weights = balance(r, positions, seed=seed + 50)

    def without_game() -> tuple[Mover, MarkerMaps | None]:
        found.update(_simple(split, unseen))
        if start is not None:
            passes = fit_passes(r, c, positions, seed=seed)
            found[START_MAPS] = _scored(Mover(start, passes=passes), split, unseen)
        way_back = fit_way_back(r, c, seed=seed, start=start)
        if start is None or split.known is not None:
            return way_back, start
        return way_back, _once_more(start, split, seed)

    # Half of the work needs no game: it is done in a thread of its own.
    with beside(without_game) as others:
        generator = play_game(
            r, positions, weights, tie, rounds=config.rounds, seed=seed, device=device, watchers=[watch]
        )
        led = Mover(start, generator)
        passes = fit_passes(r, c, led(c), seed=seed)
        found[GAME_MAPS] = _scored(Mover(start, generator, passes), split, unseen)
    free = config.correspondence == "shared"
    return Proposed(found, (GAME_MAPS, START_MAPS) if free else (GAME_MAPS,), *others.result())


def magan(split: Split, unseen: HeldOut, config: AlignConfig, watch: every) -> Proposed:
    """Propose what MAGAN's generator makes of the cells.

    As published but for the generators, which are residual: between batches the identity is a better first
    guess than chance, and no time is spent on learning it.

    Parameters
    ----------
    split, unseen, config, watch
        See `matched`.
    """
    r, c, device = split.reference, split.cells, pick(config.device)
    tie: Correspondence | None = None
    if split.known is not None:
        tie = labelled_pairs(r, c, split.known, device=device, seed=config.seed)
    elif config.correspondence == "shared":
        tie = stay_near(r.shape[1])
    evenly = Weights(np.ones(len(r)), np.ones(len(c)))
    generator = play_game(
        r,
        c,
        evenly,
        tie,
        rounds=config.rounds,
        seed=config.seed,
        device=device,
        watchers=[watch],
        hidden=MOVER_HIDDEN,
    )
    own = {GENERATOR: _scored(Mover(generator=generator), split, unseen)}
    way_back = fit_way_back(r, c, seed=config.seed)
    return Proposed(_simple(split, unseen) | own, (GENERATOR,), way_back)


def quantiles(
    split: Split,
    unseen: HeldOut,
    config: AlignConfig,
    watch: every,  # noqa: ARG001 - there is no game
) -> Proposed:
    """Propose nothing but a simple rival that stands in every table.

    Parameters
    ----------
    split, unseen, config, watch
        See `matched`.
    """
    way_back = fit_way_back(split.reference, split.cells, seed=config.seed)
    return Proposed(_simple(split, unseen), (QUANTILES,), way_back)


def quantile_maps(reference: NDArray[np.float64], cells: NDArray[np.float64]) -> MarkerMaps:
    """Match every marker's quantiles for itself, all cells alike: the simplest rival."""
    return fit_marker_maps(
        Ranked.of(reference), Ranked.of(dither(cells)), np.ones(len(reference)), np.ones(len(cells))
    )


def choose(scores: Mapping[str, Scores], preferred: tuple[str, ...]) -> str:
    """Return the first proposal, unless a later one costs clearly less on held-out cells.

    Parameters
    ----------
    scores
        By name.
    preferred
        Names to choose from.
    """
    chosen = preferred[0]
    for name in preferred[1:]:
        if scores[name].cost < scores[chosen].cost - MARGIN:
            chosen = name
    return chosen


def _scored(mover: Mover, split: Split, unseen: HeldOut) -> Proposal:
    return Proposal(mover, unseen.score(mover(split.unseen_cells)))


def _simple(split: Split, unseen: HeldOut) -> dict[str, Proposal]:
    movers = {NOTHING: Mover(), QUANTILES: Mover(quantile_maps(split.reference, split.cells))}
    return {name: _scored(mover, split, unseen) for name, mover in movers.items()}


def _once_more(start: MarkerMaps, split: Split, seed: int) -> MarkerMaps:
    """Go on with a start: some draws of the cells to learn from lead it astray, all of them do not."""
    return fit_start(
        split.whole_reference, split.whole_cells, seed=seed + REFIT_SEED, guess=start, turns=REFIT_TURNS
    )


def _start(split: Split, unseen: HeldOut, seed: int) -> Proposal:
    """Begin where cells were measured, unless quantile matching for a first guess leads clearly nearer."""
    fit = partial(fit_start, split.reference, split.cells, seed=seed)
    measured, matching = side_by_side(
        lambda guess: _scored(Mover(fit(guess=guess)), split, unseen),
        [None, quantile_maps(split.reference, split.cells)],
    )
    return matching if matching.scores.cost < measured.scores.cost - MARGIN else measured
