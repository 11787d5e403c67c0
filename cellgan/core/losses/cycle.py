"""There and back again: what two generators between two domains make, and how far from home they end.

With generators AB and BA, a and b from the two domains,

    ab = AB(a),  aba = BA(ab),  ba = BA(b),  bab = AB(ba)
    cycle = d(aba, a) + d(bab, b)

References
----------
Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent adversarial networks, equation
2: d is the mean absolute distance. Kim et al. (2017), Learning to discover cross-domain relations with
generative adversarial networks, equation 3: d is the mean squared distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import l1_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from cellgan.core.player import Batch

    Map = Callable[[Tensor], Tensor]


def there_and_back(batch: Batch, generator_ab: Map, generator_ba: Map) -> Batch:
    """Return ``ab``, ``ba``, ``aba`` and ``bab`` of the batch's ``a`` and ``b``."""
    ab, ba = generator_ab(batch["a"]), generator_ba(batch["b"])
    return {"ab": ab, "ba": ba, "aba": generator_ba(ab), "bab": generator_ab(ba)}


def cycle(batch: Batch, distance: Callable[[Tensor, Tensor], Tensor] = l1_loss) -> Tensor:
    """Return how far ``aba`` is from ``a``, and ``bab`` from ``b``, added up.

    Parameters
    ----------
    batch
        Holds these four.
    distance
        From two tensors of one shape to a scalar.
    """
    return distance(batch["aba"], batch["a"]) + distance(batch["bab"], batch["b"])
