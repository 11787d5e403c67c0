"""Carry a segmenter to a new site's volumes, of which nobody drew masks.

The U-Nets but for their last layers are the encoder, the last layers the head, and a discriminator of
neighbourhoods sees the raw scores of a slice (`cellgan.adaptation`). Source slices with masks stay in the
game (the anchor): what they teach keeps the encoder from moving freely, and their Dice tells what it lost.
The encoder also learns from its own masks of the new site, as they were at the last look, after what is known
of organs has tidied them: one piece, where it lay in training, smooth across slices (`prediction.tidied`);
and of a size that organs have (`candidates`).

Two things are told without target masks. *Whether to begin*: the game is played where the source's segmenter
doubts at least twice as much as on its own cases (`candidates`); where it is sure of itself, its own masks
have nothing to teach it, and only strengthen its mistakes. *Which encoder to keep*: the one that doubts least
of those that keep the source's Dice within the tolerance. *Whether to forget the source's*: where its masks
are of an odd size it is plainly lost. Elsewhere doubt alone speaks against it, which may be wrong, so it goes
on deciding together with the adapted one, by the mean of all probabilities.

Departures from Tzeng et al. (2017): all of `cellgan.adaptation.adda`, with the anchor and the pseudo-labels
switched on; and a discriminator that scores neighbourhoods (Tsai et al. 2018, Learning to adapt structured
output space for semantic segmentation).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from cellgan.adaptation.adaptation import play_adaptation
from cellgan.adaptation.adda import Adda
from cellgan.adaptation.config import AdaptConfig
from cellgan.core.checkpoint import digest_of
from cellgan.core.nets import patch_discriminator
from cellgan.core.randomness import seeded
from cellgan.core.watch import Told
from cellgan.errors import ConfigError, InputError
from cellgan.segmentation.candidates import Looker, maps_of, mean_doubt
from cellgan.segmentation.doubts import LEAST_DOUBT, Doubts, doubt_warnings
from cellgan.segmentation.familiarity import KnownCases
from cellgan.segmentation.game import missed_overlap
from cellgan.segmentation.training import remember
from cellgan.segmentation.training_set import read_training_set
from cellgan.segmentation.two_sites import TwoSites, read_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cellgan.adaptation.adaptation import Progress
    from cellgan.adaptation.choice import Keep
    from cellgan.adaptation.criterion import Look
    from cellgan.segmentation.cases import Case, ImageCase
    from cellgan.segmentation.config import Precision
    from cellgan.segmentation.model import SegmentationModel
    from cellgan.segmentation.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class AdaptedVolumes:
    """The model to use at the target, and how it was chosen.

    Attributes
    ----------
    model
        What `cellgan.segmentation.predict` takes; the source model itself if it did not doubt enough, or no
        candidate looked better.
    report
        JSON.
    """

    model: SegmentationModel
    report: dict[str, Any]

    @property
    def verdict(self) -> str:
        """What was done, in a sentence."""
        n, doubt = len(self.report["targets"]), self.report["doubt"]
        sure = f"the segmenter doubts {doubt['times']:.1f} times as much here as at home"
        if self.report["kept"] == "adapted":
            both = ", and decides together with what it was" if self.report["members"] == "both" else ""
            return f"{sure}: adapted to {n} case{'s' if n > 1 else ''}{both}"
        if doubt["times"] < doubt["least_times"]:
            return f"{sure}, less than {doubt['least_times']:g} times: it is kept as it was"
        return f"{sure}, but adapting looked no better without target masks: it is kept as it was"


def default_game(seed: int = 0, rounds: int = 240) -> AdaptConfig:
    """Return the settings of the game that suit volumes; fewer than four rounds are looked at one by one."""
    return AdaptConfig(
        rounds=rounds,
        size=8,
        encoder_lr=5e-4,
        discriminator_lr=5e-4,
        averaging=0.95,
        anchor_weight=1.0,
        pseudo_label_weight=1.0,
        fading=True,
        checkpoints=min(4, rounds),
        tolerance=0.03,
        seed=seed,
    )


def adapt_volumes(  # noqa: PLR0913 - a model, two sites, how to play, and where to keep it
    model: SegmentationModel,
    targets: Sequence[ImageCase],
    source: Sequence[Case],
    config: AdaptConfig | None = None,
    *,
    least_doubt: float = LEAST_DOUBT,
    adapted_alone: bool = False,
    keep: Keep | None = None,
    precision: Precision = "float32",
    progress: Progress | None = None,
) -> AdaptedVolumes:
    """Adapt a segmenter, on the device that it is on.

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
    least_doubt
        How many times as much as at home the model doubts where the game is played; 0 plays it anywhere.
    adapted_alone
        Never let the source's networks decide together with the adapted ones.
    keep
        Where the match is kept while it is played, so that it can be resumed.
    precision
        What the match is computed in, as in a training.
    progress
        Called with a stage and the part of it that is done.

    Raises
    ------
    ConfigError
        `least_doubt` is negative.
    InputError
        A case cannot be used, does not fit the model, or is on both sides.
    ModelError
        The match that is to be resumed is another one.
    """
    if not least_doubt >= 0:
        msg = f"least_doubt is {least_doubt}; expected 0 or more"
        raise ConfigError(msg)
    config, say = config or default_game(), progress or (lambda _stage, _done: None)
    say("reading the cases", 0.0)
    _check(targets, source)
    ours = read_training_set(source, replace(model.config, pixel=model.pixel))
    if ours.n_labels != model.n_labels:
        msg = f"the source's masks hold {ours.n_labels - 1} labels; the model knows {model.n_labels - 1}"
        raise InputError(msg)
    theirs = read_targets(model, targets)
    settings = {
        "config": asdict(config),
        "precision": precision,
        "weights of the model": digest_of(*model.network.state_dict().values()),
        "images or masks of the source": digest_of(ours.images, ours.masks),
        "images of the target": digest_of(theirs.images),
    }
    ours, theirs = ours.on(model.device), theirs.on(model.device)
    body, head = model.network.body, model.network.head
    with seeded(config.seed), torch.enable_grad():
        discriminator = patch_discriminator(model.n_labels)
    batches = TwoSites(ours, theirs, size=config.size, seed=config.seed)
    look_at = Looker(model, ours, theirs, relabel=batches.relabel, seed=config.seed)
    first = look_at(0, body)
    doubts = Doubts(mean_doubt(maps_of(model, ours)), first.entropy, least_doubt)
    about = _about(config, source, targets, doubts)
    about["warnings"] = [
        *doubt_warnings(doubts, first, about["sites"]),
        *theirs.warnings,
        *ours.warnings,
    ]
    if not doubts.enough:
        return AdaptedVolumes(model, about | _choice("source", 0, (first,)))
    found = play_adaptation(
        Adda.start(body, head, discriminator, config, supervised=_supervised),
        batches,
        look_at,
        settings=settings,
        watchers=[Told(say, "adapting")],
        keep=keep,
        precision=precision,
    )
    report = about | _choice(found.kept, found.chosen, found.looks)
    if found.kept == "source":
        return AdaptedVolumes(model, report)
    network = model.network.with_body(found.encoder)
    report["members"] = "adapted"
    if not (adapted_alone or look_at.is_odd(first.balance)):
        network, report["members"] = model.network.with_members_of(network), "both"
    told = {name: value for name, value in report.items() if name != "warnings"}  # which name files
    moved = replace(
        model,
        network=network,
        config=replace(model.config, members=len(network.head)),
        about=dict(model.about) | {"adaptation": told},
    )
    return AdaptedVolumes(replace(moved, known=_known(moved, ours, theirs)), report)


def _about(
    config: AdaptConfig, source: Sequence[Case], targets: Sequence[ImageCase], doubts: Doubts
) -> dict[str, Any]:
    """Return what the report tells of the two sites and the settings."""
    return {
        "cellgan": version("cellgan"),
        "config": asdict(config),
        "doubt": doubts._asdict() | {"times": doubts.times, "usual_times": LEAST_DOUBT},
        "source": [case.name for case in source],
        "source_sites": sorted({case.site for case in source}),
        "targets": [case.name for case in targets],
        "sites": sorted({case.site for case in targets}),
    }


def _choice(kept: str, chosen: int, looks: Sequence[Look]) -> dict[str, Any]:
    """Return what the report tells of the candidates."""
    return {"kept": kept, "chosen": chosen, "looks": [asdict(each) for each in looks], "members": "source"}


def _known(model: SegmentationModel, source: TrainingSet, target: TrainingSet) -> KnownCases:
    """Remember the cases of both sites as the new network sees them; sizes are those of experts' masks."""
    ours, theirs = remember(model, source), remember(model, target)
    figures, gaps = (
        np.concatenate([getattr(ours, name), getattr(theirs, name)]) for name in ("figures", "gaps")
    )
    return KnownCases(figures, ours.volumes, gaps)


def _supervised(scores: Tensor, labels: Tensor) -> Tensor:
    """Return what is descended where there are labels: soft Dice plus cross-entropy."""
    scores = scores.float()
    return cross_entropy(scores, labels) + missed_overlap(scores, labels)


def _check(targets: Sequence[ImageCase], source: Sequence[Case]) -> None:
    if not targets:
        msg = "there are no target cases; expected at least one, with an image"
        raise InputError(msg)
    known = {path.resolve(): case.name for case in source for path in case.images}
    for case in targets:
        for path in case.images:
            if path.resolve() in known:
                msg = (
                    f"the target case {case.name} has the image {path}, which is that of the source's case "
                    f"{known[path.resolve()]}; expected images of another site. Leave the case out"
                )
                raise InputError(msg)
