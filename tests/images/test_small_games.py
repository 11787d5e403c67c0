"""Every variant does on a toy what it is for, and does not with its mechanism switched off."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.losses import Gaussian
from cellgan.core.nets import PixelNoise, mlp
from cellgan.images.adversarial_autoencoder import AdversarialAutoencoder
from cellgan.images.conditional_gan import ConditionalGan
from cellgan.images.conditional_vae import ConditionalVae
from cellgan.images.dcgan import dcgan
from cellgan.images.evaluation.neighbour_test import neighbour_accuracy
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein
from cellgan.images.gmmn import Gmmn
from cellgan.images.image_data import digits
from cellgan.images.infogan import InfoGan
from cellgan.images.lsgan import lsgan
from cellgan.images.toys import Normal
from cellgan.images.vae import Vae

FAST = Adam(lr=5e-3)
CENTRES = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.5], [0.0, -1.5]])


@pytest.fixture(autouse=True)
def _seeded():
    with seeded(0):
        yield


def blobs(n: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    """Four Gaussians, and which each point is from."""
    y = torch.arange(n) % 4
    return CENTRES[y] + 0.1 * torch.randn(n, 2), y


def played(game, rows: dict, rounds: int, *, together=()):
    play(Match(game, seed=0), Batches(rows, size=128, seed=0, together=together), rounds=rounds)
    return game


class Deaf(ConditionalGan):
    """Its discriminator is not told the class."""

    def judge(self, x, y):
        return super().judge(x, torch.zeros_like(y))


@pytest.mark.parametrize(("kind", "low", "high"), [(ConditionalGan, 0.9, 1.0), (Deaf, 0.0, 0.7)])
def test_a_conditional_gan_draws_the_class_that_it_is_asked_for(kind, low, high):
    x, y = blobs()
    game = kind(mlp(4 + 4, 2, hidden=(32, 32)), mlp(2 + 4, 1, hidden=(32, 32)), 4, 4, optimizer=FAST)
    played(game, {"x": x, "y": y}, 400, together=(("x", "y"),))
    with torch.no_grad():
        nearest = torch.cdist(game.draw(y), CENTRES).argmin(1)
    assert low <= float((nearest == y).float().mean()) <= high


@pytest.mark.parametrize(("weight", "low", "high"), [(1.0, 1.0, 1.4), (0.0, -9.0, 0.2)])
def test_infogans_code_can_be_read_from_what_is_drawn(weight, low, high):
    game = InfoGan(
        mlp(2 + 4, 2, hidden=(32, 32)),
        nn.Sequential(mlp(2, 32, hidden=(32,)), nn.LeakyReLU(0.2)),
        nn.Linear(32, 1),
        nn.Linear(32, 4),
        n_noise=2,
        n_categories=4,
        information_weight=weight,
        optimizer=FAST,
    )
    played(game, {"x": blobs()[0]}, 200)
    with torch.no_grad():
        assert low < game.bound(2000) < high  # log 4 is 1.386


def test_infogans_numbers_are_read_with_a_spread_of_1():
    silent = nn.Linear(3, 4 + 2)
    nn.init.zeros_(silent.weight)
    nn.init.zeros_(silent.bias)
    game = InfoGan(mlp(8, 3), nn.Identity(), nn.Linear(3, 1), silent, 2, 4, 2, number_weight=0.5)
    category, numbers = game.codes(50)
    with torch.no_grad():
        terms = game.information(game.draw(category, numbers), category, numbers)
    assert float(terms["numbers"]) == pytest.approx(0.5 * float(numbers.square().mean()) / 2)
    assert float(terms["category"]) == pytest.approx(math.log(4))


@pytest.mark.parametrize(("heard", "low", "high"), [(True, 0.4, 0.65), (False, 0.75, 1.0)])
def test_an_adversarial_autoencoders_codes_lie_like_the_prior(heard, low, high):
    x = 3 * torch.rand(2000, 2)
    game = AdversarialAutoencoder(
        mlp(2, 2, hidden=(32, 32)),
        mlp(2, 2, hidden=(32, 32)),
        mlp(2, 1, hidden=(32, 32)),
        2,
        optimizer=Adam(lr=2e-3),
        adversarial_optimizer=FAST if heard else Adam(lr=1e-9),
    )
    played(game, {"x": x}, 400)
    with torch.no_grad():
        codes = game.encoder(x[:500])
        assert low < neighbour_accuracy(codes, torch.randn(500, 2)) < high
        assert float((game.decoder(codes) - x[:500]).square().mean()) < 0.1


def test_a_vae_comes_near_the_true_likelihood_from_below():
    loading = torch.tensor([[1.5, 0.5, -1.0, 0.0], [0.0, 1.0, 0.5, -0.5]])
    x = torch.randn(4000, 2) @ loading + 0.3 * torch.randn(4000, 4)
    truth = torch.distributions.MultivariateNormal(torch.zeros(4), loading.T @ loading + 0.09 * torch.eye(4))
    expected = float(truth.log_prob(x).mean())

    def bound(kl_weight: float) -> float:
        game = Vae(nn.Linear(4, 4), nn.Linear(2, 4), PixelNoise((4,)), 2, kl_weight=kl_weight)
        game = replace(game, optimizer=Adam(lr=3e-2, betas=(0.9, 0.999), decay_steps=400))
        played(game, {"x": x}, 400)
        return game.bound(x)

    assert expected - 0.15 < bound(1.0) < expected + 0.02
    assert bound(0.01) < expected - 1


def test_the_divergence_is_the_mean_over_draws():
    q = Gaussian(torch.tensor([[0.5, -1.0]]), torch.tensor([[0.3, -0.7]]))
    p = Gaussian(torch.tensor([[0.0, 0.2]]), torch.tensor([[-0.2, 0.1]]))
    many = Gaussian(q.mean.expand(100_000, 2), q.log_variance.expand(100_000, 2))
    z = many.draw()
    drawn = many.log_likelihood(z) - Gaussian(
        p.mean.expand_as(z), p.log_variance.expand_as(z)
    ).log_likelihood(z)
    assert float(q.kl(p)) == pytest.approx(float(drawn.mean()), rel=0.02)


@pytest.mark.parametrize(("kl_weight", "low", "high"), [(1.0, 0.35, 0.65), (100.0, -0.01, 0.1)])
def test_a_conditional_vae_gives_either_of_two_answers(kl_weight, low, high):
    x = torch.rand(2000, 1)
    y = x * torch.where(torch.rand(2000, 1) < 0.5, 1.0, -1.0) * 2 + 0.05 * torch.randn(2000, 1)
    game = ConditionalVae(
        mlp(2, 2, hidden=(32,)),
        mlp(1, 2, hidden=(16,)),
        mlp(2, 1, hidden=(32, 32)),
        PixelNoise((1,)),
        kl_weight=kl_weight,
        optimizer=Adam(lr=5e-3, betas=(0.9, 0.999)),
    )
    played(game, {"x": x, "y": y}, 600, together=(("x", "y"),))
    with torch.no_grad():
        answers = game.draw(torch.full((1000, 1), 0.8))  # 1.6 or -1.6; on average 0
    near = [float(((answers - sign * 1.6).abs() < 0.4).float().mean()) for sign in (1, -1)]
    assert low < min(near) < high


@pytest.mark.parametrize(("bandwidths", "left"), [((0.5, 2.0), 0.15), ((1e-3,), 10.0)])
def test_moment_matching_needs_a_kernel_as_wide_as_the_gap(bandwidths, left):
    game = played(
        Gmmn(Normal(2.0, 1.0), 1, bandwidths, optimizer=Adam(lr=0.02)), {"x": torch.randn(2000, 1)}, 300
    )
    found = abs(float(game.generator.mean.detach()))
    assert found < left
    assert left < 1 or found > 1.5


def test_an_lsgan_finds_the_mean():
    game = lsgan(Normal(2.0, 1.0), mlp(1, 1, hidden=(32,)), n_noise=1, optimizer=Adam(lr=0.01))
    played(game, {"x": torch.randn(2000, 1)}, 400)
    assert abs(float(game.generator.mean.detach())) < 0.3


def test_a_dcgan_learns_and_only_from_its_discriminator():
    x = digits().x

    def apart(*, heard: bool) -> float:
        game = dcgan(1, side=8, width=16, optimizer=Adam(lr=2e-3))
        if not heard:
            for parameter in list(game.discriminator.parameters()):
                parameter.data.zero_()
            game = replace(game, optimizer=Adam(lr=1e-12))
        played(game, {"x": x}, 150)
        with torch.no_grad():
            return sliced_wasserstein(game.draw(torch.empty(500)), x, directions=50)

    assert apart(heard=True) < 0.5 * apart(heard=False)
