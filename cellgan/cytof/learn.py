"""Which cells of a batch and of the reference an alignment is learned from, and the learning itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellgan.cytof.anchors import anchor_rows, check_tied, may_hold_anchors
from cellgan.cytof.condition import condition_rows
from cellgan.cytof.draws import draw
from cellgan.cytof.labels import Known, labels_of
from cellgan.cytof.novelty import fit_novelty
from cellgan.cytof.pair import align_pair
from cellgan.cytof.split import MAX_CELLS
from cellgan.cytof.threads import same_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.novelty import Novelty
    from cellgan.cytof.pair import Pair
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.transform import Standardise

Source = Literal["cells", "controls", "condition"]
MANY = 2**22  # cells, of which some are drawn without putting all in an order
N_LEARNED = MAX_CELLS  # cells of each side at most: time and memory of learning are bounded


class Side(NamedTuple):
    """Some cells of one batch, or of its control.

    Attributes
    ----------
    batch
        Where they are.
    rows
        Which, ascending.
    control
        Whether `batch` is a control that bears its batch's name.
    """

    batch: CellBatch
    rows: NDArray[np.intp]
    control: bool = False


@dataclass(frozen=True)
class Lesson:
    """What one batch's way is learned from.

    Attributes
    ----------
    source
        ``cells``: any cells; ``controls``: control cells alone; ``condition``: cells drawn to hold the same
        shares of every condition on both sides.
    reference, cells
        The two sides.
    """

    source: Source
    reference: Side
    cells: Side


class Learned(NamedTuple):
    """What was learned of one batch.

    Attributes
    ----------
    pair
        Its mover, and how well that does.
    novelty
        Tells its cells without counterpart; None if there are none.
    lesson
        What it was learned from.
    """

    pair: Pair
    novelty: Novelty | None
    lesson: Lesson


def plan_lessons(
    reference: CellBatch,
    others: Sequence[CellBatch],
    config: AlignConfig,
    *,
    controls: Mapping[str, CellBatch] | None = None,
) -> dict[str, Lesson]:
    """Decide for every batch from which cells it is learned, before any time is spent on learning.

    Parameters
    ----------
    reference, others
        The batches.
    config
        Seed, and the ``obs`` column of conditions or of control cells, if there is one.
    controls
        Control samples in files of their own, by name of batch.

    Raises
    ------
    ConfigError
        A condition coincides with the batches.
    InputError
        Controls do not tie any batch to the reference, or a column is missing.
    """
    found = _controls([reference, *others], config, controls)
    lessons = {}
    for batch in others:
        if reference.name in found and batch.name in found:
            lessons[batch.name] = Lesson("controls", found[reference.name], found[batch.name])
        elif config.condition is not None:
            rows = condition_rows(reference, batch, config.condition, seed=config.seed)
            lessons[batch.name] = Lesson("condition", Side(reference, rows[0]), Side(batch, rows[1]))
        else:
            lessons[batch.name] = Lesson("cells", _all(reference), _all(batch))
    return lessons


def learn_all(
    lessons: Mapping[str, Lesson],
    prepared: Prepared,
    *,
    units: Standardise,
    config: AlignConfig,
    progress: Callable[[str, float], None],
) -> dict[str, Learned]:
    """Learn the way of every batch that has a lesson, one after the other, on the markers that it shares.

    Parameters
    ----------
    lessons
        By name of batch, see `plan_lessons`.
    prepared
        All batches.
    units
        Standard units of the reference, for all shared markers.
    config
        Method, correspondence, rounds, seed, device.
    progress
        Called with a batch's name and the done fraction of all.
    """
    learned = {}
    for number, (batch, lesson) in enumerate(lessons.items()):

        def show(fraction: float, batch: str = batch, number: int = number) -> None:
            progress(batch, (number + fraction) / len(lessons))

        shared = prepared.shared_by(prepared.batch(batch))
        own = units.at(prepared.places(shared))
        learned[batch] = learn(lesson, prepared.only(shared), units=own, config=config, progress=show)
    return learned


def learn(
    lesson: Lesson,
    prepared: Prepared,
    *,
    units: Standardise,
    config: AlignConfig,
    progress: Callable[[float], None],
) -> Learned:
    """Learn one batch's way.

    Parameters
    ----------
    lesson
        From which cells.
    prepared
        Where their values come from.
    units
        Standard units of the reference.
    config
        Method, correspondence, rounds, seed, device.
    progress
        Called with the done fraction.
    """

    def cells_of(side: Side) -> NDArray[np.float64]:
        values = prepared.of_control if side.control else prepared.values
        return units.apply(values(side.batch, side.rows)).astype(np.float64)

    sides = [_sampled(side, config.seed) for side in (lesson.reference, lesson.cells)]
    known = None
    if config.label_key:
        known = Known(*(labels_of(side.batch, config.label_key)[side.rows] for side in sides))
    with same_sums():
        pair = align_pair(*map(cells_of, sides), units=units, config=config, known=known, progress=progress)
        if lesson.source != "cells":  # what has no counterpart is asked of all cells
            sides = [_sampled(_all(prepared.batch(side.batch.name)), config.seed) for side in sides]
        reference, cells = map(cells_of, sides)
        there = pair.mover(cells)
        if pair.response is not None:
            lowest = np.minimum(reference.min(axis=0), cells.min(axis=0))
            there = np.maximum(units.to_units(pair.response(units.to_values(cells))), lowest)
        novelty = fit_novelty(reference, there, seed=config.seed, response=pair.response)
        return Learned(pair, novelty, lesson)


def some_rows(n_cells: int, n: int, seed: int) -> NDArray[np.intp]:
    """Draw so many rows at most, ascending, for what is only looked at."""
    rng = np.random.default_rng(seed)
    if n_cells > MANY:
        return np.sort(rng.choice(n_cells, n, replace=False, shuffle=False))
    return np.sort(rng.permutation(n_cells)[:n])


def learned_rows(batch: CellBatch, seed: int) -> NDArray[np.intp]:
    """Return the cells of a batch that are learned from where all of them would do, in the order drawn."""
    return draw(batch.cells, N_LEARNED, seed)


def _controls(
    batches: Sequence[CellBatch], config: AlignConfig, controls: Mapping[str, CellBatch] | None
) -> dict[str, Side]:
    """Find the control cells of every batch that has some."""
    if controls is not None:
        found = {name: Side(one, np.arange(one.n_cells), control=True) for name, one in controls.items()}
        said = "the anchors"
    elif config.anchor_key is not None:
        asked = [batch for batch in batches if may_hold_anchors(batch, config.anchor_key)]
        # Nobody has the column: then its name is wrong, and asking the first batch says so.
        sides = [Side(batch, anchor_rows(batch, config.anchor_key)) for batch in asked or batches]
        found = {side.batch.name: side for side in sides if len(side.rows)}
        said = f"--anchor-key {config.anchor_key}"
    else:
        return {}
    n_controls = {batch.name: len(found[batch.name].rows) if batch.name in found else 0 for batch in batches}
    check_tied(n_controls, reference=batches[0].name, said=said)
    return found


def _all(batch: CellBatch) -> Side:
    return Side(batch, np.arange(batch.n_cells))


def _sampled(side: Side, seed: int) -> Side:
    return side._replace(rows=draw(side.batch.cells, N_LEARNED, seed, side.rows))
