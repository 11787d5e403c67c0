"""What every game refuses: a weight that is nothing, so that its term would be there and change nothing."""

from __future__ import annotations

from cellgan.errors import ConfigError


def refuse_nothing(game: object, *names: str) -> None:
    """Raise unless these fields of a game are more than 0; to be called in ``__post_init__``.

    Parameters
    ----------
    game
        Has the fields.
    names
        Of the fields.

    Raises
    ------
    ConfigError
        If one is 0, less, or no number.
    """
    for name in names:
        value = getattr(game, name)
        if not value > 0:
            msg = f"{name}={value} must be more than 0; without it this is no {type(game).__name__}."
            raise ConfigError(msg)
