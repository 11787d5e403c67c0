"""Convolutional generators and discriminators of the DCGAN.

Strided convolutions instead of pooling, batch normalisation but at the generator's end and the
discriminator's start, ReLU in the generator and leaky ReLU in the discriminator, weights drawn from N(0,
0.02²).

References
----------
Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative
adversarial networks, section 3.
"""

from __future__ import annotations

from torch import nn

from cellgan.errors import ConfigError

_START = 4  # pixels


def dcgan_generator(n_noise: int, n_out: int, *, side: int = 16, width: int = 16) -> nn.Sequential:
    """Return a network from noise ``(n, n_noise)`` to images ``(n, n_out, side, side)`` from -1 to 1.

    Parameters
    ----------
    n_noise
        Length of the noise.
    n_out
        Channels out.
    side
        Height and width: 8, 16, 32 or so on.
    width
        Channels before the last layer; each halving of the side doubles them.

    Raises
    ------
    ConfigError
        If a size makes no network.
    """
    doublings = _halvings(side, n_noise, n_out, width)
    channels = width * 2 ** (doublings - 1)
    layers: list[nn.Module] = [
        nn.Unflatten(1, (n_noise, 1, 1)),
        nn.ConvTranspose2d(n_noise, channels, _START, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    ]
    for _ in range(doublings - 1):
        layers += [
            nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(inplace=True),
        ]
        channels //= 2
    layers += [nn.ConvTranspose2d(channels, n_out, 4, stride=2, padding=1), nn.Tanh()]
    return _drawn(nn.Sequential(*layers))


def dcgan_discriminator(n_in: int, *, side: int = 16, width: int = 16, n_out: int = 1) -> nn.Sequential:
    """Return a network from images ``(n, n_in, side, side)`` to raw scores ``(n, n_out)``.

    Parameters
    ----------
    n_in
        Channels in.
    side
        Height and width: 8, 16, 32 or so on.
    width
        Channels after the first layer; each halving of the side doubles them.
    n_out
        Numbers out.

    Raises
    ------
    ConfigError
        If a size makes no network.
    """
    halvings = _halvings(side, n_in, n_out, width)
    layers: list[nn.Module] = [
        nn.Conv2d(n_in, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    channels = width
    for _ in range(halvings - 1):
        layers += [
            nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        channels *= 2
    return _drawn(nn.Sequential(*layers, nn.Conv2d(channels, n_out, _START), nn.Flatten()))


def _halvings(side: int, *sizes: int) -> int:
    halvings = (side // _START).bit_length() - 1
    if min(sizes) < 1 or halvings < 1 or side != _START * 2**halvings:
        msg = (
            f"A network for images of side={side} with channels {list(sizes)}: expected a side of 8, 16, 32 "
            "or so on, and at least 1 channel each."
        )
        raise ConfigError(msg)
    return halvings


def _drawn(network: nn.Sequential) -> nn.Sequential:
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
    return network
