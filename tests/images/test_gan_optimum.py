from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cellgan.core import seeded
from cellgan.core.losses import LEAST_SQUARES, NON_SATURATING, SATURATING
from cellgan.images.demos import gan, lsgan, optimal_discriminator
from cellgan.images.demos.optimal_discriminator import DEMO, DiscriminatorAlone
from cellgan.images.slopes import pull


def figures() -> list[float]:
    return [measure.value for measure in DEMO.run(rounds=250).result.measures]


def test_the_discriminator_finds_p_over_p_plus_q_and_the_games_value():
    distance, value = figures()
    assert distance < 0.03
    assert value < 0.03


def test_with_another_loss_it_finds_something_else(monkeypatch):
    def squares(*args, **options):
        return replace(DiscriminatorAlone(*args, **options), adversary=LEAST_SQUARES)

    monkeypatch.setattr(optimal_discriminator, "DiscriminatorAlone", squares)
    distance, value = figures()
    assert distance > 0.1
    assert value > 0.1


def test_the_quadrature_against_a_mean_over_draws():
    with seeded(0):
        x, generated = torch.randn(200_000), 1.5 + 0.7 * torch.randn(200_000)
    p = torch.distributions.Normal(0.0, 1.0)
    q = torch.distributions.Normal(1.5, 0.7)

    def d(at: torch.Tensor) -> torch.Tensor:
        return (p.log_prob(at) - q.log_prob(at)).sigmoid()

    value = float(d(x).log().mean() + (1 - d(generated)).log().mean())
    assert optimal_discriminator.best_value() == pytest.approx(value, abs=0.005)


def test_only_the_non_saturating_form_pulls_where_the_discriminator_is_sure():
    game, x = gan.confident(0), torch.empty(500, 2)
    with seeded(0):
        strong, weak = (pull(game, loss, x) for loss in (NON_SATURATING, SATURATING))
    assert strong > 10 * weak


def test_only_squares_pull_at_what_is_taken_for_real_already():
    game, x = lsgan.fooled(0), torch.empty(500, 2)
    with seeded(0):
        squares, entropy = (pull(game, loss, x) for loss in (game.adversary, NON_SATURATING))
    assert game.adversary is LEAST_SQUARES
    assert squares > 10 * entropy
