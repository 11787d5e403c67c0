"""Who moves when, who is still, and what is computed once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
import torch
from torch import nn

from cellgan.core import Match, Player, pick, play, seeded
from cellgan.core.nets import residual_mlp
from cellgan.errors import ConfigError, DivergedError

X = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
BATCHES = [{"x": X + i} for i in range(200)]


@dataclass
class Table:
    """A game of given players."""

    seated: list[Player]
    watching: dict[str, nn.Module] = field(default_factory=dict)

    def players(self) -> list[Player]:
        return self.seated

    def spectators(self) -> dict[str, nn.Module]:
        return self.watching


class Counted(nn.Module):
    """A layer that notes each of its passes: whether it had a graph, and on which mini-batch."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.passes: list[tuple[int, bool]] = []

    def forward(self, x):
        y = self.layer(x)
        self.passes.append((round(float(x.detach().mean() - X.mean())), y.requires_grad))
        return y


def shared_game(*, order: str, updates: tuple[int, int] = (1, 1)) -> tuple[Table, Counted, list]:
    generator, critic, seen = Counted(), nn.Linear(3, 1), []

    def want(sign: float):
        def objective(batch):
            seen.append((batch["y"].requires_grad, bool((batch["y"] == generator.layer(batch["x"])).all())))
            return {"score": sign * critic(batch["y"]).mean()}

        return objective

    players = [
        Player("critic", {"critic": critic}, want(1), updates=updates[0]),
        Player(
            "generator",
            {"generator": generator},
            want(-1),
            updates=updates[1],
            forward=lambda batch: {"y": generator(batch["x"])},
        ),
    ]
    return Table(players if order == "owner last" else players[::-1]), generator, seen


@pytest.mark.parametrize(
    ("order", "updates", "passes"),
    [
        ("owner last", (1, 1), [(0, True)]),  # once for both
        ("owner first", (1, 1), [(0, True), (0, False)]),  # the owner has moved in between
        ("owner last", (3, 1), [(0, True), (1, False), (2, False)]),
        ("owner last", (2, 2), [(0, True), (1, False), (1, True)]),
    ],
)
def test_what_two_players_need_is_computed_once_while_it_stands(order, updates, passes):
    game, generator, seen = shared_game(order=order, updates=updates)
    play(Match(game, seed=0), BATCHES, rounds=1)
    assert generator.passes == passes
    owners = [True] * updates[1]
    others = [False] * updates[0]
    live = others + owners if order == "owner last" else owners + others
    assert [graph for graph, _ in seen] == live  # a graph for the owner alone
    assert all(fresh for _, fresh in seen)


def normed() -> nn.Sequential:
    spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
    return nn.Sequential(spectral, nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 1))


def buffers(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.named_buffers()}


def changed(network: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(value, before[name]) for name, value in network.named_buffers())


def test_statistics_of_others_and_of_spectators_stay_still():
    one, other, spectator = normed(), normed(), normed()
    fixed = buffers(spectator)
    turns = []

    def turn(own: nn.Module, still: nn.Module):
        def objective(batch):
            before_own, before_still = buffers(own), buffers(still)
            score = own(batch["x"]).mean() + still(batch["x"]).mean() + spectator(batch["x"]).mean()
            turns.append((changed(own, before_own), changed(still, before_still), changed(spectator, fixed)))
            assert not any(p.requires_grad for p in (*still.parameters(), *spectator.parameters()))
            assert torch.equal(spectator(batch["x"]), spectator(batch["x"]))  # evaluation mode: no dropout
            return {"score": score}

        return objective

    game = Table(
        [Player("one", {"one": one}, turn(one, other)), Player("other", {"other": other}, turn(other, one))],
        {"spectator": spectator},
    )
    match = Match(game, seed=0)
    play(match, BATCHES, rounds=3)
    assert turns == [(True, False, False)] * 6
    assert "spectator" in match.state_dict()["networks"]
    for network in (one, other, spectator):
        assert not network.training
        assert all(p.requires_grad for p in network.parameters())
        assert network[1].track_running_stats


def test_held_still_is_normalised_by_the_mini_batch_as_in_training():
    own, norm = nn.Linear(3, 1), nn.BatchNorm1d(3)
    means = []

    def objective(batch):
        shown = norm(batch["x"])
        means.append(shown.mean(0).abs().max().item())
        return {"score": own(shown).mean()}

    players = [
        Player("own", {"own": own}, objective),
        Player("norm", {"norm": norm}, lambda b: {"s": norm(b["x"]).square().mean()}),
    ]
    play(Match(Table(players), seed=0), BATCHES[50:], rounds=1)
    assert means[0] < 1e-5  # its running mean is 0 still, the data's is about 50


def test_a_layer_that_its_maker_froze_stays_frozen():
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    before = network[0].weight.clone()
    play(
        Match(Table([Player("p", {"n": network}, lambda b: {"s": network(b["x"]).mean()})]), seed=0),
        BATCHES,
        rounds=2,
    )
    assert torch.equal(network[0].weight, before)
    assert [p.requires_grad for p in network.parameters()] == [False, False, True, True]


def test_players_may_share_a_network_and_the_second_sees_it_moved():
    trunk, head = nn.Linear(3, 3), nn.Linear(3, 1)
    fresh = []

    def judge(batch):
        fresh.append(torch.equal(batch["y"], trunk(batch["x"])))
        return {"score": head(batch["y"]).square().mean()}

    players = [
        Player("first", {"trunk": trunk}, lambda b: {"s": trunk(b["x"]).mean()}),
        Player("both", {"trunk": trunk, "head": head}, judge, forward=lambda b: {"y": trunk(b["x"])}),
        Player("again", {"trunk": trunk}, lambda b: {"s": trunk(b["x"]).mean()}),
        Player("head", {"head": head}, judge),
    ]
    play(Match(Table(players), seed=0), BATCHES, rounds=2)
    assert fresh == [True] * 4


def test_a_gradient_that_is_nan_is_found_although_every_term_is_finite():
    network = residual_mlp(3)

    def objective(batch):
        moved = network(batch["x"]) - batch["x"]  # zero at first, where the root's slope is infinite
        return {"distance": moved.square().sum().sqrt()}

    match = Match(Table([Player("mover", {"n": network}, objective)]), seed=0)
    with pytest.raises(DivergedError, match=r"mover: term '(gradient|distance)' is nan in round [12]\."):
        play(match, BATCHES, rounds=1)
    assert all(p.isfinite().all() for p in network.parameters())


def player(**changes) -> Player:
    network = nn.Linear(3, 1)
    return replace(Player("p", {"n": network}, lambda b: {"s": network(b["x"]).mean()}), **changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: player(name="a/b"), "without '/'"),
        (lambda: player(updates=0), "updates=0"),
        (lambda: player(networks={"n": nn.Flatten()}), "no parameter that can move"),
        (lambda: Match(Table([]), seed=0), "at least one player"),
        (lambda: Match(Table([player(), player()]), seed=0), "Two players have one name: p, p"),
        (lambda: Match(Table([player(), player(name="q")]), seed=0), "'n' stands for two networks"),
        (
            lambda: Match(Table([one := player()], {"spectator": one.networks["n"]}), seed=0),
            "is a spectator, but",
        ),
        (lambda: play(Match(Table([player()]), seed=0), BATCHES, rounds=0), "rounds=0"),
        (lambda: turn(lambda _: {}), "depends on its networks: n"),
        (lambda: turn(lambda b: {"s": b["x"].mean()}), "depends on its networks: n"),
        (lambda: turn(lambda b: {"s": b["x"]}), r"p/s has shape \(16, 3\); a term is a scalar"),
        (lambda: turn(lambda b: {"s": b["x"]}, forward=lambda b: {"x": b["x"]}), "shows 'x', a name that"),
    ],
)
def test_games_that_cannot_be_played_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def turn(objective, **changes) -> None:
    play(Match(Table([player(objective=objective, **changes)]), seed=0), BATCHES, rounds=1)


def test_devices_are_picked_by_name_and_what_is_absent_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick("auto") == pick("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="no 'cuda' that torch can use"):
        pick("cuda")
    with pytest.raises(ConfigError, match="no device called 'gpu'"):
        pick("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick("auto") == torch.device("cuda")


def test_residual_networks_start_as_the_identity_and_can_leave_it():
    with seeded(0):
        network = residual_mlp(3, blocks=2)
    assert torch.equal(network(X), X)
    play(
        Match(
            Table([Player("p", {"n": network}, lambda b: {"s": (network(b["x"]) - 1).square().mean()})]),
            seed=0,
        ),
        BATCHES,
        rounds=1,
    )
    assert not torch.equal(network(X), X)
