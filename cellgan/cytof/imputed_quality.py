"""How well markers are imputed, on cells of the source that were held out.

It is what the shared markers can tell at best: in another batch, other differences come on top, which
``cellgan validate`` measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.cytof.conditional import Conditional
from cellgan.cytof.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.impute import Imputed, Imputer

INTERVAL = 0.9  # whose coverage is measured
CRITIC_CELLS = 25  # of either side; with fewer, a critic knows nothing
NOISE = 0.05  # standard deviations


class Quality(NamedTuple):
    """Of imputed markers, on held-out cells of the source; NaN where there is nothing to measure.

    Attributes
    ----------
    r
        Pearson's correlation of expected with measured values, ``(n_markers,)``.
    coverage
        Share of measured values within the 90 % interval, ``(n_markers,)``.
    auc
        How well a critic, boosted trees that see shared and imputed markers of a cell together, tells cells
        with drawn values from cells with measured ones; .5 is a guess.
    sd
        Standard deviation of expected values, ``(n_markers,)``, arcsinh units.
    """

    r: NDArray[np.float64]
    coverage: NDArray[np.float64]
    auc: float
    sd: NDArray[np.float64]

    def spread(self, imputed: Imputed) -> NDArray[np.float64]:
        """Return how much expected values vary against those of the source, ``(n_markers,)``.

        Far below 1 where the cells that a marker tells apart are missing: what r promises is not to be had.
        """
        own = imputed.expected.std(axis=0, dtype=np.float64)
        found: NDArray[np.float64] = np.full_like(own, np.nan)
        np.divide(own, self.sd, out=found, where=self.sd > 0)
        return found

    @classmethod
    def unknown(cls, n_markers: int) -> Quality:
        """Return what is known where nothing was held out."""
        nothing = np.full(n_markers, np.nan)
        return cls(nothing, nothing, float("nan"), nothing)


def measure_quality(imputer: Imputer, *, seed: int) -> Quality:
    """Score an imputer on the cells that its network has not seen.

    How values are spread is learned from one half of these and scored on the other, both ways round. Of the
    half that is scored, one part of the cells is shown to the critic as measured and the other as drawn, so
    that it never meets a value under both names.
    """
    known = imputer.conditional
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(known.measured))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    within, aucs = np.zeros(known.measured.shape), []
    for learn, score in (halves, halves[::-1]):
        half = Conditional(known.expected[learn], known.measured[learn])
        expected, measured = known.expected[score], known.measured[score]
        low, high = half.interval(expected, INTERVAL)
        within[score] = (low <= measured) & (measured <= high)
        shown, fresh = np.array_split(np.arange(len(score)), 2)
        drawn = half.draw(expected[fresh], draws=1, seed=seed)[0]
        sides = [(score[shown], measured[shown]), (score[fresh], drawn)]
        aucs.append(_critic([np.hstack([imputer.held_out[rows], values]) for rows, values in sides], rng))
    columns = zip(known.expected.T, known.measured.T, strict=True)
    r = np.array([_correlation(*pair) for pair in columns])
    sd = known.expected.std(axis=0, dtype=np.float64)
    return Quality(r, within.mean(axis=0), float(np.mean(aucs)), sd)


def _correlation(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    if min(np.ptp(x), np.ptp(y)) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _critic(sides: Sequence[NDArray[np.float32]], rng: np.random.Generator) -> float:
    """Let trees tell drawn from measured cells, ``(n_cells, n_markers)`` each; scored by two folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    if min(map(len, sides)) < CRITIC_CELLS:
        return float("nan")
    x = np.concatenate(sides)
    # Draws are values of some cells over and over, which is no way to tell how cells differ.
    x = x + rng.normal(0, NOISE, x.shape) * x.std(axis=0)
    y = np.repeat([0, 1], [len(side) for side in sides])
    fold = rng.permutation(len(x)) % 2
    guess = np.empty(len(x))
    for number in (0, 1):
        model = HistGradientBoostingClassifier(
            max_iter=30, max_leaf_nodes=8, random_state=0, early_stopping=False
        )
        with one_thread(learner=True):
            model.fit(x[fold != number], y[fold != number])
            guess[fold == number] = model.decision_function(x[fold == number])
    return float(roc_auc_score(y, guess))
