"""Several segmenters that decide together.

Networks that were trained alike from different first weights err differently, and the mean of their
probabilities errs less than each does (Lakshminarayanan et al. 2017, Simple and scalable predictive
uncertainty estimation using deep ensembles).
"""

from __future__ import annotations

import math
from copy import deepcopy

import torch
from torch import Tensor, nn

from cellgan.core.nets.unet import UNet
from cellgan.errors import ConfigError


class Committee(nn.Module):
    """U-Nets of one shape, each with its own first weights; what counts is the mean of their probabilities.

    It is a body, which finds features, and a head, which finds labels in them: ``head(body(x))``. Parameters
    are those of `UNet`.

    Parameters
    ----------
    n_in
        Channels in, ``(n, n_in, h, w)``.
    n_out
        Maps out, ``(n, n_out, h, w)``.
    width
        Channels of a member at full size.
    members
        How many.

    Raises
    ------
    ConfigError
        If a size makes no network, or there is no member.
    """

    def __init__(self, n_in: int, n_out: int, *, width: int = 8, members: int = 1) -> None:
        super().__init__()
        if members < 1:
            msg = f"A committee of {members} members; expected at least 1."
            raise ConfigError(msg)
        networks = [UNet(n_in, n_out, width=width) for _ in range(members)]
        self.head = Vote(network.last for network in networks)
        for network in networks:
            network.last = nn.Identity()  # type: ignore[assignment]
        self.body: nn.Module = Beside(networks)

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw scores of a single member, or the logarithm of the mean of the probabilities."""
        scores: Tensor = self.head(self.body(x))
        return scores

    def each(self, x: Tensor) -> list[Tensor]:
        """Return the raw scores of every member, ``(n, n_out, h, w)``."""
        return self.head.each(self.body(x))

    def with_body(self, body: nn.Module) -> Committee:
        """Return a copy whose head finds labels in the features of a copy of another body."""
        other = deepcopy(self)
        other.body = deepcopy(body)
        return other.eval()

    def with_members_of(self, other: Committee) -> Committee:
        """Return a committee of copies of both's members."""
        both = deepcopy(self)
        both.body = Beside([*both.body.children(), *deepcopy(other.body).children()])
        both.head = Vote([*both.head, *deepcopy(other.head)])
        return both.eval()


class Beside(nn.ModuleList):
    """Networks that look at the same image; their features are put beside each other."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n, members * features, h, w)``."""
        return torch.cat([network(x) for network in self], 1)


class Vote(nn.ModuleList):
    """Last layers, each for its own share of the features."""

    def each(self, features: Tensor) -> list[Tensor]:
        """Return the raw scores of every member, ``(n, n_out, h, w)``."""
        shares = features.chunk(len(self), 1)
        return [last(share) for last, share in zip(self, shares, strict=True)]

    def forward(self, features: Tensor) -> Tensor:
        """Return the raw scores of a single member, or the logarithm of the mean of the probabilities."""
        scores = self.each(features)
        if len(scores) == 1:
            return scores[0]
        return torch.stack([one.log_softmax(1) for one in scores]).logsumexp(0) - math.log(len(scores))
