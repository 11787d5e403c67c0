from __future__ import annotations

import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.images.bigan import BiGan


class CodeBlind(nn.Module):
    """A discriminator that sees the data, and not the code beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(2, 1, hidden=(32, 32))

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        return self.net(both[:, :2]) + 0 * both.sum(1, keepdim=True)


def agreement(discriminator: nn.Module) -> float:
    """Return the smallest correlation of a code with the code of what is generated from it."""
    x = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0)) @ torch.tensor(
        [[1.5, 0.5], [0, 0.7]]
    )
    with seeded(0):
        game = BiGan(
            mlp(2, 2, hidden=(32,)), mlp(2, 2, hidden=(32,)), discriminator, 2, optimizer=Adam(lr=3e-3)
        )
    play(Match(game, seed=0), Batches({"x": x}, size=128, seed=0), rounds=800)
    with torch.no_grad():
        z = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1))
        again = game.encoder(game.generator(z))
    return min(float(torch.corrcoef(torch.stack([z[:, i], again[:, i]]))[0, 1]) for i in range(2))


def test_the_encoder_inverts_the_generator_if_the_discriminator_sees_both():
    with seeded(0):
        seeing, blind = mlp(4, 1, hidden=(32, 32)), CodeBlind()
    assert agreement(seeing) > 0.8
    assert agreement(blind) < 0.6
