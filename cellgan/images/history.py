"""Older generated images, for discriminators that shall not forget.

Of each mini-batch about half is shown as it is, the other half is swapped for older images, which it then
replaces (Shrivastava et al., 2017, section 2.3).

References
----------
Shrivastava et al. (2017), Learning from simulated and unsupervised images through adversarial training. CVPR,
arXiv:1612.07828.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cellgan.errors import ConfigError


class ImageHistory(nn.Module):
    """A pool of images; list it among a game's spectators, so that it is saved with the match.

    Parameters
    ----------
    n_images
        How many are held; Zhu et al. (2017) hold 50.
    shape
        Of one image, without the rows' axis.

    Raises
    ------
    ConfigError
        If it can hold nothing.
    """

    images: Tensor
    n_held: Tensor

    def __init__(self, n_images: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        if n_images < 1:
            msg = f"A history of n_images={n_images} holds nothing; give at least 1, or no history at all."
            raise ConfigError(msg)
        self.register_buffer("images", torch.zeros(n_images, *shape))
        self.register_buffer("n_held", torch.zeros((), dtype=torch.long))

    def forward(self, new: Tensor) -> Tensor:
        """Return as many images ``(n, ...)``, some of them older, and hold on to some of the new ones."""
        held, room = int(self.n_held), len(self.images)
        fresh = min(room - held, len(new))
        with torch.no_grad():
            self.images[held : held + fresh] = new[:fresh]
            self.n_held += fresh
        if fresh == len(new):
            return new
        swapped = fresh + torch.nonzero(torch.rand(len(new) - fresh, device=new.device) < 0.5).flatten()
        swapped = swapped[:room]
        places = torch.randperm(room, device=new.device)[: len(swapped)]
        shown = new.detach().clone()
        with torch.no_grad():
            shown[swapped] = self.images[places]
            self.images[places] = new[swapped]
        return shown
