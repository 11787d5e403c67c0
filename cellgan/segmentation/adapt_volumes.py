"""Carry a segmenter to a new site's volumes, of which nobody drew masks.

The U-Net but for its last layer is the encoder, the last layer the head, and a discriminator of
neighbourhoods sees the raw scores of a slice (`cellgan.adaptation`). Source slices with masks stay in the
game: their cross-entropy keeps the encoder from moving freely (the anchor), and their Dice tells what it
lost.

Which encoder is kept is told without target masks. *Doubt* is the entropy of a case's probabilities per voxel
of the organ that they hold: on a site where the segmenter is lost it is three times what it is at home.
A candidate is kept if it doubts least among those that keep the source's Dice within the tolerance.

Departures from Tzeng et al. (2017): all of `cellgan.adaptation.adda`, with the anchor switched on; and a
discriminator that scores neighbourhoods (Tsai et al. 2018, Learning to adapt structured output space for
semantic segmentation).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from cellgan.adaptation.adaptation import play_adaptation
from cellgan.adaptation.adda import Adda
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.criterion import Look, entropy
from cellgan.core.checkpoint import digest_of
from cellgan.core.losses import soft_dice
from cellgan.core.nets import UNet, patch_discriminator
from cellgan.core.randomness import seeded
from cellgan.core.watch import Told
from cellgan.errors import InputError, ModelError
from cellgan.segmentation.game import expert
from cellgan.segmentation.prediction import probabilities, read_fitting
from cellgan.segmentation.slices import gap_of
from cellgan.segmentation.training_set import (
    AugmentedSlices,
    TrainingSet,
    image_slices,
    one_set,
    read_training_set,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cellgan.adaptation.adaptation import Adaptation, Progress
    from cellgan.adaptation.choice import Keep
    from cellgan.core.player import Batch
    from cellgan.segmentation.cases import Case, ImageCase
    from cellgan.segmentation.model import SegmentationModel

N_LOOKED = 64  # source slices with some label, at which a candidate is looked at


@dataclass(frozen=True, eq=False)
class AdaptedVolumes:
    """The model to use at the target, and how it was chosen.

    Attributes
    ----------
    model
        What `cellgan.segmentation.predict` takes; the source model itself if no candidate looked better.
    report
        JSON.
    """

    model: SegmentationModel
    report: dict[str, Any]


def default_game(seed: int = 0) -> AdaptConfig:
    """Return the settings of the game that suit volumes."""
    return AdaptConfig(
        rounds=120,
        size=8,
        encoder_lr=1e-4,
        discriminator_lr=5e-4,
        averaging=0.95,
        anchor_weight=1.0,
        checkpoints=4,
        tolerance=0.02,
        seed=seed,
    )


def adapt_volumes(
    model: SegmentationModel,
    targets: Sequence[ImageCase],
    source: Sequence[Case],
    config: AdaptConfig | None = None,
    *,
    keep: Keep | None = None,
    progress: Progress | None = None,
) -> AdaptedVolumes:
    """Adapt a segmenter.

    Parameters
    ----------
    model
        From `cellgan.segmentation.train`. It is left alone.
    targets
        Cases of the new site: images alone.
    source
        The cases of its training, or others of that site, with masks.
    config
        Settings of the game; None takes `default_game`.
    keep
        Where the match is kept while it is played, so that it can be resumed.
    progress
        Called with a stage and the part of it that is done.

    Raises
    ------
    InputError
        A case cannot be used, does not fit the model, or is on both sides.
    ModelError
        The match that is to be resumed is another one.
    """
    config, say = config or default_game(), progress or (lambda _stage, _done: None)
    say("reading the cases", 0.0)
    _check(targets, source)
    ours = read_training_set(source, replace(model.config, pixel=model.pixel))
    if ours.n_labels != model.n_labels:
        msg = f"the source's masks hold {ours.n_labels - 1} labels; the model knows {model.n_labels - 1}"
        raise InputError(msg)
    theirs = read_targets(model, targets)
    body, head = taken_apart(model.network)
    with seeded(config.seed), torch.enable_grad():
        discriminator = patch_discriminator(model.n_labels)
    batches = VolumeBatches(ours, theirs, size=config.size, seed=config.seed)
    home = _labelled(ours, seed=config.seed)

    def look_at(number: int, candidate: nn.Module) -> Look:
        moved = replace(model, network=put_together(candidate, head))
        doubts, sizes = zip(*_doubts(moved, theirs), strict=True)
        doubt = float(np.mean(doubts))
        return Look(number, 1 / (1 + doubt), doubt, float(np.mean(sizes)), _kept(moved.network, home))

    found = play_adaptation(
        Adda.start(body, head, discriminator, config),
        batches,
        look_at,
        settings={"config": asdict(config), "data": digest_of(ours.images, theirs.images)},
        watchers=[Told(say, "adapting")],
        keep=keep,
    )
    return _result(model, found, targets)


def _result(model: SegmentationModel, found: Adaptation, targets: Sequence[ImageCase]) -> AdaptedVolumes:
    report: dict[str, Any] = {
        "cellgan": version("cellgan"),
        "kept": found.kept,
        "chosen": found.chosen,
        "looks": [asdict(each) for each in found.looks],
        "config": asdict(found.config),
        "targets": [case.name for case in targets],
        "sites": sorted({case.site for case in targets}),
    }
    if found.kept == "source":
        return AdaptedVolumes(model, report)
    about = dict(model.about) | {"adaptation": report}
    network = put_together(found.encoder, found.head)
    # What was remembered of the training cases was seen by another network.
    return AdaptedVolumes(replace(model, network=network, about=about, known=None), report)


class VolumeBatches:
    """Endless mini-batches of both sites, changed as in a training.

    Parameters
    ----------
    source, target
        Slices; the target's masks are empty and not used.
    size
        Slices of each.
    seed
        Of the rows and of the augmentation.
    """

    def __init__(self, source: TrainingSet, target: TrainingSet, *, size: int, seed: int) -> None:
        self._source = AugmentedSlices(source, size=size, seed=seed)
        self._target = AugmentedSlices(target, size=size, seed=seed + 1)

    def __getitem__(self, index: int) -> Batch:
        """Return mini-batch number `index`."""
        source, target = self._source[index], self._target[index]
        return {"source": source["image"], "label": source["mask"], "target": target["image"]}


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


def read_targets(model: SegmentationModel, targets: Sequence[ImageCase]) -> TrainingSet:
    """Read the images of cases onto the model's grid, with empty masks.

    Raises
    ------
    InputError
        An image cannot be used, or a case has other channels than the model takes.
    """
    parts, gaps = [], []
    for case in targets:
        images = read_fitting(model, case.images)
        slices = image_slices(images, size=model.config.size, pixel=model.pixel)
        parts.append((slices, np.zeros((len(slices), *slices.shape[2:]), np.uint8)))
        gaps.append(gap_of(images.first))
    return one_set(
        parts,
        neighbours=model.config.neighbours,
        n_labels=model.n_labels,
        pixel=model.pixel,
        counts=model.counts,
        gaps=gaps,
    )


def _doubts(model: SegmentationModel, data: TrainingSet) -> list[tuple[float, float]]:
    """Return of each case its doubt, and the share of its voxels that are most probably not background."""
    found = []
    for slices, gap in zip(torch.split(data.images, list(data.lengths)), data.gaps, strict=True):
        p = torch.from_numpy(probabilities(model, slices, gap=gap)).flatten(1).T
        organ = (1 - p[:, 0]).sum().clamp(min=1.0)
        found.append((float(entropy(p).sum() / organ), float((p.argmax(1) > 0).float().mean())))
    return found


def _labelled(data: TrainingSet, *, seed: int) -> list[Batch]:
    """Return source slices that hold some label, unchanged, in mini-batches of 16."""
    batches = AugmentedSlices(data, size=16, seed=seed, augmented=False)
    return [batches[index] for index in range(N_LOOKED // 16)]


@torch.no_grad()
def _kept(network: nn.Module, home: Sequence[Batch]) -> float:
    """Return the mean soft Dice at home, 0 to 1."""
    losses: list[Tensor] = []
    for batch in home:
        p = network(batch["image"]).softmax(1)
        losses.append(soft_dice(p, expert(batch["mask"], p.shape[1])))
    return 1 - float(torch.stack(losses).mean())


def _check(targets: Sequence[ImageCase], source: Sequence[Case]) -> None:
    if not targets:
        msg = "there are no target cases; expected at least one, with an image"
        raise InputError(msg)
    known = {path.resolve() for case in source for path in case.images}
    if twice := [case.name for case in targets if known & {path.resolve() for path in case.images}]:
        msg = f"the target case {twice[0]} is among the source cases; expected images of another site"
        raise InputError(msg)
