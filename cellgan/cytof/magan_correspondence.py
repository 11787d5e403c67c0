"""MAGAN's third term between panels: markers that both of them measure.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds, section II-D. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellgan.core.magan import Map
    from cellgan.core.player import Batch


@dataclass(frozen=True)
class SharedMarkers:
    """Identity on markers that both panels measure: MSE(x1, x12) + MSE(x2, x21) over these (section II-D).

    Parameters
    ----------
    columns_a
        Where the shared markers stand in a.
    columns_b
        Where the same markers stand in b, in the same order.
    """

    columns_a: Sequence[int]
    columns_b: Sequence[int]

    def __post_init__(self) -> None:
        """Refuse columns that do not pair up."""
        if not self.columns_a or len(self.columns_a) != len(self.columns_b):
            msg = (
                f"Shared markers are named by as many columns of a as of b, and at least one; got "
                f"{len(self.columns_a)} and {len(self.columns_b)}."
            )
            raise ConfigError(msg)

    def __call__(self, batch: Batch, generator_ab: Map, generator_ba: Map) -> Tensor:  # noqa: ARG002
        """Return how far the maps move the shared markers."""
        a, b, ab, ba = batch["a"], batch["b"], batch["ab"], batch["ba"]
        if list(self.columns_a) == list(self.columns_b) == list(range(a.shape[1])) and a.shape == b.shape:
            return mse_loss(ab, a) + mse_loss(ba, b)
        in_a, in_b = _index(tuple(self.columns_a), a.device), _index(tuple(self.columns_b), b.device)
        forth = mse_loss(ab.index_select(1, in_b), a.index_select(1, in_a))
        return forth + mse_loss(ba.index_select(1, in_a), b.index_select(1, in_b))


@lru_cache(maxsize=64)
def _index(columns: tuple[int, ...], device: torch.device) -> Tensor:
    """Return columns as a tensor on the device, made once."""
    return torch.tensor(columns, device=device)
