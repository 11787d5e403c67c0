"""What the core owes every game, tested on every game."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from cellgan.core import Batches, History, Match, load_match, play, save_match, seeded
from cellgan.core.player import Batch, Game, Player, Terms
from cellgan.cytof.magan import LabelledPairs, Magan, SharedMarkers
from cellgan.errors import DivergedError
from cellgan.images.gan import Gan
from cellgan.images.wgan_gp import WganGp


def network(n_in: int, n_out: int, *, norm: bool = False) -> nn.Sequential:
    middle = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(nn.Linear(n_in, 8), *middle, nn.LeakyReLU(0.2), nn.Linear(8, n_out))


def table(n: int, seed: int) -> torch.Tensor:
    return torch.randn(60, n, generator=torch.Generator().manual_seed(seed))


def gan() -> Gan:
    return Gan(network(2, 3, norm=True), network(3, 1, norm=True), n_noise=2)


def wgan_gp() -> WganGp:
    return WganGp(network(2, 3, norm=True), network(3, 1), n_noise=2, n_critic=3)


def magan(correspondence) -> Magan:
    generators = network(3, 4, norm=True), network(4, 3, norm=True)
    return Magan(*generators, network(3, 1), network(4, 1), correspondence)


X = {"x": table(3, 1)}
AB = {"a": table(3, 1), "b": table(4, 2)}
PAIRS = LabelledPairs(AB["a"][:2], AB["b"][:2])
GAMES: dict[str, tuple[Callable[[], Game], dict[str, torch.Tensor]]] = {
    "GAN": (gan, X),
    "WGAN-GP": (wgan_gp, X),
    "MAGAN with shared markers": (lambda: magan(SharedMarkers((0, 1), (3, 1))), AB),
    "MAGAN with labelled pairs": (lambda: magan(PAIRS), AB),
    "MAGAN with nothing known": (lambda: magan(None), AB),
}


@pytest.fixture(params=GAMES)
def example(request):
    """A function that makes a game, always the same, and its mini-batches."""
    make, tables = GAMES[request.param]

    def made() -> Game:
        with seeded(0):
            return make()

    return made, Batches(tables, size=16, seed=0)


@dataclass
class Spied:
    """A game whose turns are recorded: `look` is called at the start and at the end of each."""

    game: Game
    look: Callable[[Player, str, Terms], None]

    def players(self):
        return [self._spy(player) for player in self.game.players()]

    def spectators(self):
        return self.game.spectators()

    def _spy(self, player: Player) -> Player:
        def objective(batch: Batch) -> Terms:
            terms = player.objective(batch)
            self.look(player, "start", terms)
            return terms

        return replace(player, objective=objective, after_update=lambda: self.look(player, "end", {}))


def picture(match: Match) -> dict[str, dict[str, torch.Tensor | None]]:
    """All that a turn could change, by network."""
    return {
        name: {
            **{key: value.clone() for key, value in network.state_dict().items()},
            **{f"{key}.grad": deepcopy(p.grad) for key, p in network.named_parameters()},
        }
        for name, network in match.networks.items()
    }


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_each_player_moves_its_own_networks_and_leaves_no_trace_in_others(example):
    make, batches = example
    pictures: list[dict] = []

    def look(player: Player, when: str, terms: Terms) -> None:
        now = picture(match)
        if when == "start":
            pictures.append(now)
            return
        for name, before in pictures[-1].items():
            if name in player.networks:
                weights = [key for key, _ in match.networks[name].named_parameters()]
                assert any(not same(before[key], now[name][key]) for key in weights), f"{name} did not move"
            else:
                assert same(before, now[name]), f"{name} changed on the turn of {player.name}"

    match = Match(Spied(make(), look), seed=0)
    play(match, batches, rounds=3)
    assert len(pictures) == 3 * sum(player.updates for player in match.game.players())


def test_every_term_has_a_slope_into_its_player(example):
    make, batches = example
    slopes: dict[str, float] = {}

    def look(player: Player, when: str, terms: Terms) -> None:
        parameters = [p for net in player.networks.values() for p in net.parameters()]
        for name, term in terms.items():
            found = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
            slopes[f"{player.name}/{name}"] = sum(float(g.abs().sum()) for g in found if g is not None)

    play(Match(Spied(make(), look), seed=0), batches, rounds=1)
    assert slopes
    assert all(slope > 0 for slope in slopes.values()), slopes


def test_stopping_and_going_on_is_the_same_as_never_stopping(example, tmp_path):
    make, batches = example
    through, before, after = (Match(make(), seed=3) for _ in range(3))
    play(through, batches, rounds=7)
    play(before, batches, rounds=4)
    save_match(before, tmp_path / "match")
    torch.rand(5)  # somebody else draws in between
    load_match(after, tmp_path / "match")
    play(after, batches, rounds=3)
    assert same(through.state_dict(), after.state_dict())


def test_the_seed_decides_and_the_callers_randomness_is_left_alone(example):
    make, batches = example
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    matches = [Match(make(), seed=seed) for seed in (1, 1, 2)]
    for match in matches:
        play(match, batches, rounds=2)
    assert torch.equal(torch.rand(3), expected)
    assert same(matches[0].state_dict(), matches[1].state_dict())
    assert not same(matches[0].state_dict()["random"], matches[2].state_dict()["random"])


@dataclass
class Spoiled:
    """Mini-batches of which one table is NaN from some number on."""

    batches: Batches
    first: int

    def __getitem__(self, index: int) -> Batch:
        batch = dict(self.batches[index])
        if index >= self.first:
            batch["a" if "a" in batch else "x"] = torch.full((16, 3), torch.nan)
        return batch


@pytest.mark.parametrize("checks_turns", [True, False], ids=["as on a CPU", "as on a GPU"])
def test_nan_stops_the_match_with_player_term_and_round_and_keeps_the_last_good_state(example, checks_turns):
    make, batches = example
    match, good = Match(make(), seed=0), Match(make(), seed=0)
    match.checks_turns = checks_turns
    play(match, batches, rounds=4)
    play(good, batches, rounds=4)
    drawn = match.batches_drawn // 4
    first = match.game.players()[0].name
    with pytest.raises(DivergedError, match=rf"^{first}: term 'real' is nan in round 7\..*after round 4\."):
        play(match, Spoiled(batches, first=6 * drawn), rounds=10)
    assert match.round == 4
    assert same(match.state_dict(), good.state_dict())


def test_nobody_waits_for_the_device_in_rounds_that_nobody_watches(example):
    make, batches = example
    match = Match(make(), seed=0)
    match.checks_turns = False  # as on a GPU
    calls: list[str] = []

    class Count(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            calls.append(str(func))
            return func(*args, **(kwargs or {}))

    history = History()
    with Count():
        play(match, batches, rounds=2, watchers=[history])
    few = sum("_local_scalar_dense" in call for call in calls)
    with Count():
        play(match, batches, rounds=10, watchers=[history])
    many = sum("_local_scalar_dense" in call for call in calls) - few
    assert sum("aten.mm" in call for call in calls) > 80
    assert many == few  # at the beginning and the end of play, and never in between
    assert len(history.rounds) == 12
