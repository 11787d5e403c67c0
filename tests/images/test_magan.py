from __future__ import annotations

import math

import torch

from cellgan.core import Batches, Match, play, seeded
from cellgan.images.domains import bold, turned
from cellgan.images.magan import Components, LabelledPairs, magan_for_images

ANGLE = math.radians(120)
TURN = torch.tensor([[math.cos(ANGLE), math.sin(ANGLE)], [-math.sin(ANGLE), math.cos(ANGLE)]])


def two(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two clouds on either side of the middle: turned by 120 or by 300 degrees they look alike."""
    which = torch.arange(n) % 2
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 0.3])
    return torch.stack([2.0 * which - 1, torch.zeros(n)], 1) + noise, which


def right(partner: int) -> float:
    """Return the share of points that arrive on the side where they belong, told of one pair."""
    a, which = two(600)
    b = a @ TURN
    with seeded(0):
        game = magan_for_images(2, correspondence=LabelledPairs(a[:1], b[[partner]]))
    with torch.no_grad():
        for generator in (game.generator_ab, game.generator_ba):
            generator.weight.mul_(0.01)  # a start that leans to neither side
    play(Match(game, seed=0), Batches({"a": a, "b": b}, size=64, seed=0), rounds=160)
    with torch.no_grad():
        nearest = torch.cdist(game.generator_ab(a), b).argmin(1)
    return float((which[nearest] == which).float().mean())


def test_one_pair_decides_who_belongs_to_whom():
    assert right(partner=0) > 0.95
    assert right(partner=1) < 0.05  # the same game, told the opposite


def test_components_hold_what_images_are_made_of():
    parts = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    amounts = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    x = torch.einsum("nk,kchw->nchw", amounts, parts) + 1
    components = Components.of(x, 3)
    z = components.encode(x)
    assert torch.allclose(components.decode(z), x, atol=1e-4)
    assert torch.isclose(z.square().mean(), torch.tensor(1.0), atol=1e-4)
    assert not torch.allclose(Components.of(x, 2).decode(Components.of(x, 2).encode(x)), x, atol=1e-2)


def test_a_quarter_turn_moves_every_pixel_to_its_place_and_bold_strokes_are_wider():
    x = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.allclose(turned(x, 90), torch.rot90(x, 1, (2, 3)), atol=1e-5)
    dot = -torch.ones(1, 1, 4, 4)
    dot[..., 2, 2] = 1
    assert torch.equal(bold(dot).clamp(min=0).sum(), torch.tensor(4.0))
