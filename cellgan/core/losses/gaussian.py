"""Normal distributions that a network gives: draws that have a slope, and how far one is from another.

With mean μ and variance σ², one a feature,

    draw = μ + σ ε,    ε ~ N(0, 1)
    KL(N(μ, σ²) ‖ N(m, s²)) = ½ Σ (σ²/s² + (μ - m)²/s² - 1 - log σ²/s²)

References
----------
Kingma and Welling (2014), Auto-encoding variational Bayes, section 2.4 and appendix B. ICLR, arXiv:1312.6114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cellgan.errors import ConfigError


@dataclass(frozen=True)
class Gaussian:
    """One normal distribution a row, its features independent of each other.

    Parameters
    ----------
    mean
        ``(n, n_features)``.
    log_variance
        Of the same shape.
    """

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, raw: Tensor) -> Gaussian:
        """Read a network's output ``(n, 2 * n_features)``: the means, then the logarithms of the variances.

        Raises
        ------
        ConfigError
            If there is no variance for every mean.
        """
        if raw.shape[1] % 2:
            msg = f"A Gaussian is read from as many means as variances; a width of {raw.shape[1]} is odd."
            raise ConfigError(msg)
        mean, log_variance = raw.chunk(2, 1)
        return cls(mean, log_variance)

    @classmethod
    def around(cls, mean: Tensor) -> Gaussian:
        """Return N(μ, 1) of the means ``(n, n_features)``."""
        return cls(mean, torch.zeros_like(mean))

    def draw(self) -> Tensor:
        """Return one draw a row, with a slope in mean and variance (the reparameterisation trick)."""
        return torch.addcmul(self.mean, (0.5 * self.log_variance).exp(), torch.randn_like(self.mean))

    def kl(self, prior: Gaussian | None = None) -> Tensor:
        """Return KL(self ‖ prior) in nats, summed over features, the mean over rows; N(0, 1) by default."""
        if prior is None:
            prior = Gaussian.around(torch.zeros_like(self.mean))
        excess = self.log_variance - prior.log_variance
        apart = (self.mean - prior.mean).square() * (-prior.log_variance).exp()
        return 0.5 * (excess.exp() + apart - 1 - excess).flatten(1).sum(1).mean()

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Return log N(x; μ, σ²) in nats, summed over features, one a row, ``(n,)``; x is shaped like μ."""
        apart = (x - self.mean).square() * (-self.log_variance).exp()
        return -0.5 * (math.log(2 * math.pi) + self.log_variance + apart).flatten(1).sum(1)
