"""The state of torch's random number generators, so that every match has a stream of its own."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of the generators that a game on this device draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put the generators into a state; one from another kind of device leaves this device's alone."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"].cpu())


def numbered(seed: int, name: str, number: int) -> torch.Generator:
    """Return a generator on the CPU that is a function of a seed, of what is drawn, and of a number."""
    digest = hashlib.sha256(f"{seed}/{name}/{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Draw from a stream of its own inside, and give the caller's stream back untouched.

    Parameters
    ----------
    seed
        Where the stream starts.
    device
        Device whose generator is seeded too. By default the CPU's alone.
    """
    device = device or torch.device("cpu")
    before = random_state(device)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_random_state(before, device)
