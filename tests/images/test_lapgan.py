from __future__ import annotations

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.core.nets.resizing import halve
from cellgan.errors import ConfigError
from cellgan.images.lapgan import LapGan


class CoarseBlind(nn.Module):
    """A discriminator that sees the image, and not the coarse one that it must fit."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), mlp(4, 1, hidden=(32, 32)))

    def forward(self, both: torch.Tensor) -> torch.Tensor:
        fine = both[:, 1:] - torch.nn.functional.interpolate(halve(both[:, 1:]), scale_factor=2.0)
        return self.net(fine) + 0 * both.sum((1, 2, 3))[:, None]


def stripes(n: int) -> torch.Tensor:
    """Images of 2 x 2 pixels: bright ones are striped across, dark ones are striped down."""
    bright = torch.rand(n, 1, 1, 1, generator=torch.Generator().manual_seed(0)) - 0.5
    across, along = torch.tensor([[0.5, 0.5], [-0.5, -0.5]]), torch.tensor([[0.5, -0.5], [0.5, -0.5]])
    return bright + torch.where(bright > 0, across, along)


def fitting(discriminator: nn.Module) -> float:
    """Return the share of drawn images whose stripes are those that their brightness calls for."""
    with seeded(0):
        game = LapGan(
            (
                nn.Sequential(mlp(1, 1, hidden=(16,)), nn.Unflatten(1, (1, 1, 1))),
                nn.Sequential(nn.Flatten(), mlp(8, 4, hidden=(32, 32)), nn.Unflatten(1, (1, 2, 2))),
            ),
            (nn.Sequential(nn.Flatten(), mlp(1, 1, hidden=(16,))), discriminator),
            n_noise=1,
            optimizer=Adam(lr=2e-3),
        )
    x = stripes(1000)
    play(Match(game, seed=0), Batches({"x": x}, size=64, seed=0), rounds=400)
    with torch.no_grad(), seeded(1):
        small, large = game.draw(500)
        assert torch.allclose(halve(large), small, atol=1e-6)
        drawn = game.add_detail(1, halve(x))
    return float((torch.cdist(drawn.flatten(1), x.flatten(1)).diagonal() < 0.5).float().mean())


def test_the_detail_fits_the_coarse_image_if_the_discriminator_sees_both():
    with seeded(0):
        seeing = nn.Sequential(nn.Flatten(), mlp(8, 1, hidden=(32, 32)))
        blind = CoarseBlind()
    assert fitting(seeing) > 0.8
    assert fitting(blind) < 0.65


def test_a_pyramid_with_a_storey_missing_is_refused():
    with pytest.raises(ConfigError, match="2 generators and 1 discriminators"):
        LapGan((mlp(1, 1), mlp(1, 1)), (mlp(1, 1),), n_noise=1)
