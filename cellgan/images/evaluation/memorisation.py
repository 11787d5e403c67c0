"""Memorisation: are generated data nearer to the training data than held-out data are.

Held-out data come from the same source and were never seen: how near they lie to the training data is what
chance allows. The figure is the median distance of generated points to their nearest training point, over
that of held-out points. Near 1 nothing was copied; far below 1 the generator repeats what it saw. Above 1
says only that samples are off the data.

References
----------
Meehan, Chaudhuri and Dasgupta (2020), A non-parametric test to detect data-copying in generative models:
the comparison with held-out data.
"""

from __future__ import annotations

import torch
from torch import Tensor


def memorisation(generated: Tensor, train: Tensor, held_out: Tensor) -> float:
    """Return the ratio of median distances; each sample is ``(n, ...)``."""
    return float(_nearest(generated, train).median() / _nearest(held_out, train).median())


def _nearest(x: Tensor, train: Tensor) -> Tensor:
    """Return each row's distance to the nearest training point."""
    return torch.cdist(x.flatten(1), train.flatten(1)).min(1).values
