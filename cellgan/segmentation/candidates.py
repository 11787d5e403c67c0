"""Candidates of a segmenter for a site where nobody drew masks, and what can be known of them.

*Doubt* is the entropy of a case's probabilities per voxel of the organ that they hold. A segmenter that
learns from its own masks doubts less in any case, so doubt cannot tell whether to begin; but how much the
source's segmenter doubts at the new site, against what it does at home, tells where it is lost.

*Size* is the geometric mean of the organ's volumes over that of experts' masks at home. People's organs are
much alike: where masks hold less than three quarters of it, or more than four thirds, too little or too much
was found. From then on the masks to learn from are given the size at home, with the organ where it was at
home: odds are multiplied by a constant and by the square root of `Whereabouts.likely`. Labels that are not
one piece in training, lesions perhaps, have no size that can be expected, and are left as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from cellgan.adaptation.criterion import Look, entropy
from cellgan.segmentation.game import missed_overlap
from cellgan.segmentation.prediction import probabilities, tidied
from cellgan.segmentation.two_sites import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cellgan.core.player import Batch
    from cellgan.segmentation.model import SegmentationModel
    from cellgan.segmentation.training_set import TrainingSet

Masks = list["NDArray[np.uint8]"]
MOST_UNLIKE = 4 / 3
_MOST_LOG_FACTOR, _HALVINGS = 8.0, 6


class Looker:
    """Looks at candidates, and hands their masks of the new site on.

    Parameters
    ----------
    model
        The source's segmenter.
    source
        Slices with masks.
    target
        Slices of the new site.
    relabel
        Called with the masks that a candidate gives the target's cases, ``(n_slices, size, size)`` each.
    seed
        Of the source slices that are looked at.
    """

    def __init__(
        self,
        model: SegmentationModel,
        source: TrainingSet,
        target: TrainingSet,
        *,
        relabel: Callable[[Masks], None],
        seed: int,
    ) -> None:
        self._model, self._target, self._relabel = model, target, relabel
        self._home = unchanged(source, seed=seed)
        self._usual_size = organ_size(source.by_case(), source.gaps)
        self._organs = all(place.one_piece for place in model.whereabouts)
        self._odd = False

    def is_odd(self, size: float) -> bool:
        """Tell whether an organ of so many times the usual size is hardly possible."""
        return self._organs and not 1 / MOST_UNLIKE <= size <= MOST_UNLIKE

    def __call__(self, number: int, candidate: nn.Module) -> Look:
        """Return what is known of a candidate body; its balance is the size of what it finds."""
        network, data = self._model.network.with_body(candidate), self._target
        maps = maps_of(replace(self._model, network=network), data)
        masks = masks_of(self._model, maps, data.gaps)
        size = organ_size(masks, data.gaps) / self._usual_size
        self._odd |= self.is_odd(size)
        if self._odd:
            masks = masks_of_size(self._model, maps, data.gaps, self._usual_size)
        self._relabel(masks)
        doubt = mean_doubt(maps)
        return Look(number, 1 / (1 + doubt), doubt, size, kept_at_home(network, self._home))


def mean_doubt(maps: Sequence[NDArray[np.float32]]) -> float:
    """Return how much a segmenter doubts, over cases."""
    return float(np.mean([doubt_of(each) for each in maps]))


def maps_of(model: SegmentationModel, data: TrainingSet) -> list[NDArray[np.float32]]:
    """Return the labels' probabilities in each case, ``(n_labels, n_slices, size, size)``."""
    parts = torch.split(data.images, list(data.lengths))
    return [probabilities(model, slices, gap=gap) for slices, gap in zip(parts, data.gaps, strict=True)]


def masks_of(model: SegmentationModel, maps: Sequence[NDArray[np.float32]], gaps: Sequence[float]) -> Masks:
    """Return the tidied masks of all cases, ``(n_slices, size, size)`` each."""
    return [
        tidied(each, model, gap=gap).argmax(0).astype(np.uint8) for each, gap in zip(maps, gaps, strict=True)
    ]


def masks_of_size(
    model: SegmentationModel, maps: Sequence[NDArray[np.float32]], gaps: Sequence[float], size: float
) -> Masks:
    """Return masks whose `organ_size` is about this, with labels where they were at home."""
    likely = [
        np.stack(
            [
                place.likely(each.shape[1], size=each.shape[2], pixel=model.pixel, gap=gap)
                for place in model.whereabouts
            ]
        )
        for each, gap in zip(maps, gaps, strict=True)
    ]

    def masks_at(log_factor: float) -> Masks:
        changed = []
        for each, places in zip(maps, likely, strict=True):
            odds = each.astype(np.float64)
            odds[1:] *= np.sqrt(places) * np.exp(log_factor)
            changed.append((odds / odds.sum(0)).astype(np.float32))
        return masks_of(model, changed, gaps)

    low, high = -_MOST_LOG_FACTOR, _MOST_LOG_FACTOR
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        masks = masks_at(middle)
        low, high = (middle, high) if organ_size(masks, gaps) < size else (low, middle)
    return masks


def organ_size(masks: Sequence[NDArray[np.uint8]], gaps: Sequence[float]) -> float:
    """Return the geometric mean of what masks hold, in pixels times mm; an empty one counts as one pixel."""
    sizes = [max(1, int((mask > 0).sum())) * gap for mask, gap in zip(masks, gaps, strict=True)]
    return float(np.exp(np.log(sizes).mean()))


def doubt_of(maps: NDArray[np.float32]) -> float:
    """Return the entropy of a case's probabilities per voxel of the organ that they hold."""
    p = torch.from_numpy(maps).flatten(1).T
    return float(entropy(p).sum() / (1 - p[:, 0]).sum().clamp(min=1.0))


@torch.no_grad()
def kept_at_home(network: nn.Module, home: Sequence[Batch]) -> float:
    """Return the mean soft Dice of mini-batches with masks, 0 to 1."""
    losses = [missed_overlap(network(batch["image"]), batch["mask"]) for batch in home]
    return 1 - float(torch.stack(losses).mean())
