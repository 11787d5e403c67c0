"""LeNet, as in the adaptation papers: an encoder of small grey images.

References
----------
LeCun et al. (1998), Gradient-based learning applied to document recognition; the sizes are those of Tzeng et
al. (2017): 20 and 50 filters of 5 x 5 pixels, and 500 features.
"""

from __future__ import annotations

from torch import nn

SIDE, N_FEATURES = 28, 500


def lenet() -> nn.Sequential:
    """Return an encoder from images ``(n, 1, 28, 28)`` to features ``(n, 500)``."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(800, N_FEATURES),
        nn.ReLU(inplace=True),
    )
