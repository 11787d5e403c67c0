"""MAGAN's third term: what is known about who belongs to whom.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds, section II-D. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from cellgan.core.player import Batch

Map = Callable[[Tensor], Tensor]


class Correspondence(Protocol):
    """What is known about who belongs to whom."""

    def __call__(self, batch: Batch, generator_ab: Map, generator_ba: Map) -> Tensor:
        """Return a scalar that is small where the maps agree with what is known.

        `batch` holds ``a``, ``b`` and, already mapped, ``ab``, ``ba``. The generators are there to map other
        cells.
        """
        ...


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


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs of cells that correspond: MSE(G12(x1i), x2j) + MSE(G21(x2j), x1i) over these (section II-D).

    Parameters
    ----------
    a
        Cells of a, ``(n_pairs, n_markers_a)``, on the match's device.
    b
        Their counterparts, ``(n_pairs, n_markers_b)``.
    """

    a: Tensor
    b: Tensor

    def __post_init__(self) -> None:
        """Refuse pairs without a partner."""
        if not len(self.a) or len(self.a) != len(self.b):
            msg = f"Labelled pairs need equally many cells of both; got {len(self.a)} and {len(self.b)}."
            raise ConfigError(msg)

    def __call__(self, batch: Batch, generator_ab: Map, generator_ba: Map) -> Tensor:  # noqa: ARG002
        """Return how far the maps miss the partners."""
        return mse_loss(generator_ab(self.a), self.b) + mse_loss(generator_ba(self.b), self.a)
