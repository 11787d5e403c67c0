from __future__ import annotations

import pytest
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.evaluation.parallel import critic_gap, jensen_shannon
from cellgan.images.toys import Segment, segment
from cellgan.images.wgan import Wgan

FAST = Adam(lr=5e-3, betas=(0.0, 0.99))


def new_game(shift: float, *, clip: float = 0.1) -> Wgan:
    with seeded(0):
        return Wgan(Segment(shift), mlp(2, 1, hidden=(32, 32)), n_noise=1, clip=clip, optimizer=FAST)


def test_the_gap_grows_with_the_distance_and_jensen_shannon_does_not():
    gaps = [critic_gap(new_game(0.0), d, rounds=30, seed=0) for d in (0.0, 0.25, 0.5, 1.0)]
    assert abs(gaps[0]) < 0.1 * gaps[3]
    assert gaps[1] / gaps[3] == pytest.approx(0.25, abs=0.1)
    assert gaps[2] / gaps[3] == pytest.approx(0.5, abs=0.1)
    near, far = (jensen_shannon(d, rounds=150, seed=0) for d in (0.25, 1.0))
    assert near > 0.9 * far


def test_without_clipping_the_gap_has_no_bound():
    bound = critic_gap(new_game(0.0), 0.5, rounds=30, seed=0)
    assert critic_gap(new_game(0.0, clip=1e9), 0.5, rounds=30, seed=0) > 10 * bound


def test_the_generator_crosses_the_gap_and_the_weights_keep_their_bound():
    game = new_game(0.5, clip=0.1)
    play(Match(game, seed=0), Batches({"x": segment(2000, seed=0)}, size=128, seed=0), rounds=130)
    assert abs(float(game.generator.shift.detach())) < 0.1
    assert max(float(p.detach().abs().max()) for p in game.critic.parameters()) <= 0.1 + 1e-6


def test_a_clip_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="clip=0"):
        Wgan(nn.Linear(1, 2), nn.Linear(2, 1), n_noise=1, clip=0)
