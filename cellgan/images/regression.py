"""No game: one network that gives one answer to each question, the mean of all right ones, to compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn.functional import mse_loss

from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Regression(Game):
    """One player; mini-batches hold the question ``x``, ``(n, n_x)``, and the answer ``y``, ``(n, n_y)``.

    Parameters
    ----------
    network
        From questions to answers.
    optimizer
        Of the network.
    """

    network: nn.Module
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player]:
        """Return the network."""
        return (Player("regression", {"network": self.network}, self.predict, self.optimizer),)

    def predict(self, batch: Batch) -> Terms:
        """Return the mean squared error, which it descends."""
        return {"error": mse_loss(self.network(batch["x"]), batch["y"])}
