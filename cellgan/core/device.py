"""Where a match is played: chosen once, here."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from cellgan.errors import ConfigError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]


def available() -> tuple[str, ...]:
    """Return the devices that this machine has, the fastest first."""
    return (
        *(("cuda",) if torch.cuda.is_available() else ()),
        *(("mps",) if torch.backends.mps.is_available() else ()),
        "cpu",
    )


def pick(device: DeviceName = "auto") -> torch.device:
    """Return the device of this name.

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
    if device == "auto":
        return torch.device(there[0])
    if device not in there:
        choices = f"{', '.join(there)} or auto"
        msg = f"This machine has no {device!r} that torch can use. Choose {choices}."
        raise ConfigError(msg)
    return torch.device(device)
