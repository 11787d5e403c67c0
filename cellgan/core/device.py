"""Where and how a match is played: the device, its precision, compiled or not, by one process or several."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import distributed

from cellgan.core.randomness import random_state, seeded
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from cellgan.core.player import Batch

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Processes:
    """Processes that play one match together: each on its part of every mini-batch, with mean gradients.

    The terms are means over a mini-batch, so that the mean of the parts' gradients is the whole's: then the
    match goes as in one process, but for rounding. Terms that compare the cells of a mini-batch with each
    other, and batch normalisation, see the part alone. Noise that objectives draw is another one in each
    process.

    Attributes
    ----------
    rank
        Which of them this is, from 0.
    count
        How many there are.
    """

    rank: int = 0
    count: int = 1

    def part(self, batch: Batch) -> Batch:
        """Return this process's rows of a mini-batch; ConfigError where it cannot be cut evenly."""
        if self.count == 1:
            return batch
        for name, rows in batch.items():
            if len(rows) % self.count:
                msg = (
                    f"A mini-batch has {len(rows)} rows of {name!r}, which {self.count} processes cannot "
                    f"share evenly: make its size a multiple of {self.count}."
                )
                raise ConfigError(msg)
        return {name: rows.chunk(self.count)[self.rank] for name, rows in batch.items()}

    def mean(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the mean of scalars over all processes."""
        if self.count == 1:
            return dict(values)
        means = torch.stack([value.detach().float() for value in values.values()])
        distributed.all_reduce(means)
        return dict(zip(values, means / self.count, strict=True))

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes into each tensor; all of them travel at once."""
        if self.count == 1 or not tensors:
            return
        with torch.no_grad():
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            distributed.all_reduce(flat)
            flat /= self.count
            for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
                tensor.copy_(mean.view_as(tensor))

    def copy_first_(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor what the first process has there."""
        if self.count > 1:
            with torch.no_grad():
                for tensor in tensors:
                    distributed.broadcast(tensor, 0)

    def stream(self, state: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
        """Return the state of a random stream: the first process's own, and another one in each other."""
        if self.rank == 0:
            return {name: value.clone() for name, value in state.items()}
        digest = hashlib.sha256(state["cpu"].cpu().numpy().tobytes() + bytes([self.rank % 256])).digest()
        with seeded(int.from_bytes(digest[:6], "little") + self.rank, device):
            return random_state(device)


ALONE = Processes()


@dataclass(frozen=True)
class Execution:
    """How a match is computed.

    Attributes
    ----------
    precision
        ``bfloat16``: objectives are computed in mixed precision; networks and optimizers stay float32.
    compiled
        Whether networks are compiled, which takes a while and then saves time on a GPU.
    processes
        Who else plays the same match, see `joined`.
    """

    precision: Precision = "float32"
    compiled: bool = False
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            msg = f"precision is {self.precision!r}; expected {' or '.join(map(repr, get_args(Precision)))}."
            raise ConfigError(msg)

    def mixed(self, device: torch.device) -> AbstractContextManager[object]:
        """Return a context in which objectives are computed in this precision."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the other processes that ``torchrun`` started, or be alone where it did not start this one.

    Parameters
    ----------
    device
        Where this process computes: gradients travel by NCCL among CUDA devices, else by Gloo.

    Raises
    ------
    ConfigError
        The device cannot be one of several, or the others cannot be found.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device.type == "mps":
        msg = "Several processes cannot train on 'mps'; start one, or choose 'cpu'."
        raise ConfigError(msg)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (ValueError, RuntimeError) as error:
        msg = (
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but the others were not found: {error}. Use torchrun."
        )
        raise ConfigError(msg) from error
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def available() -> tuple[str, ...]:
    """Return the devices that this machine has, the fastest first."""
    return (
        *(("cuda",) if torch.cuda.is_available() else ()),
        *(("mps",) if torch.backends.mps.is_available() else ()),
        "cpu",
    )


def pick(device: DeviceName = "auto") -> torch.device:
    """Return the device of this name; of several CUDA devices, each process of ``torchrun`` gets its own.

    Parameters
    ----------
    device
        ``"auto"`` takes the fastest that there is.

    Raises
    ------
    ConfigError
        If this machine has no such device.
    """
    if device not in get_args(DeviceName):
        msg = f"There is no device called {device!r}; choose one of {', '.join(get_args(DeviceName))}."
        raise ConfigError(msg)
    there = available()
    name = there[0] if device == "auto" else device
    if name not in there:
        choices = f"{', '.join(there)} or auto"
        msg = f"This machine has no {device!r} that torch can use. Choose {choices}."
        raise ConfigError(msg)
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device(name, int(os.environ["LOCAL_RANK"]))
    return torch.device(name)
