"""Who plays: a game is players and objectives, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from cellgan.core.adam import AdamOptimizer
from cellgan.errors import ConfigError

Batch = Mapping[str, Tensor]
"""A mini-batch: named tensors whose first axis is the rows."""

Terms = dict[str, Tensor]
"""Named scalars; a player descends their sum."""

Objective = Callable[[Batch], Terms]


class Optimizer(Protocol):
    """What moves parameters by their gradients; torch's own optimizers do."""

    def step(self) -> object:
        """Move them once."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it needs to go on."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take that back; ValueError where it does not fit."""


OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


@dataclass(frozen=True)
class Adam:
    """Make the fastest Adam that the parameters' device has.

    The betas are those of Radford et al. (2016), which most adversarial games have used since.

    Parameters
    ----------
    lr
        Learning rate.
    betas
        Decay of the two moving averages.
    decay_steps
        The learning rate falls in a straight line, to nothing after so many steps; None keeps it.
    """

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    decay_steps: int | None = None

    def __post_init__(self) -> None:
        """Refuse a rate that is nothing from the start."""
        if self.decay_steps is not None and self.decay_steps < 1:
            msg = f"decay_steps={self.decay_steps}: after so few steps nothing has moved; give at least 1."
            raise ConfigError(msg)

    def __call__(self, parameters: Iterable[nn.Parameter]) -> AdamOptimizer:
        """Return an optimizer of these parameters."""
        return AdamOptimizer(parameters, lr=self.lr, betas=self.betas, decay_steps=self.decay_steps)


ADAM = Adam()


@dataclass(frozen=True)
class Player:
    """A name, the networks that move on its turn, and what it wants.

    Parameters
    ----------
    name
        Shown in reports and errors.
    networks
        The networks that move on this player's turn, and only then. One name means one network in all
        players.
    objective
        From a mini-batch to named scalar terms, whose sum is descended. It contains no ``detach``,
        ``no_grad`` or ``requires_grad_``: the match freezes everybody else.
    optimizer
        Makes the optimizer of all the networks' parameters.
    updates
        Turns a round, each on a fresh mini-batch (a Wasserstein critic takes five).
    after_update
        Called after every update, without gradients: weight clipping lives here.
    forward
        Outputs of this player's networks that several players need. Computed once for a mini-batch and merged
        into it: this player sees them with their graph, the others without. Computed anew once the networks
        have moved.
    """

    name: str
    networks: Mapping[str, nn.Module]
    objective: Objective
    optimizer: OptimizerFactory = ADAM
    updates: int = 1
    after_update: Callable[[], None] | None = None
    forward: Callable[[Batch], Batch] | None = None

    def __post_init__(self) -> None:
        """Refuse players that cannot play."""
        if not self.name or "/" in self.name:
            msg = f"A player's name must be some text without '/', not {self.name!r}."
            raise ConfigError(msg)
        if self.updates < 1:
            msg = f"Player {self.name!r} has updates={self.updates}; it needs at least 1 turn a round."
            raise ConfigError(msg)
        if not any(p.requires_grad for network in self.networks.values() for p in network.parameters()):
            msg = (
                f"Player {self.name!r} has no parameter that can move; "
                "give it a network, or list its networks among the game's spectators."
            )
            raise ConfigError(msg)


class Game(Protocol):
    """What a match plays: any object with these two methods; one that inherits them has no spectators."""

    def players(self) -> Sequence[Player]:
        """Return the players in playing order."""
        ...

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return networks that are used and saved, but never moved: in evaluation mode, without gradients."""
        return {}
