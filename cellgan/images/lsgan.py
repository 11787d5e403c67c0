"""The least squares GAN (Mao et al., 2017).

Equation 9, with the labels a = 0 for generated, b = 1 for real and c = 1 for what the generator wants:

    D descends  ½ E (D(x) - b)² + ½ E (D(G(z)) - a)²
    G descends  ½ E (D(G(z)) - c)²

where D is the raw score. Cross-entropy lets go of what D takes for real already; the squares pull it in to
the score of real data, be it ever so far on the right side.

Departures from the paper
-------------------------
- Adam; the networks are whatever is given.

References
----------
Mao et al. (2017), Least squares generative adversarial networks. ICCV, arXiv:1611.04076.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.core.losses import LEAST_SQUARES
from cellgan.core.player import ADAM, OptimizerFactory
from cellgan.images.gan import Gan

if TYPE_CHECKING:
    from torch import nn


def lsgan(
    generator: nn.Module, discriminator: nn.Module, *, n_noise: int, optimizer: OptimizerFactory = ADAM
) -> Gan:
    """Return the game: that of the GAN, but for its losses.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    discriminator
        From data to raw scores ``(n, 1)``.
    n_noise
        Length of the noise.
    optimizer
        Of both players.
    """
    return Gan(generator, discriminator, n_noise, LEAST_SQUARES, optimizer)
