"""The digits benchmark: MNIST to USPS and back, by the protocol of the adaptation papers.

A sample of 2,000 MNIST and one of 1,800 USPS digits (Long et al. 2013; Tzeng et al. 2017); the source with
labels, the target without. Every row is scored twice: on the target sample that was adapted to, as in the
papers, and on target digits that nobody has seen.

References
----------
Long et al. (2013), Transfer feature learning with joint distribution adaptation. ICCV.
Tzeng et al. (2017), Adversarial discriminative domain adaptation. CVPR, arXiv:1702.05464.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import nn

from cellgan.adaptation.adaptation import adapt, probabilities
from cellgan.adaptation.classifier import Fit, fit_classifier
from cellgan.adaptation.criterion import right
from cellgan.adaptation.digits import N_CLASSES, Digits, Framing, draw, read_digits, rewrite
from cellgan.adaptation.domains import Domains
from cellgan.adaptation.lenet import N_FEATURES, lenet
from cellgan.core.randomness import seeded
from cellgan.core.watch import Told
from cellgan.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from cellgan.adaptation.adaptation import Progress
    from cellgan.adaptation.config import AdaptConfig

Site = Literal["mnist", "usps"]
SAMPLES: dict[Site, int] = {"mnist": 2000, "usps": 1800}
UNSEEN = 2000  # target digits to score on, at most
DIRECTIONS: tuple[tuple[Site, Site], ...] = (("mnist", "usps"), ("usps", "mnist"))


class Scored(NamedTuple):
    """Accuracy on the target: on the sample that was adapted to, and on unseen digits."""

    sample: float
    unseen: float


@dataclass(frozen=True)
class DigitRun:
    """One direction and seed.

    Attributes
    ----------
    source, target
        The sites.
    seed
        Of everything random.
    source_only
        The source's classifier, applied as it is.
    adapted
        With the encoder that was kept.
    trained_on_target
        A classifier trained on the target sample's labels; on unseen digits alone.
    candidates
        Accuracy on the target sample of every candidate that could have been chosen, the source first. It was
        looked up afterwards.
    chosen
        The place of the one that was.
    seconds
        CPU time of training and adapting.
    """

    source: Site
    target: Site
    seed: int
    source_only: Scored
    adapted: Scored
    trained_on_target: float
    candidates: tuple[float, ...]
    chosen: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self) | {
            "source_only": self.source_only._asdict(),
            "adapted": self.adapted._asdict(),
            "candidates": list(self.candidates),
        }


def find_digits(folder: Path) -> dict[Site, Path]:
    """Return the .npz file of each site in a folder, by the names that they begin with.

    Raises
    ------
    InputError
        There is no such folder, or of some site no file, or more than one.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        msg = f"the folder {folder} {what}; expected one with {' and '.join(f'{s}*.npz' for s in SAMPLES)}"
        raise InputError(msg)
    found: dict[Site, Path] = {}
    for site in SAMPLES:
        files = sorted(folder.glob(f"{site}*.npz"))
        if len(files) != 1:
            msg = (
                f"{folder} holds {len(files) or 'no'} files called {site}*.npz; expected one, with images x "
                "(n, height, width) as uint8 and labels y"
            )
            raise InputError(msg)
        found[site] = files[0]
    return found


def run_digits(
    files: dict[Site, Path],
    direction: tuple[Site, Site],
    config: AdaptConfig,
    *,
    framing: Framing = "resize",
    augmented: bool = True,
    rounds: int = 800,
    progress: Progress | None = None,
) -> DigitRun:
    """Train, adapt and score one direction with one seed, the one of the config.

    Parameters
    ----------
    files
        Of both sites.
    direction
        Source and target.
    config
        Settings of the adaptation.
    framing
        How digits are brought onto the grid.
    augmented
        Whether digits are rewritten before each turn, in training and adapting.
    rounds
        Of the training.
    progress
        Called with a stage and the part of it that is done.
    """
    say = progress or (lambda _stage, _done: None)
    source_site, target_site = direction
    begun = time.process_time()
    samples: dict[Site, list[Digits]] = {}
    for site in direction:
        say(f"reading {site}", 0.0)
        x, y = read_digits(files[site])
        samples[site] = draw(x, y, counts=(SAMPLES[site], UNSEEN), seed=config.seed, framing=framing)
    source, (target, unseen) = samples[source_site][0], samples[target_site]
    encoder, head = _trained(source, config.seed, rounds, augmented=augmented, say=say, stage="training")
    found = adapt(
        encoder,
        head,
        Domains(source.images, source.labels, target.images),
        config,
        augment=rewrite if augmented else None,
        watchers=[Told(say, "adapting")],
    )
    seconds = time.process_time() - begun
    own = _trained(target, config.seed, rounds, augmented=augmented, say=say, stage="training on the target")
    return DigitRun(
        source_site,
        target_site,
        config.seed,
        Scored(*(_accuracy(encoder, head, each) for each in (target, unseen))),
        Scored(*(_accuracy(found.encoder, head, each) for each in (target, unseen))),
        _accuracy(*own, unseen),
        tuple(_accuracy(each, head, target) for each in found.candidates),
        found.chosen,
        seconds,
    )


def _trained(
    digits: Digits, seed: int, rounds: int, *, augmented: bool, say: Progress, stage: str
) -> tuple[nn.Module, nn.Module]:
    with seeded(seed), torch.enable_grad():
        encoder, head = lenet(), nn.Linear(N_FEATURES, N_CLASSES)
    fit_classifier(
        encoder,
        head,
        digits.images,
        digits.labels,
        fit=Fit(rounds=rounds, seed=seed),
        augment=rewrite if augmented else None,
        watchers=[Told(say, stage)],
    )
    return encoder, head


def _accuracy(encoder: nn.Module, head: nn.Module, digits: Digits) -> float:
    return right(probabilities(encoder, head, digits.images), digits.labels)
