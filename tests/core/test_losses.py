"""Every loss against a closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from cellgan.core.losses import (
    HINGE,
    LEAST_SQUARES,
    NON_SATURATING,
    WASSERSTEIN,
    clip_,
    fool_both,
    gradient_penalty,
    r1,
    tell_apart,
)

FAMILIES = {
    "non-saturating": NON_SATURATING,
    "least squares": LEAST_SQUARES,
    "hinge": HINGE,
    "Wasserstein": WASSERSTEIN,
}


def log_sigmoid(s: float) -> float:
    return math.log(1 / (1 + math.exp(-s)))


@pytest.mark.parametrize(
    ("family", "real", "fake", "fool"),
    [
        (
            "non-saturating",
            lambda s: -log_sigmoid(s),
            lambda s: -math.log(1 - 1 / (1 + math.exp(-s))),
            lambda s: -log_sigmoid(s),
        ),
        ("least squares", lambda s: (s - 1) ** 2 / 2, lambda s: s**2 / 2, lambda s: (s - 1) ** 2 / 2),
        ("hinge", lambda s: max(0, 1 - s), lambda s: max(0, 1 + s), lambda s: -s),
        ("Wasserstein", lambda s: -s, lambda s: s, lambda s: -s),
    ],
)
def test_families_are_their_papers_equations(family, real, fake, fool):
    values = [-3.0, -0.4, 0.0, 0.7, 2.0]
    scores = torch.tensor(values).view(-1, 1)
    loss = FAMILIES[family]
    for got, expected in ((loss.real, real), (loss.fake, fake), (loss.fool, fool)):
        assert float(got(scores)) == pytest.approx(sum(map(expected, values)) / len(values), rel=1e-5)


def test_each_domains_discriminator_is_shown_its_own_data_and_what_is_mapped_there():
    batch = {
        name: torch.tensor([[value]]) for name, value in (("a", 1.0), ("b", 2.0), ("ab", 3.0), ("ba", 5.0))
    }
    both = batch, lambda x: 10 * x, lambda x: 100 * x, WASSERSTEIN
    told = tell_apart(*both)
    assert {name: float(term) for name, term in told.items()} == {"real": -(10 + 200), "fake": 50 + 300}
    assert float(fool_both(*both)) == -(50 + 300)


@pytest.mark.parametrize("family", FAMILIES)
def test_fooling_raises_the_score(family):
    score = torch.tensor([[-2.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(FAMILIES[family].fool(score), score)
    assert float(slope) < -0.5


def test_non_saturating_keeps_its_slope_where_the_discriminator_is_sure_and_never_overflows():
    score = torch.tensor([[-50.0]], requires_grad=True)
    (fooling,) = torch.autograd.grad(NON_SATURATING.fool(score), score)
    (minimax,) = torch.autograd.grad(-NON_SATURATING.fake(score), score)
    assert float(fooling) == pytest.approx(-1)
    assert float(minimax) == pytest.approx(0, abs=1e-12)
    assert math.isfinite(float(NON_SATURATING.real(torch.tensor([[-1e4]]))))


def test_best_discriminator_scores_the_log_ratio():
    """At score = log p/q of two points, p = (.8, .2) and q = (.3, .7), the loss has no slope (Goodfellow)."""
    score = torch.tensor([math.log(0.8 / 0.3), math.log(0.2 / 0.7)], requires_grad=True)
    loss = sum(
        p * NON_SATURATING.real(s) + q * NON_SATURATING.fake(s)
        for p, q, s in zip((0.8, 0.2), (0.3, 0.7), score, strict=True)
    )
    (slope,) = torch.autograd.grad(loss, score)
    assert slope.tolist() == pytest.approx([0, 0], abs=1e-7)


def linear(*weights: float) -> nn.Linear:
    layer = nn.Linear(len(weights), 1)
    layer.weight.data = torch.tensor([weights])
    return layer


def test_gradient_penalty_of_a_linear_critic_is_its_slopes_distance_from_one():
    critic = linear(3.0, 4.0)
    penalty = gradient_penalty(critic, torch.randn(8, 2), torch.randn(8, 2))
    assert penalty.item() == pytest.approx((5 - 1) ** 2)
    (slope,) = torch.autograd.grad(penalty, critic.weight)
    assert slope.flatten().tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5])


def test_gradient_penalty_looks_between_real_and_generated_one_draw_a_row():
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.square().sum(1, keepdim=True)

    gradient_penalty(critic, torch.ones(500, 2), -torch.ones(500, 2))
    (between,) = seen
    assert torch.equal(between[:, 0], between[:, 1])  # on the line
    assert between.min() < -0.9
    assert between.max() > 0.9
    assert abs(float(between.mean())) < 0.1


def test_r1_is_half_the_squared_slope_at_the_data():
    assert r1(linear(3.0, 4.0), torch.randn(8, 2)).item() == pytest.approx(25 / 2)
    x = torch.tensor([[1.0, 2.0], [0.0, 3.0]])  # slope of the squared norm is 2x
    assert r1(lambda x: x.square().sum(1), x).item() == pytest.approx(0.5 * (4 * 5 + 4 * 9) / 2)


def test_clip_bounds_weights_in_place():
    critic = linear(3.0, -0.005)
    with torch.no_grad():
        clip_(critic.parameters(), 0.01)
    assert critic.weight.flatten().tolist() == pytest.approx([0.01, -0.005])
