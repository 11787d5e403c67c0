"""The small classifier whose eyes the Inception Score and the Frechet distance borrow here.

A perceptron with one hidden layer of 64 features, trained on the demo's own images with their classes. No
figure computed with it can be compared with one of Inception, a network of another size trained on other
images: none is called IS or FID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cellgan.core import Adam, Batch, Batches, Game, Match, Player, Terms, play, seeded

if TYPE_CHECKING:
    from cellgan.images.image_data import Images

FEATURES = 64
_ROUNDS = 600


@dataclass(frozen=True)
class Classifying(Game):
    """A classifier that plays alone; mini-batches hold ``x``, ``(n, ...)``, and ``y``, classes ``(n,)``."""

    network: nn.Module

    def players(self) -> tuple[Player]:
        """Return the classifier."""
        adam = Adam(lr=3e-3, betas=(0.9, 0.999), decay_steps=_ROUNDS)
        return (Player("classifier", {"classifier": self.network}, self.classify, adam),)

    def classify(self, batch: Batch) -> Terms:
        """Return what the classifier descends."""
        return {"cross-entropy": cross_entropy(self.network(batch["x"]), batch["y"])}


@dataclass(frozen=True)
class Classifier:
    """A trained classifier, and the share of held-out images that it gets right."""

    body: nn.Module
    head: nn.Module
    accuracy: float

    def features(self, x: Tensor) -> Tensor:
        """Return the hidden features of images ``(n, c, h, w)``, ``(n, 64)``."""
        with torch.no_grad():
            found: Tensor = self.body(x)
        return found

    def probabilities(self, x: Tensor) -> Tensor:
        """Return the probability of each class, ``(n, n_classes)``."""
        with torch.no_grad():
            found: Tensor = self.head(self.features(x)).softmax(1)
        return found

    def labels(self, x: Tensor) -> Tensor:
        """Return the likeliest class of each image, ``(n,)``."""
        return self.probabilities(x).argmax(1)


def train_classifier(images: Images, *, seed: int) -> Classifier:
    """Train the classifier.

    Parameters
    ----------
    images
        To learn from, and to say how good it is.
    seed
        Of its first weights and its mini-batches.
    """
    n = images.x[0].numel()
    with seeded(seed):
        body = nn.Sequential(nn.Flatten(), nn.Linear(n, FEATURES), nn.LeakyReLU(0.2))
        head = nn.Linear(FEATURES, images.n_classes)
    match = Match(Classifying(nn.Sequential(body, head)), seed=seed)
    rows = Batches({"x": images.x, "y": images.y}, together=(("x", "y"),), size=64, seed=seed)
    play(match, rows, rounds=_ROUNDS)
    trained = Classifier(body, head, 0.0)
    right = (trained.labels(images.x_test) == images.y_test).float().mean()
    return Classifier(body, head, float(right))
