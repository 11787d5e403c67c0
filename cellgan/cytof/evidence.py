"""How many cells of two batches correspond, and whether these differ at all.

Scores of an alignment measure agreement with the reference, and pressing everything onto the reference agrees
best. So before cells are moved it is asked how many of them have counterparts under a map that an instrument
can cause (`correspondence.fit_start`), and whether those that have any agree with them:

- *Nothing to align*: a classifier cannot tell the cells that correspond as measured, each weighted so that
  joint clusters hold the same share of both batches, and no marker's mean differs within these clusters. A
  difference of composition does not count: it is no batch effect.
- *Unknown*: few cells correspond, or those that should are still told apart. Then nothing can be known, and
  nothing is moved.
- *Few*: fewer than fifty cells of a batch are too few to learn anything from.

On batches drawn from cells of known types (`benchmarks/composition.py`) at most .15 correspond where no
lineage is shared, but for some that strong gains bring together, and these are told by the second criterion;
.3 and more where two lineages of five or six are; .5 to .95 in real pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellgan.cytof.balance import balance
from cellgan.cytof.clusters import joint_clusters
from cellgan.cytof.evaluate import weighted_auc
from cellgan.cytof.marker_maps import effective_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.balance import Weights

N_CELLS = 6_000  # of each batch
FEW_CELLS = 50
DRAWS = 4  # clusterings that the weights are averaged over
# Of the batch's cells, how many must correspond for anything to be known. Gains that differ much between
# markers are unlikely, and can bring unrelated types together: they need more to speak for them.
LEAST_SHARE, USUAL_STRENGTH, SHARE_PER_STRENGTH = 0.25, 0.7, 0.7
# Where fewer than half do, a classifier that tells them from the reference's may have this AUC at most.
MOST_AUC, MANY = 0.75, 0.5
# No difference: an AUC of at most so much above one half, and no marker that differs.
ALIKE_AUC, ALIKE_ERRORS = 0.05, 2.5
DIFFERS, DIFFERS_SD = 8.0, 0.08  # squared standard errors, over clusters, and standard deviations
# A marker that differs by less is kept as measured: squared standard errors, standard deviations. In small
# batches much is within chance, and more than that should not be left where other markers show an effect.
STILL, STILL_SD = 1.5, 0.065
N_CLUSTERS, LEAST_CELLS = 30, 15.0  # to compare means in

Answer = Literal["align", "nothing", "unknown", "few"]


class Evidence(NamedTuple):
    """What is known of two batches before cells are moved.

    Attributes
    ----------
    answer
        ``align``; ``nothing`` where those that correspond do not differ; ``unknown`` where too few do;
        ``few`` where there are too few cells to ask.
    share
        Of the batch's cells, how many correspond to some of the reference's.
    auc_before, auc
        Of a classifier that tells these from the reference's, as measured and after the initial alignment;
        NaN where that was not looked at.
    strength
        Standard deviation of the logarithms of the gains of the initial alignment; likewise.
    """

    answer: Answer
    share: float = float("nan")
    auc_before: float = float("nan")
    auc: float = float("nan")
    strength: float = float("nan")

    @property
    def moves(self) -> bool:
        """Whether cells are to be moved."""
        return self.answer == "align"


def as_measured(reference: NDArray[np.float64], cells: NDArray[np.float64], *, seed: int) -> Evidence:
    """Ask whether cells that correspond differ as measured: ``nothing``, ``align`` or ``few``.

    Parameters
    ----------
    reference, cells
        Standard units, ``(n_cells, n_markers)``, in an order drawn at random.
    seed
        Of clusters and noise.
    """
    if min(len(reference), len(cells)) < FEW_CELLS:
        return Evidence("few")
    reference, cells = reference[:N_CELLS], cells[:N_CELLS]
    weights = balance(reference, cells, seed=seed + 300, draws=DRAWS)
    auc = weighted_auc(reference, cells, weights, seed=seed)
    fewest = min(effective_number(side) for side in weights)
    # The standard error of an AUC of .5 with n against n cells is (6 n)^-1/2.
    slack = max(ALIKE_AUC, ALIKE_ERRORS * (6 * fewest) ** -0.5)
    share = float(weights.cells.mean())
    alike = (
        share >= LEAST_SHARE / 2
        and auc <= 0.5 + slack
        and not differing(reference, cells, weights, seed=seed).any()
    )
    return Evidence("nothing" if alike else "align", share, auc)


def after_start(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    positions: NDArray[np.float64],
    before: Evidence,
    *,
    strength: float,
    seed: int,
) -> tuple[Evidence, tuple[int, ...]]:
    """Ask whether enough cells correspond after the initial alignment, and in which markers they differed.

    Parameters
    ----------
    reference, cells
        Standard units, ``(n_cells, n_markers)``, in an order drawn at random.
    positions
        Where the initial alignment puts `cells`.
    before
        What `as_measured` said.
    strength
        How much the gains differ from marker to marker, see `Response.strength`.
    seed
        Of clusters and noise.

    Returns
    -------
    Evidence, ``align`` or ``unknown``; and the markers in which cells that correspond do not differ as
    measured, beyond chance: to map them would add noise.
    """
    reference, cells, positions = reference[:N_CELLS], cells[:N_CELLS], positions[:N_CELLS]
    weights = balance(reference, positions, seed=seed + 400, draws=DRAWS)
    auc, share = weighted_auc(reference, positions, weights, seed=seed), float(weights.cells.mean())
    wanted = LEAST_SHARE + SHARE_PER_STRENGTH * max(strength - USUAL_STRENGTH, 0.0)
    known = share >= wanted and (share >= MANY or auc <= MOST_AUC)
    beyond, size = _gaps(reference, cells, positions, weights, seed=seed)
    still = tuple(map(int, np.flatnonzero((beyond < STILL) & (size < STILL_SD))))
    return Evidence("align" if known else "unknown", share, before.auc_before, auc, strength), still


def differing(
    reference: NDArray[np.float64], cells: NDArray[np.float64], weights: Weights, *, seed: int
) -> NDArray[np.bool_]:
    """Tell which markers' means differ within joint clusters, plainly beyond chance, ``(n_markers,)``."""
    beyond, size = _gaps(reference, cells, cells, weights, seed=seed)
    return (beyond > DIFFERS) & (size > DIFFERS_SD)


def _gaps(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    positions: NDArray[np.float64],
    weights: Weights,
    *,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much means differ within joint clusters of the reference and positions, by marker.

    Squared standard errors, 1 by chance, and standard units; both infinite where no cluster has enough cells.
    """
    clusters = joint_clusters(reference, positions, N_CLUSTERS, seed=seed)
    sides = [
        (side, near, share * own[:, None])
        for side, place, own in zip((reference, cells), (reference, positions), weights, strict=True)
        for near, share in (clusters.memberships(place),)
    ]
    gaps, errors, sizes = [], [], []
    for cluster in range(len(clusters)):
        counts = [np.where(near == cluster, count, 0).sum(axis=1) for _, near, count in sides]
        numbers = [effective_number(count) for count in counts]
        if min(numbers) < LEAST_CELLS:
            continue
        means = [
            np.average(side, axis=0, weights=count) for (side, *_), count in zip(sides, counts, strict=True)
        ]
        variances = [
            np.average((side - mean) ** 2, axis=0, weights=count) / number
            for (side, *_), count, mean, number in zip(sides, counts, means, numbers, strict=True)
        ]
        gaps.append(means[1] - means[0])
        errors.append(np.sqrt(sum(variances)))
        sizes.append(min(numbers))
    if not gaps:
        return np.full(reference.shape[1], np.inf), np.full(reference.shape[1], np.inf)
    gap, error = np.array(gaps), np.maximum(errors, 1e-6)
    beyond = np.average((gap / error) ** 2, axis=0, weights=sizes)
    return beyond, np.average(np.abs(gap), axis=0, weights=sizes)
