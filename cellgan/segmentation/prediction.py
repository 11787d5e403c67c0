"""From volumes to masks on the volumes' own voxels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from cellgan.errors import InputError
from cellgan.segmentation.cases import read_images
from cellgan.segmentation.familiarity import Familiarity, Sight
from cellgan.segmentation.sidecar import write_sidecar
from cellgan.segmentation.slices import gap_of, grid_of
from cellgan.segmentation.training_set import beside, image_slices, stacked
from cellgan.segmentation.volumes import Volume, stem, write_like
from cellgan.segmentation.whereabouts import heights_of, one_piece, placed, smoothed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.segmentation.cases import Images
    from cellgan.segmentation.config import Pieces
    from cellgan.segmentation.model import SegmentationModel

_CHUNK = 16  # slices at a time


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The labels of one volume and how probable they are.

    Attributes
    ----------
    volume
        The (first) image.
    probabilities
        Of each label, ``(n_labels, x, y, z)``, adding up to 1; outside of the training grid the background is
        certain.
    model
        What made it.
    images
        The files that were segmented.
    familiarity
        Whether the case is like those of the training; None where the model remembers none.
    pieces
        Which were kept.
    warnings
        What is odd about the files.
    """

    volume: Volume
    probabilities: NDArray[np.float32]
    model: SegmentationModel
    images: tuple[Path, ...]
    familiarity: Familiarity | None
    pieces: Pieces
    warnings: tuple[str, ...] = ()

    @property
    def mask(self) -> NDArray[np.uint8]:
        """The most probable label of each voxel, ``(x, y, z)``."""
        found: NDArray[np.uint8] = self.probabilities.argmax(0).astype(np.uint8)
        return found

    @property
    def foreground(self) -> NDArray[np.float32]:
        """The probability of any label but the background, ``(x, y, z)``."""
        found: NDArray[np.float32] = 1 - self.probabilities[0]
        return found

    @property
    def uncertainty(self) -> NDArray[np.float32]:
        """The entropy of the labels, from 0 (certain) to 1 (all are alike), ``(x, y, z)``."""
        p = np.clip(self.probabilities, 1e-7, 1)
        found: NDArray[np.float32] = (-(p * np.log(p)).sum(0) / np.log(len(p))).astype(np.float32)
        return np.clip(found, 0, 1)

    def write(self, folder: Path, *, uncertainty: bool = False) -> list[Path]:
        """Write ``X_mask.nii.gz``, with the image's own shape, affines and units, and ``X_mask.json``.

        Parameters
        ----------
        folder
            Must exist.
        uncertainty
            Write ``X_probability.nii.gz`` and ``X_uncertainty.nii.gz`` as well.

        Returns
        -------
        The files.

        Raises
        ------
        OutputError
            A file cannot be written.
        """
        maps: dict[str, NDArray[np.float32] | NDArray[np.uint8]] = {"mask": self.mask}
        if uncertainty:
            maps |= {"probability": self.foreground, "uncertainty": self.uncertainty}
        files = [folder / name for name in outputs(self.volume.path, uncertainty=uncertainty)]
        for file, values in zip(files, maps.values(), strict=True):
            write_like(self.volume, values, file)
        note = write_sidecar(files[0], self.model, self.familiarity, images=self.images, pieces=self.pieces)
        return [*files, note]


def predict(
    model: SegmentationModel, images: Path | str | Sequence[Path], *, pieces: Pieces = "as-trained"
) -> Segmentation:
    """Segment one case.

    Parameters
    ----------
    model
        The segmenter.
    images
        The volume; or as many files as a case had in training, in the same order.
    pieces
        Keep one piece of each label that was one piece in all training masks, or all.

    Returns
    -------
    The segmentation, on the first volume's voxels. Slices are seen twice, the second time mirrored between
    left and right, and the probabilities averaged.

    Raises
    ------
    InputError
        A volume cannot be used, or they are too few or many.
    """
    files = (Path(images),) if isinstance(images, str | Path) else tuple(images)
    if len(files) != len(model.counts):
        msg = f"the model takes {len(model.counts)} images a case; got {len(files)}"
        raise InputError(msg)
    read = read_fitting(model, files)
    first, size = read.first, model.config.size
    grid = grid_of(first, size=size, pixel=model.pixel)
    slices = image_slices(read, size=size, pixel=model.pixel)
    gap = gap_of(first)
    with Sight(model.network) as sight:
        maps = probabilities(model, torch.from_numpy(slices), gap=gap)
    maps = tidied(maps, model, gap=gap, pieces=pieces)
    judged = None
    if model.known is not None:
        labels = maps.argmax(0).astype(np.uint8)
        judged = model.known.judge(sight.figures(), labels, area=model.pixel**2, gap=gap)
    found = np.stack([grid.volume(each, outside=float(k == 0)) for k, each in enumerate(maps)])
    found = np.clip(found, 0, 1)
    return Segmentation(first, found / found.sum(0), model, files, judged, pieces, read.warnings)


def tidied(
    maps: NDArray[np.float32], model: SegmentationModel, *, gap: float, pieces: Pieces = "as-trained"
) -> NDArray[np.float32]:
    """Return maps ``(n_labels, n_slices, size, size)`` after what is known of organs: see `whereabouts`.

    Parameters
    ----------
    maps
        What `probabilities` gave.
    model
        It knows where labels lie, and which are one piece.
    gap
        Distance of the slices in mm.
    pieces
        As in `predict`.
    """
    places, whole = model.whereabouts, pieces == "as-trained"
    if whole:  # what is not the organ is taken away first, or the two would grow together
        maps = one_piece(maps, places, pixel=model.pixel, gap=gap)
    maps = smoothed(maps, places, gap=gap)
    return one_piece(maps, places, pixel=model.pixel, gap=gap) if whole else maps


def read_fitting(model: SegmentationModel, files: tuple[Path, ...]) -> Images:
    """Read the channels of a case that a model shall see.

    Raises
    ------
    InputError
        A file cannot be used, or they do not hold the channels of the training.
    """
    images = read_images(files)
    if images.counts != model.counts:
        a, b = (", ".join(map(str, counts)) for counts in (images.counts, model.counts))
        msg = f"{files[0]}: files with {a} channels; expected {b}, as in the training of the model"
        raise InputError(msg)
    return images


@torch.no_grad()
def probabilities(model: SegmentationModel, slices: torch.Tensor, *, gap: float) -> NDArray[np.float32]:
    """Return the labels' probabilities on the training grid, ``(n_labels, n_slices, size, size)``.

    Parameters
    ----------
    model
        The segmenter.
    slices
        Two views of each channel, ``(n_slices, 2 * n_channels, size, size)``.
    gap
        Their distance in mm.
    """
    rows = beside(len(slices), model.config.neighbours)
    heights = heights_of(len(slices), gap)
    parts = []
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        image = placed(stacked(slices, rows[part]), heights[part], pixel=model.pixel).to(model.device)
        straight, mirrored = model.network(image).softmax(1), model.network(image.flip(2)).softmax(1).flip(2)
        parts.append(((straight + mirrored) / 2).cpu())
    found: NDArray[np.float32] = torch.cat(parts).movedim(1, 0).numpy()
    return found


def outputs(image: Path, *, uncertainty: bool) -> list[str]:
    """Return the names of the volumes that are written for an image."""
    kinds = ["mask", *(["probability", "uncertainty"] if uncertainty else [])]
    return [f"{stem(image)}_{kind}.nii.gz" for kind in kinds]
