"""Networks that start as the identity and learn what to add to it.

References
----------
He et al. (2016), Deep residual learning for image recognition. Shaham et al. (2017), Removal of batch effects
using distribution-matching residual networks: the first to correct cytometry batches so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.nets.mlp import mlp
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Residual(nn.Module):
    """x + f(x), the identity at first.

    Parameters
    ----------
    change
        f. The parameters of its last linear or convolution layer are set to zero.
    """

    def __init__(self, change: nn.Module) -> None:
        super().__init__()
        self.change = change
        layers = [m for m in change.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        if not layers:
            msg = "A residual needs a linear or convolution layer, to start at zero; this network has none."
            raise ConfigError(msg)
        with torch.no_grad():
            for parameter in layers[-1].parameters():
                parameter.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return x and what is added to it, of the shape of x."""
        return torch.add(x, self.change(x))


def residual_mlp(
    n: int, *, hidden: Sequence[int] = (128, 128), blocks: int = 1, slope: float = 0.2
) -> nn.Module:
    """Return perceptrons that add to their input, one after the other; the whole starts as the identity.

    Parameters
    ----------
    n
        Features in and out, ``(n_cells, n)``.
    hidden
        Hidden widths of each perceptron.
    blocks
        How many perceptrons.
    slope
        Slope of the leaky ReLU where its input is negative.
    """
    if blocks < 1:
        msg = f"A residual network of blocks={blocks} is the identity for ever; give at least 1."
        raise ConfigError(msg)
    parts = [Residual(mlp(n, n, hidden=hidden, slope=slope)) for _ in range(blocks)]
    return parts[0] if blocks == 1 else nn.Sequential(*parts)
