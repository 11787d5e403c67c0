"""GRAN, the recurrent adversarial network: a generator that paints a canvas step by step (Im et al., 2016).

The generator (section 4), with noise z and a canvas that starts empty, repeats T times

    h_z = tanh(W z + b),    h_c = g(ΔC_t-1),    ΔC_t = f([h_z, h_c])

where the encoder g sees what was painted last, and the decoder f paints more. The image is the squashed sum

    C = σ(ΔC_1 + ... + ΔC_T).

The game is that of Goodfellow et al. (2014). With T = 1 this is a plain GAN.

Departures from the paper
-------------------------
- The same noise at every step.
- Any encoder and decoder can be given; the paper's are convolutional.
- The encoder sees the image as it is so far, σ(ΔC_1 + ... + ΔC_t-1), instead of the last stroke alone: what
  is missing can only be seen on the whole canvas.
- The discriminator can be given an optimizer of its own. The same weights paint all T strokes, so that a
  step of theirs moves the image about T times as far as in a plain GAN: at equal rates the painter outruns
  the discriminator, and ends in one place. T times the painter's rate made up for it.

References
----------
Im et al. (2016), Generating images with recurrent adversarial networks. arXiv:1602.05110.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, OptimizerFactory
from cellgan.errors import ConfigError
from cellgan.images.gan import Gan

if TYPE_CHECKING:
    from collections.abc import Callable


class Painter(nn.Module):
    """The generator: from noise ``(n, n_noise)`` to images, in steps.

    Parameters
    ----------
    encoder
        g, from a canvas ``(n, ...)`` to ``(n, n_seen)``.
    decoder
        f, from ``(n, n_noise + n_seen)`` to what is added to the canvas, of its shape.
    n_noise
        Length of the noise, and of h_z.
    shape
        Of one canvas, without the rows' axis.
    n_steps
        T.
    squash
        σ, from the summed canvas to the image.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        n_noise: int,
        shape: tuple[int, ...],
        n_steps: int = 3,
        squash: Callable[[Tensor], Tensor] = torch.sigmoid,
    ) -> None:
        super().__init__()
        if n_steps < 1:
            msg = f"A painter of n_steps={n_steps} leaves the canvas empty; give at least 1."
            raise ConfigError(msg)
        self.encoder, self.decoder = encoder, decoder
        self.embed = nn.Linear(n_noise, n_noise)
        self.shape, self.n_steps, self.squash = shape, n_steps, squash

    def strokes(self, z: Tensor) -> list[Tensor]:
        """Return what is added at each step, ΔC_t."""
        h_z = self.embed(z).tanh()
        canvas = z.new_zeros(len(z), *self.shape)
        painted = []
        for _ in range(self.n_steps):
            painted.append(self.decoder(torch.cat([h_z, self.encoder(self.squash(canvas))], 1)))
            canvas = canvas + painted[-1]
        return painted

    def canvases(self, z: Tensor) -> list[Tensor]:
        """Return the image as it would be after each step."""
        return [self.squash(canvas) for canvas in accumulate(self.strokes(z))]

    def forward(self, z: Tensor) -> Tensor:
        """Return the image after the last step."""
        return self.canvases(z)[-1]


def gran(
    painter: Painter,
    discriminator: nn.Module,
    *,
    adversary: AdversarialLoss = NON_SATURATING,
    optimizer: OptimizerFactory = ADAM,
    discriminator_optimizer: OptimizerFactory | None = None,
) -> Gan:
    """Return the game between a painter and one discriminator; mini-batches hold ``x``."""
    n_noise = painter.embed.in_features
    return Gan(painter, discriminator, n_noise, adversary, optimizer, discriminator_optimizer)
