from __future__ import annotations

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.gran import Painter, gran


class Blind(nn.Module):
    """An encoder that sees nothing of the canvas."""

    def forward(self, canvas: torch.Tensor) -> torch.Tensor:
        return canvas.new_zeros(len(canvas), 8)


class Short(nn.Module):
    """At most 0.4 each way."""

    def forward(self, stroke: torch.Tensor) -> torch.Tensor:
        return 0.4 * stroke.tanh()


def painter(n_steps: int, *, encoder: nn.Module | None = None) -> Painter:
    decoder = nn.Sequential(mlp(12, 2, hidden=(32, 32)), Short())
    encoder = encoder or mlp(2, 8, hidden=(32,))
    return Painter(encoder, decoder, n_noise=4, shape=(2,), n_steps=n_steps, squash=lambda canvas: canvas)


def reached(n_steps: int) -> float:
    """Return the share of a cloud's points, all beyond one stroke, that something drawn comes near to."""
    x = 0.9 + 0.15 * torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    with seeded(0):
        game = gran(painter(n_steps), mlp(2, 1, hidden=(32, 32)), optimizer=Adam(lr=2e-3))
    play(Match(game, seed=0), Batches({"x": x}, size=64, seed=0), rounds=250)
    with torch.no_grad(), seeded(1):
        drawn = game.draw(torch.empty(2000, 2))
    return float((torch.cdist(x, drawn).min(1).values < 0.3).float().mean())


def test_several_strokes_reach_what_one_cannot():
    assert reached(3) > 0.3
    assert reached(1) < 0.1


def test_each_stroke_depends_on_what_was_painted():
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    with seeded(0), torch.no_grad():
        seeing, blind = painter(3), painter(3, encoder=Blind())
        first, second, third = seeing.strokes(z)
        assert not torch.equal(first, second)
        assert torch.allclose(seeing(z), first + second + third)
        assert torch.allclose(seeing.canvases(z)[1], first + second)
        first, second, _ = blind.strokes(z)
        assert torch.equal(first, second)


def test_the_discriminator_moves_at_its_own_rate():
    for rate in (1e-3, 1e-2):
        with seeded(0):
            game = gran(painter(2), mlp(2, 1), optimizer=Adam(), discriminator_optimizer=Adam(lr=rate))
        before = [p.clone() for p in game.discriminator.parameters()]
        still = [p.clone() for p in game.generator.parameters()]
        play(Match(game, seed=0), Batches({"x": torch.randn(64, 2)}, size=64, seed=0), rounds=1)
        # Adam's first step is the rate itself wherever there is a slope.
        for network, was, step in ((game.discriminator, before, rate), (game.generator, still, 2e-4)):
            moved = max(
                float((p - q).detach().abs().max()) for p, q in zip(network.parameters(), was, strict=True)
            )
            assert moved == pytest.approx(step, rel=0.01)


def test_no_step_is_refused():
    with pytest.raises(ConfigError, match="n_steps=0"):
        painter(0)
