"""A classifier of cells, learned at one centre: linear, unless a perceptron does clearly better there.

Between centres the linear one carries better (docs/adapt_measured.md): it has less to learn of the one
cytometer. Some types no plane can part, and there the perceptron makes clearly fewer mistakes on cells that
it has not seen. Both are tried in three-fold cross-validation on the centre's own cells; the perceptron is
taken if a sign test of the cells that only one of them gets wrong speaks for it at 5 % (McNemar 1947).

The linear one is Fisher's discriminant analysis, with covariances shrunk as far as the cells ask for (Ledoit
and Wolf 2004), written as two layers: the first leaves the markers as they are, which an adaptation changes.

References
----------
McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages.
Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cellgan.adaptation.adaptation import probabilities
from cellgan.adaptation.classifier import Fit, fit_classifier
from cellgan.core.nets import mlp
from cellgan.core.randomness import seeded
from cellgan.cytof.threads import one_thread

Kind = Literal["linear", "perceptron"]
Fitter = Callable[[Tensor, Tensor], tuple[nn.Module, nn.Module]]
HIDDEN, N_FEATURES = 64, 64
FIT = Fit(rounds=600, size=128, lr=3e-3)
N_FOLDS = 3
LEAST = 10  # cells of a type, to know it from
_QUANTILE = 1.645  # of a normal distribution: 95 %


class Classifier(NamedTuple):
    """An encoder and a head, as `cellgan.adaptation.adapt` takes them.

    Attributes
    ----------
    encoder
        From cells ``(n, n_markers)`` to features.
    head
        From features to raw scores of the types.
    kind
        Which of the two it is.
    mistakes
        How many cells each of the two got wrong in cross-validation.
    found
        Share of each type's cells that the chosen one found there.
    """

    encoder: nn.Module
    head: nn.Module
    kind: Kind
    mistakes: dict[Kind, int]
    found: tuple[float, ...]


def learn_types(cells: Tensor, types: Tensor, *, seed: int) -> Classifier:
    """Learn a classifier.

    Parameters
    ----------
    cells
        ``(n, n_markers)``, standardised.
    types
        Of each cell, 0 to K - 1, ``(n,)``; at least three cells of each.
    seed
        Of the folds, the first weights and the mini-batches.
    """
    from sklearn.model_selection import StratifiedKFold

    fits: dict[Kind, Fitter] = {"linear": linear, "perceptron": partial(perceptron, seed=seed)}
    wrong = {kind: torch.zeros(len(types), dtype=torch.bool) for kind in fits}
    for rest, part in StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(cells, types):
        for kind, fit in fits.items():
            found = probabilities(*fit(cells[rest], types[rest]), cells[part]).argmax(1)
            wrong[kind][part] = found != types[part]
    mistakes = {kind: int(each.sum()) for kind, each in wrong.items()}
    alone = int((wrong["linear"] != wrong["perceptron"]).sum())
    fewer = mistakes["linear"] - mistakes["perceptron"]
    chosen: Kind = "perceptron" if fewer > _QUANTILE * math.sqrt(alone) else "linear"
    shares = tuple(
        1 - float(wrong[chosen][types == each].float().mean()) for each in range(int(types.max()) + 1)
    )
    return Classifier(*fits[chosen](cells, types), chosen, mistakes, shares)


def fit_again(own: Tensor, target: Tensor, source: Tensor, types: Tensor) -> tuple[nn.Module, nn.Module]:
    """Fit the linear classifier to the target's own cells, with the types that they are given.

    It moves its means and its covariance to where the target's cells are, and its prior shares to theirs; so
    types that overlap are told apart in favour of the more frequent one. A classifier that can bend to any
    labels would learn nothing from its own.

    Parameters
    ----------
    own
        Types that the target's cells were given, ``(m,)``.
    target
        These cells, ``(m, n_markers)``.
    source, types
        Cells of known type, ``(n, n_markers)`` and ``(n,)``: those of a type of which the target seems to
        hold fewer than `LEAST` stand in for it.
    """
    found = torch.bincount(own, minlength=int(types.max()) + 1)
    lent = torch.isin(types, torch.nonzero(found < LEAST)[:, 0])
    cells, labels = torch.cat([target, source[lent]]), torch.cat([own, types[lent]])
    shares = found.clamp(min=1).double()
    return linear(cells, labels, shares=shares / shares.sum())


def linear(cells: Tensor, types: Tensor, *, shares: Tensor | None = None) -> tuple[nn.Module, nn.Module]:
    """Fit a linear discriminant analysis; shares of the types are those of the cells unless given.

    See `learn_types`.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    method = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=None if shares is None else shares.numpy()
    )
    with one_thread(learner=True):
        found = method.fit(cells.numpy(), types.numpy())
    slopes, offsets = found.coef_, found.intercept_
    if len(slopes) == 1:  # of two types it gives the second's score alone
        slopes, offsets = (np.concatenate([np.zeros_like(values), values]) for values in (slopes, offsets))
    n_types, n_markers = slopes.shape
    encoder, head = nn.Linear(n_markers, n_markers), nn.Linear(n_markers, n_types)
    with torch.no_grad():
        nn.init.eye_(encoder.weight)
        nn.init.zeros_(encoder.bias)
        head.weight.copy_(torch.from_numpy(slopes))
        head.bias.copy_(torch.from_numpy(offsets))
    return encoder, head


def perceptron(cells: Tensor, types: Tensor, *, seed: int) -> tuple[nn.Module, nn.Module]:
    """Train a perceptron with two hidden layers. See `learn_types`."""
    n_types = int(types.max()) + 1
    with seeded(seed), torch.enable_grad():
        encoder = nn.Sequential(mlp(cells.shape[1], N_FEATURES, hidden=(HIDDEN,), slope=0.0), nn.ReLU())
        head = nn.Linear(N_FEATURES, n_types)
    fit_classifier(encoder, head, cells, types, fit=replace(FIT, seed=seed))
    return encoder, head
