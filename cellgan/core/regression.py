"""No game: one network that gives one answer to each question, the mean of all right ones (least squares)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn.functional import mse_loss

from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Regression(Game):
    """One player. Mini-batches hold questions, ``(n, n_inputs)``, and answers, ``(n, n_outputs)``.

    Parameters
    ----------
    network
        From questions to answers.
    optimizer
        Of the network.
    inputs, outputs
        What mini-batches call questions and answers.
    """

    network: nn.Module
    optimizer: OptimizerFactory = ADAM
    inputs: str = "inputs"
    outputs: str = "outputs"

    def players(self) -> tuple[Player]:
        """Return the network."""
        return (Player("predictor", {"network": self.network}, self.miss, self.optimizer),)

    def miss(self, batch: Batch) -> Terms:
        """Return the mean squared error, which it descends."""
        return {"error": mse_loss(self.network(batch[self.inputs]), batch[self.outputs])}
