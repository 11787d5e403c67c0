from __future__ import annotations

import pytest
import torch

from cellgan.core import Batches, Match, play, seeded
from cellgan.core.nets.growing import GrowingCritic, GrowingGenerator
from cellgan.core.nets.resizing import double, halve
from cellgan.errors import ConfigError
from cellgan.images.evaluation.fading import change
from cellgan.images.progressive import ProgressiveGan


def game(*, phase: int = 4) -> ProgressiveGan:
    with seeded(0):
        return ProgressiveGan(
            GrowingGenerator(5, 1, widths=(8, 8, 4)),
            GrowingCritic(1, widths=(8, 8, 4)),
            n_noise=5,
            phase=phase,
        )


def at(network: torch.nn.Module, grown: float) -> torch.nn.Module:
    network.grown.fill_(grown)
    return network


def test_nothing_jumps_while_a_size_fades_in_and_without_fading_everything_does():
    generator, critic = game().generator, game().critic
    z = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for level in (0, 1):
            before = at(generator, level)(z)
            score = at(critic, level)(before)
            after = at(generator, level + 1e-5)(z)
            assert torch.allclose(after, double(before), atol=1e-3)
            assert torch.allclose(at(critic, level + 1e-5)(after), score, atol=1e-3)
            jumped = at(generator, level + 1)(z)
            assert float((jumped - double(before)).abs().mean()) > 0.01


def test_the_change_of_fading_in_is_measured_and_leaves_the_game_as_it_was():
    played = game()
    at(played.generator, 0.5)
    assert change(played, 1e-5, seed=0) < 1e-3
    assert change(played, 1.0, seed=0) > 0.01
    assert float(played.generator.grown) == 0.5


def test_images_grow_with_the_rounds_and_real_ones_with_them():
    played = game()
    match = Match(played, seed=0)
    x = torch.rand(32, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    sides = []
    for _ in range(10):
        play(match, Batches({"x": x}, size=8, seed=0), rounds=2)
        with torch.no_grad():
            assert played.draw(1).shape == played.at_size(x)[:1].shape
        sides.append(played.at_size(x).shape[-1])
    assert sides == sorted(sides)
    assert (sides[0], sides[3], sides[-1]) == (4, 8, 16)
    assert float(played.critic.grown) == 2.0
    played.generator.grown.fill_(1.5)
    half = 0.5 * x + 0.5 * double(halve(x))
    assert torch.allclose(played.at_size(x), half, atol=1e-6)


def test_a_match_that_was_stopped_grows_on():
    x = torch.rand(32, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    batches = Batches({"x": x}, size=8, seed=0)
    whole, first, second = (Match(game(), seed=0) for _ in range(3))
    play(whole, batches, rounds=11)
    play(first, batches, rounds=5)
    second.load_state_dict(first.state_dict())
    play(second, batches, rounds=6)
    for name, network in whole.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, second.networks[name].state_dict()[key])


def test_networks_of_other_sizes_are_refused():
    with pytest.raises(ConfigError, match="3 sizes to draw and 2 to score"):
        ProgressiveGan(
            GrowingGenerator(5, 1, widths=(8, 8, 4)), GrowingCritic(1, widths=(8, 8)), n_noise=5, phase=1
        )
    with pytest.raises(ConfigError, match="widths"):
        GrowingCritic(1, widths=(8,))
