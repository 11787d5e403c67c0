"""A small U-Net: a network from images to as many maps as there are labels.

References
----------
Ronneberger et al. (2015), U-Net: convolutional networks for biomedical image segmentation. As in later
practice (Isensee et al. 2021, nnU-Net) borders are padded, and instance normalisation and leaky ReLU follow
each convolution; the way up repeats its pixels instead of a transposed convolution.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cellgan.errors import ConfigError


class UNet(nn.Module):
    """Down by halves to ever more channels, and up again beside what was seen on the way down.

    Parameters
    ----------
    n_in
        Channels in, ``(n, n_in, h, w)``.
    n_out
        Maps out, ``(n, n_out, h, w)``: raw scores.
    width
        Channels at full size; each level has twice those of the level above.
    levels
        How many sizes there are; h and w are multiples of ``2 ** (levels - 1)``.

    Raises
    ------
    ConfigError
        If a size makes no network.
    """

    def __init__(self, n_in: int, n_out: int, *, width: int = 8, levels: int = 5) -> None:
        super().__init__()
        if min(n_in, n_out, width) < 1 or levels < 2:
            msg = (
                f"A U-Net of {n_in} channels in, {n_out} out, width={width} and levels={levels}: expected "
                "at least 1, 1, 1 and 2."
            )
            raise ConfigError(msg)
        widths = [width * 2**level for level in range(levels)]
        self.multiple = 2 ** (levels - 1)
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise([n_in, *widths]))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in reversed(list(pairwise(widths))))
        self.last = nn.Conv2d(width, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw scores of each label, ``(n, n_out, h, w)``."""
        if x.shape[-1] % self.multiple or x.shape[-2] % self.multiple:
            msg = f"This U-Net takes sides that are multiples of {self.multiple}, not {tuple(x.shape[-2:])}."
            raise ConfigError(msg)
        seen: list[Tensor] = []
        for number, block in enumerate(self.down):
            x = block(x if number == 0 else nn.functional.max_pool2d(x, 2))
            seen.append(x)
        for block, beside in zip(self.up, reversed(seen[:-1]), strict=True):
            x = block(torch.cat([beside, interpolate(x, scale_factor=2.0, mode="nearest")], 1))
        scores: Tensor = self.last(x)
        return scores


def _block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(*_layer(n_in, n_out), *_layer(n_out, n_out))


def _layer(n_in: int, n_out: int) -> list[nn.Module]:
    # The normalisation takes the mean away, and with it any bias.
    return [
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.InstanceNorm2d(n_out, affine=True),
        nn.LeakyReLU(0.01, inplace=True),
    ]
