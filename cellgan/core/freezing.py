"""Keep still what is not on turn: parameters, and the statistics that some layers gather while they train."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.parametrizations import _SpectralNorm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torch import nn


class Moving:
    """The parts of some networks that can move, found once and toggled cheaply.

    A batch normalisation that is held still goes on normalising by the statistics of the mini-batch, as in
    training, so that the other players see what its owner shows; it only stops gathering running averages. A
    spectral normalisation stops its power iteration.

    Parameters
    ----------
    networks
        Networks of one player. Parameters that cannot move already never will.
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        modules = {id(m): m for network in networks for m in network.modules()}.values()
        held = (p for m in modules for p in m.parameters(recurse=False) if p.requires_grad)
        self.parameters = list({id(p): p for p in held}.values())
        self._norms = [m for m in modules if isinstance(m, _NormBase) and m.track_running_stats]
        self._spectral = [m for m in modules if isinstance(m, _SpectralNorm)]

    def hold_parameters(self) -> None:
        """Give the parameters no gradients."""
        for parameter in self.parameters:
            parameter.requires_grad = False

    def release_parameters(self) -> None:
        """Give the parameters gradients."""
        for parameter in self.parameters:
            parameter.requires_grad = True

    def hold_statistics(self) -> None:
        """Let no layer gather statistics."""
        for norm in self._norms:
            norm.track_running_stats = False
        for iteration in self._spectral:
            iteration.training = False

    def release_statistics(self) -> None:
        """Let layers gather statistics."""
        for norm in self._norms:
            norm.track_running_stats = True
        for iteration in self._spectral:
            iteration.training = True

    def hold(self) -> None:
        """Let nothing move."""
        self.hold_parameters()
        self.hold_statistics()

    def release(self) -> None:
        """Let all of it move."""
        self.release_parameters()
        self.release_statistics()


@contextmanager
def in_training(
    players: Sequence[Moving], networks: Sequence[nn.Module], spectators: Sequence[nn.Module]
) -> Iterator[None]:
    """Put networks into training mode, all held still; spectators into evaluation mode, for good."""
    watching = Moving(spectators)
    for network in networks:
        network.train()
    for network in spectators:
        network.eval()
    for moving in players:
        moving.hold()
    watching.hold_parameters()
    try:
        with torch.enable_grad():
            yield
    finally:
        for moving in players:
            moving.release()
        watching.release_parameters()
        for network in networks:
            network.eval()


@contextmanager
def at_rest(players: Sequence[Moving], networks: Sequence[nn.Module]) -> Iterator[None]:
    """Put networks that are in training into evaluation mode, without gradients, and back again."""
    modes = [(module, module.training) for network in networks for module in network.modules()]
    for moving in players:
        moving.release_statistics()
    for network in networks:
        network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        for moving in players:
            moving.hold_statistics()
