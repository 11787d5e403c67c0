"""The deep convolutional GAN (Radford et al., 2016).

The game is Goodfellow's (see `Gan`); what is new is what the players are made of, and that it stays in
balance: strided convolutions up and down, batch normalisation in both, and Adam with learning rate 2e-4 and
β₁ = 0.5.

Departures from the paper
-------------------------
- Images of 8, 16 or 32 pixels instead of 64, with 16 instead of 128 channels at the widest image, noise that
  is normal instead of uniform.
- The discriminator sees real and generated images in mini-batches of their own, so that each is normalised by
  itself; so does the paper's code, the text does not say.

References
----------
Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative
adversarial networks. ICLR, arXiv:1511.06434.
"""

from __future__ import annotations

from cellgan.core.nets import dcgan_discriminator, dcgan_generator
from cellgan.core.player import ADAM, OptimizerFactory
from cellgan.images.gan import Gan


def dcgan(
    n_channels: int,
    *,
    side: int,
    n_noise: int = 16,
    width: int = 16,
    optimizer: OptimizerFactory = ADAM,
) -> Gan:
    """Return the game on images ``(n, n_channels, side, side)`` from -1 to 1.

    Parameters
    ----------
    n_channels
        Channels of the images.
    side
        Their height and width: 8, 16, 32 or so on.
    n_noise
        Length of the noise.
    width
        Channels beside the image; each halving of its side doubles them.
    optimizer
        Of both players.
    """
    return Gan(
        dcgan_generator(n_noise, n_channels, side=side, width=width),
        dcgan_discriminator(n_channels, side=side, width=width),
        n_noise,
        optimizer=optimizer,
    )
