"""Ways to move one batch onto the reference, proposed and scored side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.core import pick
from cellgan.cytof.balance import Weights, balance
from cellgan.cytof.cluster_maps import BatchMapping
from cellgan.cytof.correspondence import (
    Start,
    fit_passes,
    fit_start,
    play_game,
    stay_near,
)
from cellgan.cytof.evidence import Evidence, after_start, as_measured
from cellgan.cytof.labels import fit_labelled_start, labelled_pairs
from cellgan.cytof.marker_maps import fit_marker_maps
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import Ranked, dither
from cellgan.cytof.threads import beside
from cellgan.cytof.uncertainty import fit_way_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.core import every
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.evaluate import HeldOut, Scores
    from cellgan.cytof.magan import Correspondence
    from cellgan.cytof.marker_maps import MarkerMaps
    from cellgan.cytof.split import Split
    from cellgan.cytof.transform import Standardise

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
    start: Start | None = None


class Task(NamedTuple):
    """What a method is to propose movers for.

    Attributes
    ----------
    split
        Cells to learn from.
    unseen
        Cells to score on.
    units
        Standard units of all of them.
    config
        Correspondence, rounds, seed, device.
    watch
        Watches the game.
    """

    split: Split
    unseen: HeldOut
    units: Standardise
    config: AlignConfig
    watch: every

    def scored(self, mover: Mover) -> Proposal:
        """Score a mover on cells that it has not seen."""
        return Proposal(mover, self.unseen.score(mover(self.split.unseen_cells)))


def initial(task: Task) -> tuple[Start | None, Evidence]:
    """Fit the initial alignment, and ask what speaks for it.

    Labels need no evidence, and without correspondence there is no initial alignment.
    """
    split, seed = task.split, task.config.seed
    if split.known is not None:
        return Start(fit_labelled_start(split.reference, split.cells, split.known)), Evidence("align")
    measured = as_measured(split.whole_reference, split.whole_cells, seed=seed)
    if not measured.moves or task.config.correspondence == "none":
        return None, measured
    start = fit_start(split.reference, split.cells, units=task.units, seed=seed)
    positions = Mover(start.maps)(split.whole_cells)
    evidence, still = after_start(
        split.whole_reference, split.whole_cells, positions, measured, strength=start.strength, seed=seed
    )
    return start.keeping(still), evidence


def nothing(task: Task, start: Start | None) -> Proposed:
    """Propose to leave all cells where they are; the initial alignment is shown, and not taken.

    Parameters
    ----------
    task
        See there.
    start
        The initial alignment, if there is one.
    """
    found = _simple(task)
    if start is not None:
        found[START] = task.scored(Mover(start.maps, still=start.still))
    return Proposed(found, (NOTHING,), Mover(), start)


def matched(task: Task, start: Start | None) -> Proposed:
    """Propose the initial alignment, maps after it, and maps after the game; labels decide for the last.

    Parameters
    ----------
    task
        See there.
    start
        The initial alignment; None begins where cells were measured.
    """
    split, config, units = task.split, task.config, task.units
    r, c, seed = split.reference, split.cells, config.seed
    found: dict[str, Proposal] = {}
    positions, maps, batch = c, None, None
    still: tuple[int, ...] = ()
    if start is not None:
        maps, batch, still = start.maps, BatchMapping(start.maps, units), start.still
        found[START] = task.scored(Mover(maps, still=still))
        positions = found[START].mover(c)
    device = pick(config.device)
    tie: Correspondence | None = None
    if split.known is not None:
        tie = labelled_pairs(r, positions, split.known, device=device, seed=seed)
    elif maps is not None:
        tie = stay_near(r.shape[1])
    weights = balance(r, positions, seed=seed + 50)

    def without_game() -> tuple[Mover, Start | None]:
        found.update(_simple(task))
        if start is not None:
            passes = fit_passes(r, c, positions, seed=seed, batch=batch)
            found[START_MAPS] = task.scored(Mover(maps, passes=passes, still=still))
        way_back = fit_way_back(r, c, units=units, seed=seed, start=maps)
        if start is None or split.known is not None:
            return way_back, start
        return way_back, _once_more(start, split, units, seed)

    # Half of the work needs no game: it is done in a thread of its own.
    with beside(without_game) as others:
        generator = play_game(
            r, positions, weights, tie, rounds=config.rounds, seed=seed, device=device, watchers=[task.watch]
        )
        led = Mover(maps, generator)
        passes = fit_passes(r, c, led(c), seed=seed, batch=batch)
        found[GAME_MAPS] = task.scored(Mover(maps, generator, passes, still))
    free = config.correspondence == "shared"
    return Proposed(found, (GAME_MAPS, START_MAPS) if free else (GAME_MAPS,), *others.result())


def magan(task: Task, _start: Start | None) -> Proposed:
    """Propose what MAGAN's generator makes of the cells.

    As published but for the generators, which are residual: between batches the identity is a better first
    guess than chance, and no time is spent on learning it.

    Parameters
    ----------
    task
        See there.
    """
    split, config = task.split, task.config
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
        watchers=[task.watch],
        hidden=MOVER_HIDDEN,
    )
    own = {GENERATOR: task.scored(Mover(generator=generator))}
    way_back = fit_way_back(r, c, units=task.units, seed=config.seed)
    return Proposed(_simple(task) | own, (GENERATOR,), way_back)


def quantiles(task: Task, _start: Start | None) -> Proposed:
    """Propose nothing but a simple rival that stands in every table.

    Parameters
    ----------
    task
        See there.
    """
    split = task.split
    way_back = fit_way_back(split.reference, split.cells, units=task.units, seed=task.config.seed)
    return Proposed(_simple(task), (QUANTILES,), way_back)


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


def _simple(task: Task) -> dict[str, Proposal]:
    movers = {NOTHING: Mover(), QUANTILES: Mover(quantile_maps(task.split.reference, task.split.cells))}
    return {name: task.scored(mover) for name, mover in movers.items()}


def _once_more(start: Start, split: Split, units: Standardise, seed: int) -> Start:
    """Go on with an initial alignment: some draws of the cells lead it astray, all of them do not."""
    return fit_start(
        split.whole_reference,
        split.whole_cells,
        units=units,
        seed=seed + REFIT_SEED,
        guess=start.maps,
        turns=REFIT_TURNS,
    ).keeping(start.still)
