"""Parzen windows: the likelihood of held-out data under Gaussians set on generated samples.

    log p(x) = log 1/n Σ_i N(x; g_i, σ² I),    σ chosen on validation data

**Caveat.** In more than a few dimensions this is no estimate of the likelihood: no number of samples is
enough, and a model that stores k-means centres beats the true one (Theis et al. 2016). It is here because
early papers report it. In two dimensions it can be believed.

References
----------
Breuleux et al. (2011), Quickly generating representative samples from an RBM-derived process. Goodfellow et
al. (2014), Generative adversarial nets, section 5. Theis, van den Oord and Bethge (2016), A note on the
evaluation of generative models, section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

WIDTHS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2)


@dataclass(frozen=True)
class Parzen:
    """A mean log-likelihood in nats, its standard error, and the width that validation chose."""

    log_likelihood: float
    standard_error: float
    sigma: float


def parzen(
    generated: Tensor, validation: Tensor, test: Tensor, *, sigmas: Sequence[float] = WIDTHS
) -> Parzen:
    """Score held-out data.

    Parameters
    ----------
    generated
        Where the windows stand, ``(n, ...)``.
    validation, test
        Real data, ``(m, ...)``: to choose the width, and to score.
    sigmas
        Widths to choose from, in the units of the data.

    Raises
    ------
    ConfigError
        If a width is not above 0.
    """
    if not sigmas or min(sigmas) <= 0:
        msg = f"The widths of the windows are {list(sigmas)}; expected one or more numbers above 0."
        raise ConfigError(msg)
    chosen = max(sigmas, key=lambda sigma: float(log_density(generated, validation, sigma).mean()))
    each = log_density(generated, test, chosen)
    return Parzen(float(each.mean()), float(each.std() / math.sqrt(len(each))), chosen)


def log_density(centres: Tensor, x: Tensor, sigma: float) -> Tensor:
    """Return the logarithm of the density of windows on `centres` at each row of x, ``(m,)``, in nats."""
    flat = centres.flatten(1)
    constant = 0.5 * flat.shape[1] * math.log(2 * math.pi * sigma**2) + math.log(len(flat))
    squares = torch.cdist(x.flatten(1), flat).square()
    return torch.logsumexp(-squares / (2 * sigma**2), 1) - constant
