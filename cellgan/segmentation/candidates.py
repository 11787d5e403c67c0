"""Candidates of a segmenter for a site where nobody drew masks, and what can be known of them.

*Doubt* is the entropy of a case's probabilities per voxel of the organ that they hold. A segmenter that
learns from its own masks doubts less in any case, so doubt cannot tell whether to begin; but how much the
source's segmenter doubts at the new site, against what it does at home, tells where it is lost.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from cellgan.adaptation.criterion import Look, entropy
from cellgan.core.losses import soft_dice
from cellgan.core.nets import UNet
from cellgan.errors import ModelError
from cellgan.segmentation.game import expert
from cellgan.segmentation.prediction import probabilities, tidied
from cellgan.segmentation.two_sites import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from cellgan.core.player import Batch
    from cellgan.segmentation.model import SegmentationModel
    from cellgan.segmentation.training_set import TrainingSet

Masks = list["NDArray[np.uint8]"]


class Looker:
    """Looks at candidates, and hands their masks of the new site on.

    Parameters
    ----------
    model
        The source's segmenter.
    head
        Its last layer, which all candidates share.
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
        head: nn.Module,
        source: TrainingSet,
        target: TrainingSet,
        *,
        relabel: Callable[[Masks], None],
        seed: int,
    ) -> None:
        self._model, self._head, self._target, self._relabel = model, head, target, relabel
        self._home = unchanged(source, seed=seed)
        self._usual_size = organ_size(source.by_case(), source.gaps)

    def __call__(self, number: int, candidate: nn.Module) -> Look:
        """Return what is known of a candidate; its balance is the organ's size over that at home."""
        network = put_together(candidate, self._head)
        masks, doubt = segmented(replace(self._model, network=network), self._target)
        self._relabel(masks)
        size = organ_size(masks, self._target.gaps) / self._usual_size
        return Look(number, 1 / (1 + doubt), doubt, size, kept_at_home(network, self._home))


def segmented(model: SegmentationModel, data: TrainingSet) -> tuple[Masks, float]:
    """Return the tidied masks of all cases on the training grid, and the mean doubt."""
    masks, doubts = [], []
    for slices, gap in zip(torch.split(data.images, list(data.lengths)), data.gaps, strict=True):
        maps = probabilities(model, slices, gap=gap)
        doubts.append(doubt_of(maps))
        masks.append(tidied(maps, model, gap=gap).argmax(0).astype(np.uint8))
    return masks, float(np.mean(doubts))


def taken_apart(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Return a copy of a U-Net without its last layer, and a copy of that layer.

    Raises
    ------
    ModelError
        It is no U-Net.
    """
    if not isinstance(network, UNet):
        msg = f"the network is {type(network).__name__}; expected a UNet, as cellgan segment train writes"
        raise ModelError(msg)
    body, head = deepcopy(network), deepcopy(network.last)
    body.last = nn.Identity()  # type: ignore[assignment]
    return body, head


def put_together(body: nn.Module, head: nn.Module) -> nn.Module:
    """Undo `taken_apart`, in a copy."""
    whole = deepcopy(body)
    whole.last = deepcopy(head)
    return whole.eval()


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
    losses: list[Tensor] = []
    for batch in home:
        p = network(batch["image"]).softmax(1)
        losses.append(soft_dice(p, expert(batch["mask"], p.shape[1])))
    return 1 - float(torch.stack(losses).mean())
