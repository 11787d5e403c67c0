"""A match is a game in progress; `play` is the only loop there is.

Only this file calls ``.backward()`` and ``.step()``.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

import torch

from cellgan.core.device import Execution
from cellgan.core.freezing import at_rest, in_training
from cellgan.core.randomness import random_state, seeded, set_random_state
from cellgan.core.seats import Seat, Shared, seat_players
from cellgan.core.watch import RoundReport, StopPlay
from cellgan.errors import ConfigError, DivergedError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from cellgan.core.player import Batch, Game
    from cellgan.core.watch import Watcher

_CHECK_EVERY = 100  # rounds between the states that are kept; on a GPU also between the looks for NaN


class BatchSource(Protocol):
    """Anything with numbered mini-batches, such as `Batches`."""

    def __getitem__(self, index: int, /) -> Batch:
        """Return mini-batch number `index`; the same one each time."""
        ...


class Match:
    """A game in progress: its networks, optimizers, randomness, and how far it is.

    Parameters
    ----------
    game
        Its networks are moved to the device and belong to the match from here on.
    seed
        Where the match's own stream of random numbers starts. The caller's stream is left alone.
    device
        Where to play.
    execution
        In which precision, compiled or not, and with which other processes.

    Raises
    ------
    ConfigError
        If the players do not fit together.
    """

    def __init__(
        self,
        game: Game,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        execution: Execution = Execution(),  # noqa: B008 - frozen
    ) -> None:
        self.game = game
        self.device = torch.device(device)
        self.execution, self._processes = execution, execution.processes
        self.round = 0
        self.batches_drawn = 0
        self.spectators = dict(game.spectators())
        self.seats, self.networks = seat_players(game.players(), self.spectators, device=self.device)
        self._draws = max(seat.player.updates for seat in self.seats)
        self._random: Mapping[str, Tensor] | None = None
        with seeded(seed, self.device):
            self._random = self._processes.stream(random_state(self.device), self.device)
        everything = [*self.networks.values(), *self.spectators.values()]
        self._processes.copy_first_([t for n in everything for t in (*n.parameters(), *n.buffers())])
        if execution.compiled:
            for network in everything:
                network.compile()
        self._good: dict[str, Any] = {}
        self._unchecked: list[tuple[int, dict[str, Tensor]]] = []
        # On the CPU a look for NaN costs nothing; elsewhere it waits for the device, so it waits for `check`.
        self.checks_turns = self.device.type == "cpu"

    def state_dict(self) -> dict[str, Any]:
        """Return all that the match needs to go on, sharing memory with it."""
        networks = {**self.networks, **self.spectators}
        return {
            "round": self.round,
            "batches_drawn": self.batches_drawn,
            "networks": {name: dict(network.state_dict()) for name, network in networks.items()},
            "optimizers": {seat.player.name: seat.optimizer.state_dict() for seat in self.seats},
            # While the match is played its stream is torch's own.
            "random": dict(self._random or random_state(self.device)),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        ModelError
            If the state is of another game.
        """
        networks = {**self.networks, **self.spectators}
        optimizers = {seat.player.name: seat.optimizer for seat in self.seats}
        for kind, own in (("networks", networks), ("optimizers", optimizers)):
            if set(state[kind]) != set(own):
                msg = (
                    f"The state has the {kind} {', '.join(sorted(state[kind]))}; this game has "
                    f"{', '.join(sorted(own))}. Load it into a match of the same game."
                )
                raise ModelError(msg)
        for name, network in networks.items():
            try:
                network.load_state_dict(state["networks"][name])
            except RuntimeError as error:
                msg = f"The state of network {name!r} does not fit: {error}. Build the same game."
                raise ModelError(msg) from error
        for name, optimizer in optimizers.items():
            try:
                optimizer.load_state_dict(deepcopy(state["optimizers"][name]))
            except ValueError as error:
                msg = f"The optimizer of player {name!r} does not fit it: {error}."
                raise ModelError(msg) from error
        self.round = state["round"]
        self.batches_drawn = state["batches_drawn"]
        random = self._processes.stream(state["random"], self.device)
        if self._random is None:
            set_random_state(random, self.device)
        else:
            self._random = random

    # What follows is for `play`.

    @contextmanager
    def in_play(self) -> Iterator[None]:
        """Put the networks into training mode, all held still, and the match's stream in torch's place."""
        own, callers = self._random, random_state(self.device)
        if own is None:
            msg = "This match is being played already; a watcher cannot play it."
            raise ConfigError(msg)
        networks, spectators = list(self.networks.values()), list(self.spectators.values())
        with in_training([seat.moving for seat in self.seats], networks, spectators):
            set_random_state(own, self.device)
            self._random = None
            try:
                yield
            finally:
                self._random = random_state(self.device)
                set_random_state(callers, self.device)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let somebody use the networks in between: evaluation mode, and randomness that is given back."""
        before = random_state(self.device)
        try:
            with at_rest([seat.moving for seat in self.seats], list(self.networks.values())):
                yield
        finally:
            set_random_state(before, self.device)

    def play_round(self, batches: BatchSource) -> dict[str, Tensor]:
        """Let every player take its turns; return the terms of the last ones."""
        drawn = [self._processes.part(batches[self.batches_drawn + u]) for u in range(self._draws)]
        shared = Shared(self.seats)
        terms: dict[str, Tensor] = {}
        for seat in self.seats:
            for update in range(seat.player.updates):
                with self.execution.mixed(self.device):
                    batch = shared.batch_for(seat, update, drawn[update])
                terms |= self._turn(seat, batch)
        self.round += 1
        self.batches_drawn += self._draws
        return terms

    def _turn(self, seat: Seat, batch: Batch) -> dict[str, Tensor]:
        """Move one player's networks one step down the sum of its terms."""
        seat.moving.release()
        with self.execution.mixed(self.device):
            terms = seat.player.objective(batch)
            total = seat.total(terms)
        values = self._processes.mean({seat.title(name): term.detach() for name, term in terms.items()})
        # All processes look at the same mean, and so stop together.
        if self.checks_turns and not math.isfinite(float(sum(values.values()))):
            self._diverged(self.round + 1, values)
        for parameter in seat.moving.parameters:
            parameter.grad = None
        total.backward()  # type: ignore[no-untyped-call]
        self._processes.average_([p.grad for p in seat.moving.parameters if p.grad is not None])
        seat.optimizer.step()
        if seat.player.after_update is not None:
            with torch.no_grad():
                seat.player.after_update()
        seat.moving.hold()
        seat.moved()
        if not self.checks_turns:
            self._unchecked.append((self.round + 1, values))
        return values

    def check(self) -> None:
        """Look for NaN in what was played since the last check, and keep this state if there is none."""
        if self._unchecked:
            flags = torch.stack(
                [torch.stack(list(t.values())).isfinite().all() for _, t in self._unchecked]
            ).tolist()
            for (number, terms), finite in zip(self._unchecked, flags, strict=True):
                if not finite:
                    self._diverged(number, terms)
            self._unchecked.clear()
        for seat in self.seats:
            if not bool(torch.stack([p.detach().isfinite().all() for p in seat.moving.parameters]).all()):
                self._diverged(self.round, {seat.title("gradient"): torch.tensor(math.nan)})
        gathered = [b for n in self.networks.values() for b in n.buffers() if b.is_floating_point()]
        self._processes.average_(gathered)
        self._good = deepcopy(self.state_dict())

    def _diverged(self, number: int, terms: Mapping[str, Tensor]) -> None:
        """Go back to the last good state, and say which term went wrong."""
        name, value = next(
            ((n, float(t)) for n, t in terms.items() if not math.isfinite(float(t))), ("", math.nan)
        )
        player, _, term = name.partition("/")
        self._unchecked.clear()
        self.load_state_dict(self._good)
        msg = (
            f"{player}: term {term!r} is {value} in round {number}. The match is back in its state after "
            f"round {self.round}. Look for extreme values in the data, or lower the learning rate."
        )
        raise DivergedError(msg)


def play(match: Match, batches: BatchSource, *, rounds: int, watchers: Sequence[Watcher] = ()) -> None:
    """Play some more rounds of a match.

    In a round every player takes its turns, in playing order. Turn u of every player is played on mini-batch
    u of the round. The networks are left in evaluation mode.

    Parameters
    ----------
    match
        Moves on in place.
    batches
        Where mini-batches come from, on the match's device.
    rounds
        How many rounds to play from here.
    watchers
        Called after every round that they want.

    Raises
    ------
    ConfigError
        If there is nothing to play.
    DivergedError
        If a term is not finite: names player, term and round. The match is then in its last good state.
    """
    if rounds < 1:
        msg = f"Cannot play rounds={rounds}; give at least 1."
        raise ConfigError(msg)
    last_round = match.round + rounds
    with match.in_play():
        match.check()
        try:
            while match.round < last_round:
                terms = match.play_round(batches)
                if match.round % _CHECK_EVERY == 0 or match.round == last_round:
                    match.check()
                _show(match, terms, last_round, watchers)
        except StopPlay:
            match.check()


def _show(match: Match, terms: Mapping[str, Tensor], last_round: int, watchers: Sequence[Watcher]) -> None:
    """Call the watchers that want this round."""
    report: RoundReport | None = None
    for watch in watchers:
        wants = getattr(watch, "wants", None)
        if wants is not None and not wants(match.round, last_round):
            continue
        report = report or RoundReport(match, last_round=last_round, terms=terms)
        if getattr(watch, "terms_only", False):
            watch(report)
        else:
            with match.resting():
                watch(report)
