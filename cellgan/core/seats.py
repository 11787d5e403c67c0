"""What a match keeps about each player, and the outputs that players share."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from cellgan.core.freezing import Moving
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from cellgan.core.player import Batch, Player, Terms


class Seat:
    """A player in a match: its optimizer, what moves on its turn, and how often that has moved.

    Parameters
    ----------
    player
        Who sits here.
    number
        Its place in the playing order.
    """

    def __init__(self, player: Player, number: int) -> None:
        self.player = player
        self.number = number
        self.moving = Moving(player.networks.values())
        self.optimizer = player.optimizer(self.moving.parameters)
        self.overlapping: list[Seat] = [self]
        self.version = 0
        self._titles: dict[str, str] = {}

    def title(self, term: str) -> str:
        """Return ``"player/term"``, made once, since it is needed every round."""
        if term not in self._titles:
            self._titles[term] = f"{self.player.name}/{term}"
        return self._titles[term]

    def moved(self) -> None:
        """Note that the networks of this player, and of all who share one with it, are not what they were."""
        for seat in self.overlapping:
            seat.version += 1

    def total(self, terms: Terms) -> Tensor:
        """Return the sum of the terms, to be descended."""
        total: Tensor | None = None
        for name, term in terms.items():
            if term.dim():
                msg = f"{self.title(name)} has shape {tuple(term.shape)}; a term is a scalar: take its mean."
                raise ConfigError(msg)
            total = term if total is None else total + term
        if total is None or not total.requires_grad:
            networks = ", ".join(self.player.networks)
            msg = f"No term of player {self.player.name!r} depends on its networks: {networks}."
            raise ConfigError(msg)
        return total


class Shared:
    """The outputs of `Player.forward` within one round, each computed once as long as nothing has moved.

    Parameters
    ----------
    seats
        All of the match.
    """

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._sharing = [seat for seat in seats if seat.player.forward is not None]
        self._held: dict[tuple[int, int], tuple[int, bool, Batch]] = {}

    def batch_for(self, seat: Seat, update: int, batch: Batch) -> Batch:
        """Return the mini-batch of a turn with all that players share; its owner alone sees the graph."""
        if not self._sharing:
            return batch
        merged = dict(batch)
        for owner in self._sharing:
            outputs = self._outputs(owner, seat, update, batch)
            own = owner is seat
            for name, value in outputs.items():
                if name in merged:
                    msg = f"{owner.player.name!r} shows {name!r}, a name that the mini-batch has already."
                    raise ConfigError(msg)
                merged[name] = value if own else value.detach()
        return merged

    def _outputs(self, owner: Seat, seat: Seat, update: int, batch: Batch) -> Batch:
        """Compute the outputs of one owner, unless they stand; with a graph if its owner will need it."""
        key = (owner.number, update)
        if key in self._held:
            version, live, outputs = self._held[key]
            if version == owner.version and (live or owner is not seat):
                return outputs
        # The owner's first turn finds its networks as they are now, and so can use today's graph; later ones
        # cannot.
        live = owner is seat or (update == 0 and owner.number > seat.number)
        forward = owner.player.forward
        assert forward is not None  # noqa: S101  (those without are not in the list)
        if live:
            owner.moving.release()
        with nullcontext() if live else torch.no_grad():
            outputs = forward(batch)
        if live:
            owner.moving.hold()
        self._held[key] = (owner.version, live, outputs)
        return outputs


def seat_players(
    players: Sequence[Player], spectators: Mapping[str, nn.Module], *, device: torch.device
) -> tuple[list[Seat], dict[str, nn.Module]]:
    """Seat the players at a device, and find their networks.

    Raises
    ------
    ConfigError
        If there are no players, a name is used twice, or a spectator is moved by a player.
    """
    if not players:
        msg = "A game needs at least one player."
        raise ConfigError(msg)
    names = [player.name for player in players]
    if len(set(names)) < len(names):
        msg = f"Two players have one name: {', '.join(names)}. Names must differ."
        raise ConfigError(msg)
    networks: dict[str, nn.Module] = {}
    for player in players:
        for name, network in player.networks.items():
            if networks.setdefault(name, network) is not network:
                msg = f"The name {name!r} stands for two networks; one name means one network in all players."
                raise ConfigError(msg)
    moved = {id(p) for network in networks.values() for p in network.parameters()}
    for name, network in spectators.items():
        if name in networks or any(id(p) in moved for p in network.parameters()):
            msg = f"{name!r} is a spectator, but a player moves it; it can be one of the two only."
            raise ConfigError(msg)
    for network in (*networks.values(), *spectators.values()):
        network.to(device)
    seats = [Seat(player, number) for number, player in enumerate(players)]
    for seat in seats:
        own = {id(p) for p in seat.moving.parameters}
        seat.overlapping = [other for other in seats if any(id(p) in own for p in other.moving.parameters)]
    return seats, networks
