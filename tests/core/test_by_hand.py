"""The first rounds of each game against a loop written by hand from the paper's algorithm, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss, softplus

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.cytof.magan import LabelledPairs, Magan, SharedMarkers
from cellgan.images.gan import Gan
from cellgan.images.wgan_gp import WganGp

ROUNDS = 3
ADAM = Adam(lr=0.01)


def by_torch(parameters):
    """The optimizer as torch makes it, with the same settings."""
    return torch.optim.Adam(parameters, lr=ADAM.lr, betas=ADAM.betas, fused=True)


def nets(*sizes: tuple[int, int]) -> list[nn.Sequential]:
    with seeded(0):
        return [nn.Sequential(nn.Linear(n_in, 8), nn.Tanh(), nn.Linear(8, n_out)) for n_in, n_out in sizes]


def table(n: int, seed: int) -> torch.Tensor:
    return torch.randn(60, n, generator=torch.Generator().manual_seed(seed))


def move(loss: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Step without the core's freezing: gradients reach others too, and are thrown away by their step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def assert_same(networks, by_hand):
    for network, hand in zip(networks, by_hand, strict=True):
        for p, q in zip(network.parameters(), hand.parameters(), strict=True):
            assert torch.equal(p, q)


def test_gan():
    batches = Batches({"x": table(3, 1)}, size=16, seed=0)
    game = Gan(*nets((2, 3), (3, 1)), n_noise=2, optimizer=ADAM)
    play(Match(game, seed=4), batches, rounds=ROUNDS)

    g, d = by_hand = nets((2, 3), (3, 1))
    moves_g, moves_d = by_torch(g.parameters()), by_torch(d.parameters())
    with seeded(4):
        for i in range(ROUNDS):
            x = batches[i]["x"]
            move(softplus(-d(x)).mean() + softplus(d(g(torch.randn(16, 2)))).mean(), moves_d)
            move(softplus(-d(g(torch.randn(16, 2)))).mean(), moves_g)
    assert_same((game.generator, game.discriminator), by_hand)


def test_wgan_gp():
    batches = Batches({"x": table(3, 1)}, size=16, seed=0)
    game = WganGp(*nets((2, 3), (3, 1)), n_noise=2, n_critic=3, optimizer=ADAM)
    play(Match(game, seed=4), batches, rounds=ROUNDS)

    g, f = by_hand = nets((2, 3), (3, 1))
    moves_g, moves_f = by_torch(g.parameters()), by_torch(f.parameters())
    with seeded(4):
        for i in range(ROUNDS):
            for step in range(3):
                x = batches[3 * i + step]["x"]
                y = g(torch.randn(16, 2)).detach()
                gap = -f(x).mean() + f(y).mean()
                between = torch.lerp(y, x, torch.rand(16, 1)).requires_grad_()
                (slope,) = torch.autograd.grad(f(between).sum(), between, create_graph=True)
                penalty = (slope.square().sum(1).sqrt() - 1).square().mean()
                move(gap + 10 * penalty, moves_f)
            move(-f(g(torch.randn(16, 2))).mean(), moves_g)
    assert_same((game.generator, game.critic), by_hand)


@pytest.mark.parametrize("reconstructions", ["real", "unseen"])
@pytest.mark.parametrize("known", ["shared markers", "labelled pairs"])
def test_magan(known, reconstructions):
    tables = {"a": table(3, 1), "b": table(4, 2)}
    pair_a, pair_b = tables["a"][:2], tables["b"][:2]
    correspondence = (
        SharedMarkers((0, 2), (3, 1)) if known == "shared markers" else LabelledPairs(pair_a, pair_b)
    )
    batches = Batches(tables, size=16, seed=0)
    sizes = (3, 4), (4, 3), (3, 1), (4, 1)
    game = Magan(*nets(*sizes), correspondence, 0.7, 2.0, reconstructions=reconstructions, optimizer=ADAM)
    play(Match(game, seed=4), batches, rounds=ROUNDS)

    g12, g21, d1, d2 = by_hand = nets(*sizes)
    moves_d, moves_g = (
        by_torch([*d1.parameters(), *d2.parameters()]),
        by_torch([*g12.parameters(), *g21.parameters()]),
    )
    for i in range(ROUNDS):
        x1, x2 = batches[i]["a"], batches[i]["b"]
        x12, x21 = g12(x1), g21(x2)
        x121, x212 = g21(x12), g12(x21)
        shown = [(x1, x21, x121), (x2, x12, x212)]
        scores = [
            d(torch.cat([y.detach() for y in three[: 3 if reconstructions == "real" else 2]])).split(16)
            for d, three in zip((d1, d2), shown, strict=True)
        ]
        loss = softplus(-scores[0][0]).mean() + softplus(-scores[1][0]).mean()
        loss = loss + (softplus(scores[0][1]).mean() + softplus(scores[1][1]).mean())
        if reconstructions == "real":
            loss = loss + (softplus(-scores[0][2]).mean() + softplus(-scores[1][2]).mean())
        move(loss, moves_d)
        if known == "shared markers":
            l_c = mse_loss(x12[:, [3, 1]], x1[:, [0, 2]]) + mse_loss(x21[:, [0, 2]], x2[:, [3, 1]])
        else:
            l_c = mse_loss(g12(pair_a), pair_b) + mse_loss(g21(pair_b), pair_a)
        l_d = softplus(-d2(x12)).mean() + softplus(-d1(x21)).mean()
        move(l_d + 2.0 * (mse_loss(x121, x1) + mse_loss(x212, x2)) + 0.7 * l_c, moves_g)
    networks = game.generator_ab, game.generator_ba, game.discriminator_a, game.discriminator_b
    assert_same(networks, by_hand)
