"""Fully convolutional discriminators: a score for each neighbourhood instead of one for the whole image.

References
----------
Isola et al. (2017), Image-to-image translation with conditional adversarial networks, section 3.2.2.
"""

from __future__ import annotations

from torch import nn

from cellgan.errors import ConfigError


def patch_discriminator(n_in: int, *, width: int = 16, halvings: int = 4) -> nn.Sequential:
    """Return convolutions that halve the image and score each place that is left.

    Parameters
    ----------
    n_in
        Channels in, ``(n, n_in, h, w)``.
    width
        Channels after the first halving; each further halving doubles them.
    halvings
        How often sides are halved: scores are ``(n, 1, h / 2 ** halvings, w / 2 ** halvings)``. Four see 78
        pixels around each place with the last convolution. What is much larger than what a score sees, or
        rare, leaves most scores with nothing to tell.

    Raises
    ------
    ConfigError
        If a size makes no network.
    """
    if min(n_in, width, halvings) < 1:
        msg = f"A discriminator of n_in={n_in}, width={width}, halvings={halvings}: expected at least 1 each."
        raise ConfigError(msg)
    layers: list[nn.Module] = []
    channels = n_in
    for level in range(halvings):
        following = width * 2**level
        layers.append(nn.Conv2d(channels, following, 4, stride=2, padding=1, bias=level == 0))
        if level:  # not on the first: how bright the image is tells something
            layers.append(nn.InstanceNorm2d(following, affine=True))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        channels = following
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, padding=1))
