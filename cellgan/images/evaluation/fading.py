"""How much a growing generator's images change as a size begins to fade in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import seeded
from cellgan.core.nets.resizing import double

if TYPE_CHECKING:
    from cellgan.images.progressive import ProgressiveGan

_N = 64  # images


def change(game: ProgressiveGan, alpha: float, *, seed: int) -> float:
    """Return the mean absolute change of a pixel from the image before, doubled, as the last size fades in.

    Parameters
    ----------
    game
        Its generator is left as grown as it was.
    alpha
        How far the last size is faded in, from 0 to 1.
    seed
        Of the noise, of which all images are drawn.
    """
    generator = game.generator
    grown = float(generator.grown)
    with torch.no_grad(), seeded(seed):
        z = torch.randn(_N, game.n_noise)
        generator.grown.fill_(generator.last - 1)
        before = double(generator(z))
        generator.grown.fill_(generator.last - 1 + alpha)
        apart = float((generator(z) - before).abs().mean())
        generator.grown.fill_(grown)
    return apart
