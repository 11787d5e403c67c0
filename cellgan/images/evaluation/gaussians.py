"""Simple densities of images that a learned one has to beat: a Gaussian a pixel, or one with covariances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core.losses import Gaussian

if TYPE_CHECKING:
    from torch import Tensor


def pixel_model(x: Tensor, x_test: Tensor) -> float:
    """Return the log-likelihood of held-out images under a Gaussian for each pixel by itself, in nats."""
    mean, variance = x.mean(0, keepdim=True), x.var(0, keepdim=True)
    own = Gaussian(mean.expand_as(x_test), variance.log().expand_as(x_test))
    return float(own.log_likelihood(x_test).mean())


def full_model(x: Tensor, x_test: Tensor) -> float:
    """Return the same under one Gaussian with all covariances, a tenth of them shrunk to the diagonal."""
    flat = x.flatten(1)
    covariance = torch.cov(flat.T)
    shrunk = 0.9 * covariance + 0.1 * covariance.diagonal().diag()
    gaussian = torch.distributions.MultivariateNormal(flat.mean(0), shrunk, validate_args=False)
    return float(gaussian.log_prob(x_test.flatten(1)).mean())  # type: ignore[no-untyped-call]
