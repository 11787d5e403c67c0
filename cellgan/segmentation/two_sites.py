"""Mini-batches of two sites: slices with masks of one, slices of which nobody drew masks of the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cellgan.segmentation.prediction import read_fitting
from cellgan.segmentation.slices import gap_of
from cellgan.segmentation.training_set import AugmentedSlices, TrainingSet, image_slices, one_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.core.player import Batch
    from cellgan.segmentation.cases import ImageCase
    from cellgan.segmentation.model import SegmentationModel

N_LOOKED = 64  # source slices at which a candidate is looked at


class TwoSites:
    """Endless mini-batches of both sites, changed as in a training, on the device of each one's images.

    Parameters
    ----------
    source
        Slices with masks.
    target
        Slices of the new site; its masks count only once they were given by `relabel`.
    size
        Slices of each in a mini-batch.
    seed
        Of the rows and of the augmentation.
    """

    def __init__(self, source: TrainingSet, target: TrainingSet, *, size: int, seed: int) -> None:
        self._source = AugmentedSlices(source, size=size, seed=seed, device=source.images.device)
        self._unlabelled, self._size, self._seed = target, size, seed + 1
        self.relabel(target.by_case())

    def relabel(self, masks: Sequence[NDArray[np.uint8]]) -> None:
        """Take these masks of the target's cases, ``(n_slices, size, size)`` each, from now on.

        Half of the slices that are drawn hold some label, as with the source.
        """
        target = self._unlabelled.labelled(masks)
        self._target = AugmentedSlices(target, size=self._size, seed=self._seed, device=target.images.device)

    def __getitem__(self, index: int) -> Batch:
        """Return mini-batch number `index`."""
        source, target = self._source[index], self._target[index]
        return {
            "source": source["image"],
            "label": source["mask"],
            "target": target["image"],
            "pseudo_label": target["mask"],
        }


def read_targets(model: SegmentationModel, targets: Sequence[ImageCase]) -> TrainingSet:
    """Read the images of cases onto the model's grid, with empty masks.

    Raises
    ------
    InputError
        An image cannot be used, or a case has other channels than the model takes.
    """
    parts, gaps = [], []
    warnings: list[str] = []
    for case in targets:
        images = read_fitting(model, case.images)
        slices = image_slices(images, size=model.config.size, pixel=model.pixel)
        parts.append((slices, np.zeros((len(slices), *slices.shape[2:]), np.uint8)))
        gaps.append(gap_of(images.first))
        warnings += images.warnings
    data = one_set(
        parts,
        neighbours=model.config.neighbours,
        n_labels=model.n_labels,
        pixel=model.pixel,
        counts=model.counts,
        gaps=gaps,
    )
    return replace(data, warnings=tuple(warnings))


def unchanged(data: TrainingSet, *, seed: int) -> list[Batch]:
    """Return slices as they were read, half of them with some label, in mini-batches of 16."""
    batches = AugmentedSlices(data, size=16, seed=seed, augmented=False, device=data.images.device)
    return [batches[index] for index in range(N_LOOKED // 16)]
