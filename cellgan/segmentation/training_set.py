"""All training cases as slices on one grid, and mini-batches of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from cellgan.core.batches import Batches
from cellgan.core.randomness import numbered
from cellgan.errors import InputError
from cellgan.segmentation.augment import augment
from cellgan.segmentation.cases import read_images, read_pair
from cellgan.segmentation.intensity import local_contrast, normalise
from cellgan.segmentation.slices import gap_of, grid_of
from cellgan.segmentation.whereabouts import Whereabouts, heights_of, placed, whereabouts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cellgan.core.player import Batch
    from cellgan.segmentation.cases import Case, Images
    from cellgan.segmentation.config import SegmentConfig
    from cellgan.segmentation.volumes import Volume

_MARGIN = 20.0  # mm around the masks
_HIGHER = 10.0  # mm that a slice may lie higher or lower than it did, at most


@dataclass(frozen=True)
class TrainingSet:
    """Slices of all cases.

    Attributes
    ----------
    images
        Two views of each channel, ``(n_slices, 2 * n_channels, size, size)``: see `image_slices`.
    masks
        Labels, ``(n_slices, size, size)``, uint8.
    beside
        The numbers of each slice's neighbours and its own, ``(n_slices, 2 * neighbours + 1)``.
    weights
        Chance of each slice: all cases are drawn equally often, and half of the draws hold some label.
    n_labels
        Labels with the background.
    pixel
        Pixels' distance in mm.
    counts
        Channels of each of a case's files.
    lengths
        How many slices each case has.
    gaps
        Their distance in each, in mm.
    warnings
        What is odd about the files.
    """

    images: Tensor
    masks: Tensor
    beside: Tensor
    weights: Tensor
    n_labels: int
    pixel: float
    counts: tuple[int, ...]
    lengths: tuple[int, ...]
    gaps: tuple[float, ...]
    warnings: tuple[str, ...] = ()

    @property
    def heights(self) -> Tensor:
        """How far each slice lies above its volume's middle, in mm, ``(n_slices,)``."""
        return torch.cat([heights_of(n, gap) for n, gap in zip(self.lengths, self.gaps, strict=True)])

    def by_case(self) -> list[NDArray[np.uint8]]:
        """Return the masks of each case, ``(n_slices, size, size)``."""
        return [masks.numpy() for masks in torch.split(self.masks, list(self.lengths))]

    def on(self, device: torch.device) -> TrainingSet:
        """Return the same slices with their images on a device; masks stay where they are."""
        return replace(self, images=self.images.to(device))

    def labelled(self, masks: Sequence[NDArray[np.uint8]]) -> TrainingSet:
        """Return the same slices with other masks, ``(n_slices, size, size)`` of each case."""
        chances = torch.cat([_chances(each) for each in masks])
        return replace(self, masks=torch.from_numpy(np.concatenate(masks)), weights=chances)

    def shares(self) -> list[float]:
        """Return the share of each label among the pixels that are drawn."""
        chances = (self.weights / self.weights.sum()).tolist()
        counts = [torch.bincount(mask.flatten().long(), minlength=self.n_labels) for mask in self.masks]
        drawn = sum(chance * count / count.sum() for chance, count in zip(chances, counts, strict=True))
        return [float(share) for share in drawn]

    def whereabouts(self) -> tuple[Whereabouts, ...]:
        """Return where each label but the background lies."""
        return whereabouts_of(self.by_case(), n_labels=self.n_labels, pixel=self.pixel, gaps=self.gaps)


def read_training_set(cases: Sequence[Case], config: SegmentConfig) -> TrainingSet:
    """Read all cases onto the training grid.

    Raises
    ------
    InputError
        A file cannot be used, a mask is empty, labels are not 0 to k, or cases differ in their channels.
    """
    if not cases:
        msg = "there are no cases to train on; expected at least one"
        raise InputError(msg)
    widest, gaps = 0.0, []
    warnings: list[str] = []
    found: set[int] = set()
    like = read_images(cases[0].images)
    for case in cases:
        images, mask = read_pair(case)
        _check_counts(images, like)
        labels = {int(label) for label in np.unique(mask.data)} - {0}
        if not labels:
            msg = f"{case.mask} is empty; expected a mask with some label in each case. Leave the case out"
            raise InputError(msg)
        found |= labels
        widest = max(widest, _reach(images.first, mask.data > 0))
        gaps.append(gap_of(images.first))
        warnings += images.warnings
    n_labels = max(found) + 1
    if missing := set(range(1, n_labels)) - found:
        msg = (
            f"the masks hold the labels {', '.join(map(str, sorted(found)))} but none {min(missing)}; "
            f"expected 1 to {n_labels - 1}. Number them without gaps"
        )
        raise InputError(msg)
    pixel = config.pixel or math.ceil(20 * 2 * (widest + _MARGIN) / config.size) / 20
    parts = [_slices(case, config.size, pixel, n_labels) for case in cases]
    data = one_set(
        parts, neighbours=config.neighbours, n_labels=n_labels, pixel=pixel, counts=like.counts, gaps=gaps
    )
    return replace(data, warnings=tuple(warnings))


def one_set(
    parts: Sequence[tuple[NDArray[np.float32], NDArray[np.uint8]]],
    *,
    neighbours: int,
    n_labels: int,
    pixel: float,
    counts: tuple[int, ...],
    gaps: Sequence[float],
) -> TrainingSet:
    """Return the slices of all cases as one set.

    Parameters
    ----------
    parts
        Of each case its images and its masks, as in `TrainingSet`.
    neighbours
        Slices on either side that belong to each.
    n_labels, pixel, counts, gaps
        As in `TrainingSet`.
    """
    lengths = tuple(len(images) for images, _ in parts)
    starts = np.cumsum([0, *lengths])
    return TrainingSet(
        torch.from_numpy(np.concatenate([images for images, _ in parts])),
        torch.from_numpy(np.concatenate([masks for _, masks in parts])),
        torch.cat([beside(n, neighbours) + int(starts[k]) for k, n in enumerate(lengths)]),
        torch.cat([_chances(masks) for _, masks in parts]),
        n_labels,
        pixel,
        counts,
        lengths,
        tuple(gaps),
    )


class AugmentedSlices:
    """Endless mini-batches of slices with their neighbours; batch i is a function of the seed and i alone.

    Parameters
    ----------
    data
        The slices.
    size
        Slices a mini-batch.
    seed
        Of the rows and of the augmentation.
    augmented
        Whether slices are changed; otherwise they are as they were read.
    device
        Where the slices are held, and changed. What is drawn is the same on each.
    """

    def __init__(
        self,
        data: TrainingSet,
        *,
        size: int,
        seed: int,
        augmented: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        self._data = replace(
            data,
            images=data.images.to(device),
            masks=data.masks.to(device),
            beside=data.beside.to(device),
        )
        self._heights = data.heights
        self._seed = seed
        self._augmented = augmented
        rows = {"slice": torch.arange(len(data.images))}
        self._rows = Batches(rows, size=size, seed=seed, weights={"slice": data.weights}, device=device)

    def __getitem__(self, index: int) -> Batch:
        """Return mini-batch number `index`: images for the network, masks ``(n, h, w)``."""
        rows = self._rows[index]["slice"]
        image = stacked(self._data.images, self._data.beside[rows])
        mask = self._data.masks[rows].long()
        heights = self._heights[rows.cpu()]
        if self._augmented:
            generator = numbered(self._seed, "augment", index)
            image, mask = augment(image, mask, generator)
            heights = heights + (2 * torch.rand(len(heights), generator=generator) - 1) * _HIGHER
        return {"image": placed(image, heights, pixel=self._data.pixel), "mask": mask}


def image_slices(images: Images, *, size: int, pixel: float) -> NDArray[np.float32]:
    """Return two views of each channel of a case on the training grid.

    Returns
    -------
    ``(n_slices, 2 * n_channels, size, size)``: each channel normalised by volume, and its local contrast.

    Raises
    ------
    InputError
        A channel holds nothing but one value; names its file.
    """
    grid = grid_of(images.first, size=size, pixel=pixel)
    both = zip(images.channels, images.files, strict=True)
    views = []
    for data, file in both:
        slices = grid.slices(data)
        views += [normalise(slices, path=file), local_contrast(slices, pixel=pixel)]
    return np.stack(views, 1)


def beside(n_slices: int, neighbours: int) -> Tensor:
    """Return the numbers of the slices beside each, ``(n_slices, 2 * neighbours + 1)``; ends are repeated."""
    steps = torch.arange(-neighbours, neighbours + 1)
    return (torch.arange(n_slices)[:, None] + steps[None, :]).clamp(0, n_slices - 1)


def stacked(images: Tensor, rows: Tensor) -> Tensor:
    """Return slices with their neighbours as channels, ``(n, neighbours * n_channels, h, w)``."""
    return images[rows].flatten(1, 2)


def _slices(
    case: Case, size: int, pixel: float, n_labels: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    images, mask = read_pair(case)
    labels = grid_of(images.first, size=size, pixel=pixel).labels(mask.data, n_labels)
    return image_slices(images, size=size, pixel=pixel), labels


def _check_counts(images: Images, like: Images) -> None:
    """See that a case has as many channels in each of its files as the first case."""
    if images.counts != like.counts:
        a, b = (", ".join(map(str, one.counts)) for one in (images, like))
        msg = (
            f"{images.first.path}: a case whose files hold {a} channels; those of the first case, "
            f"{like.first.path}, hold {b}. Expected as many in each"
        )
        raise InputError(msg)


def _chances(masks: NDArray[np.uint8]) -> Tensor:
    """Return the chance of each slice of a case; they add up to 1."""
    filled = torch.from_numpy(masks.any((1, 2)))
    if bool(filled.all()) or not bool(filled.any()):
        return torch.full((len(filled),), 1 / len(filled))
    return torch.where(filled, 0.5 / filled.sum(), 0.5 / (~filled).sum())


def _reach(first: Volume, mask: NDArray[np.bool_]) -> float:
    """Return how far a mask reaches from the volume's middle along either axis of its slices, in mm."""
    grid = grid_of(first, size=2, pixel=1.0)
    from_middle = np.linalg.inv(grid.pixel_affine()) @ first.affine
    places = np.argwhere(mask) @ from_middle[:3, :3].T + from_middle[:3, 3]
    return float(np.abs(places[:, :2] - 0.5).max())
