"""The source's classifier: an encoder and a head, trained with labels. A game with one player."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn.functional import cross_entropy

from cellgan.adaptation.adaptation import DomainBatches
from cellgan.adaptation.domains import Domains, check_labels, check_rows
from cellgan.core.match import Match, play
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from cellgan.adaptation.adaptation import Augment
    from cellgan.core.watch import Watcher


@dataclass(frozen=True)
class Classification(Game):
    """Mini-batches hold ``source``, ``(n, ...)``, and ``label``, ``(n,)``.

    Attributes
    ----------
    encoder
        From rows to features.
    head
        From features to raw scores.
    optimizer
        Of both.
    """

    encoder: nn.Module
    head: nn.Module
    optimizer: OptimizerFactory

    def players(self) -> tuple[Player]:
        """Return the classifier."""
        networks = {"encoder": self.encoder, "head": self.head}
        return (Player("classifier", networks, self.classify, self.optimizer),)

    def classify(self, batch: Batch) -> Terms:
        """Return the cross-entropy; of raw scores, which are not normalised before it."""
        return {"cross-entropy": cross_entropy(self.head(self.encoder(batch["source"])), batch["label"])}


@dataclass(frozen=True)
class Fit:
    """How a classifier is trained.

    Attributes
    ----------
    rounds
        Mini-batches.
    size
        Rows of each.
    lr
        Learning rate, which falls to nothing.
    seed
        Of the mini-batches.
    """

    rounds: int = 500
    size: int = 64
    lr: float = 1e-3
    seed: int = 0


def fit_classifier(
    encoder: nn.Module,
    head: nn.Module,
    rows: Tensor,
    labels: Tensor,
    *,
    fit: Fit,
    augment: Augment | None = None,
    watchers: Sequence[Watcher] = (),
) -> None:
    """Train an encoder and a head in place.

    Parameters
    ----------
    encoder, head
        As in `cellgan.adaptation.adapt`.
    rows, labels
        ``(n, ...)`` and ``(n,)``.
    fit
        Settings.
    augment, watchers
        As in `cellgan.adaptation.adapt`.

    Raises
    ------
    InputError
        Rows are missing or not finite, or there is one class only.
    """
    check_rows("the source", rows)
    check_labels(rows, labels)
    batches = DomainBatches(Domains(rows, labels, rows[:1]), size=fit.size, seed=fit.seed, augment=augment)
    game = Classification(encoder, head, Adam(lr=fit.lr, betas=(0.9, 0.999), decay_steps=fit.rounds))
    play(Match(game, seed=fit.seed), batches, rounds=fit.rounds, watchers=watchers)
