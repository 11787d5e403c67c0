"""Endless seeded mini-batches of tensors that are held on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core.randomness import numbered
from cellgan.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from cellgan.core.player import Batch

_BLOCK_ROWS = 1 << 15  # at least about so many indices are drawn at once


class _Rows:
    """Endless row numbers of one table: batch i is a function of (seed, name, i).

    Without weights every row comes once before any comes twice (pass after pass in random order). With
    weights rows are drawn independently, with replacement. Indices are drawn on the CPU, so that every device
    gets the same rows, and many batches at once, so that drawing costs nothing in a round.
    """

    def __init__(
        self, n_rows: int, weights: Tensor | None, *, size: int, key: tuple[int, str], device: torch.device
    ) -> None:
        self.n_rows = n_rows
        self._size = size
        self._key = key
        self._device = device
        self._edges = None if weights is None else weights.double().cpu().cumsum(0)
        self._passes = -(-_BLOCK_ROWS // n_rows)
        self._block_rows = max(size, _BLOCK_ROWS) if self._edges is not None else n_rows * self._passes
        self._blocks: dict[int, Tensor] = {}

    def _block(self, number: int) -> Tensor:
        if number not in self._blocks:
            if len(self._blocks) > self._size // self._block_rows + 2:
                self._blocks.clear()
            seed, name = self._key
            generator = numbered(seed, name, number)
            if self._edges is None:
                rows = torch.cat(
                    [torch.randperm(self.n_rows, generator=generator) for _ in range(self._passes)]
                )
            else:
                draws = (
                    torch.rand(self._block_rows, dtype=torch.float64, generator=generator) * self._edges[-1]
                )
                rows = torch.searchsorted(self._edges, draws, right=True).clamp_(max=self.n_rows - 1)
            self._blocks[number] = rows.to(self._device)
        return self._blocks[number]

    def rows(self, index: int) -> Tensor:
        start, stop = index * self._size, (index + 1) * self._size
        length = self._block_rows
        parts = [
            self._block(number)[max(start - number * length, 0) : stop - number * length]
            for number in range(start // length, (stop - 1) // length + 1)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class Batches:
    """Endless mini-batches; ``batches[i]`` is a function of the seed and i alone.

    Tensors under different names are drawn independently of each other, unless they are named together.

    Parameters
    ----------
    tensors
        Tables by name, each ``(n_rows, ...)``; moved to the device once.
    size
        Rows a mini-batch.
    seed
        Same seed, same rows.
    weights
        Chance of each row to be drawn, by table, ``(n_rows,)``, in any unit. A table without weights is
        passed through again and again in random order.
    together
        Groups of names whose rows belong together, as of labelled pairs: they are drawn as one. Weights of a
        group go under its first name.
    device
        Where the tensors are held.

    Raises
    ------
    ConfigError
        If the size or a group of names makes no sense.
    InputError
        If a table has no rows, or its weights do not fit it.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        *,
        size: int,
        seed: int,
        weights: Mapping[str, Tensor] | None = None,
        together: Sequence[tuple[str, ...]] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        if size < 1:
            msg = f"A mini-batch of size={size} is empty; give at least 1."
            raise ConfigError(msg)
        weights = weights or {}
        device = torch.device(device)
        leader = {name: group[0] for group in together for name in group}
        for name in (*leader, *weights):
            if name not in tensors:
                msg = f"There is no tensor called {name!r}; there are {', '.join(map(repr, tensors))}."
                raise ConfigError(msg)
        for name in weights:
            if leader.get(name, name) != name:
                msg = f"Weights of a group go under its first name, {leader[name]!r}, not {name!r}."
                raise ConfigError(msg)
        self._tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
        self._leader = {name: leader.get(name, name) for name in tensors}
        self._rows: dict[str, _Rows] = {}
        for name in dict.fromkeys(self._leader.values()):
            _check(name, tensors[name], weights.get(name))
            self._rows[name] = _Rows(
                len(tensors[name]), weights.get(name), size=size, key=(seed, name), device=device
            )
        for name, first in self._leader.items():
            if len(tensors[name]) != self._rows[first].n_rows:
                msg = (
                    f"{name!r} has {len(tensors[name])} rows and {first!r} has {self._rows[first].n_rows}; "
                    "tensors drawn together need equally many."
                )
                raise InputError(msg)

    def __getitem__(self, index: int) -> Batch:
        """Return mini-batch number `index`."""
        rows = {name: table.rows(index) for name, table in self._rows.items()}
        return {
            name: tensor.index_select(0, rows[self._leader[name]]) for name, tensor in self._tensors.items()
        }


def _check(name: str, tensor: Tensor, weights: Tensor | None) -> None:
    """Refuse a table without rows, and weights that cannot be chances of its rows."""
    if not len(tensor):
        msg = f"{name!r} has no rows; there is nothing to draw mini-batches from."
        raise InputError(msg)
    if weights is None:
        return
    if weights.shape != tensor.shape[:1]:
        msg = f"The weights of {name!r} have shape {tuple(weights.shape)}, not ({len(tensor)},): one a row."
        raise InputError(msg)
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()) or float(weights.sum()) <= 0:
        msg = f"The weights of {name!r} must be finite, not negative, and not all zero."
        raise InputError(msg)
