"""Which seeds can be used: the same everywhere."""

from __future__ import annotations

from cellgan.errors import ConfigError

MAX_SEED = 2**32  # the least that one of the libraries takes


def check_seed(seed: int) -> None:
    """Refuse a seed that some library does not take.

    Raises
    ------
    ConfigError
        It is negative or too large.
    """
    if not 0 <= seed < MAX_SEED:
        msg = f"seed is {seed}; expected a whole number from 0 to {MAX_SEED - 1}"
        raise ConfigError(msg)
