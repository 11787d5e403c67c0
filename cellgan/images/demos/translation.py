"""What the demos of translation, and of there and back, measure and draw alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.images.demo import Measure
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from torch import Tensor

    from cellgan.images.image_data import Images

_SHOWN = 10
_PAIRS = 20


def kept(target: Images, mapped: Tensor, *, seed: int) -> float:
    """Return the share of mapped held-out images that a classifier of the target's calls by their class."""
    judge = train_classifier(target, seed=seed)
    return float((judge.labels(mapped) == target.y_test).float().mean())


def kept_measure(
    name: str, target: Images, mapped: Tensor, *, seed: int, at_least: float, off: float | None = None
) -> Measure:
    """Return `kept` as a measure."""
    judge = train_classifier(target, seed=seed)
    return Measure(
        f"class kept, to {name}",
        float((judge.labels(mapped) == target.y_test).float().mean()),
        "Share of mapped held-out images that a classifier trained on the target calls by their class.",
        floor=judge.accuracy,
        off=off,
        at_least=at_least,
    )


def truth_measure(mapped: Tensor, truth: Tensor, source: Tensor) -> Measure:
    """Return how far mapped images are from the right answer, over how far it is if nothing is done."""
    return Measure(
        "distance from the right answer",
        float((mapped - truth).abs().mean() / (source - truth).abs().mean()),
        "Mean absolute distance, over that of an image left as it is: 1 is no better than doing nothing.",
    )


def reconstructions_figure(x: Tensor, again: Tensor, caption: str) -> Figure:
    """Draw held-out images, each beside what became of it on the way to its code and back."""
    rows = torch.stack([x[:_PAIRS], again[:_PAIRS]], 1).flatten(0, 1)
    drawn = drawn_images(rows, columns=10, alt="held-out images, each beside its reconstruction")
    return Figure(drawn, "Held-out images, each with its reconstruction", caption)


def pairs_figure(source: Tensor, mapped: Tensor, truth: Tensor, *, what: str = "Held-out images") -> Figure:
    """Draw images, what became of them, and the right answer, one row each."""
    rows = torch.cat([source[:_SHOWN], mapped[:_SHOWN], truth[:_SHOWN]])
    drawn = drawn_images(rows, columns=_SHOWN, alt="images, mapped images and the right answer")
    return Figure(drawn, f"{what}, what became of them, and the right answer", "one row each")
