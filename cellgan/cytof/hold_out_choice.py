"""Which markers are held out, and what a validation cannot be asked for."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from cellgan.cytof.marker_names import marker_key
from cellgan.errors import ConfigError, PanelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.panel import Panel

ALL: Literal["all"] = "all"
LEAST_SHARED = 3  # one is held out, and cells are matched on two


def check_two(paths: Sequence[Path]) -> None:
    """See that two files were given.

    Raises
    ------
    ConfigError
        There are more or fewer.
    """
    if len(paths) != 2:
        given = ", ".join(map(str, paths)) or "none"
        msg = f"{len(paths)} files were given ({given}); expected two: the reference, then the other batch"
        raise ConfigError(msg)


def check_settings(config: AlignConfig, jobs: int) -> None:
    """See that settings of an alignment go together with a validation.

    Raises
    ------
    ConfigError
        One of them would do nothing here.
    """
    if jobs < 1:
        msg = f"jobs is {jobs}; expected 1 or more processes"
        raise ConfigError(msg)
    if config.reference is not None:
        msg = (
            f"reference is {config.reference!r}; when markers are validated, the first batch is the "
            "reference: leave it out, and give the batches in that order"
        )
        raise ConfigError(msg)
    if config.threads > 1:
        msg = f"threads is {config.threads}; markers are held out with one thread each: set jobs instead"
        raise ConfigError(msg)
    if not config.impute:
        msg = "impute is False; there is nothing to validate then: set it to True"
        raise ConfigError(msg)


def chosen_markers(
    panel: Panel, batches: Sequence[str], hold_out: Sequence[str] | Literal["all"]
) -> list[str]:
    """Return the markers to hold out, named as in the reference and in its order.

    Parameters
    ----------
    panel
        What the batches share.
    batches
        Their names.
    hold_out
        What was asked for, under whatever spelling.

    Raises
    ------
    PanelError
        Too few markers are shared, or one of those asked for is not.
    """
    shared = panel.shared
    if len(shared) < LEAST_SHARED:
        msg = (
            f"only {len(shared)} markers are shared, {' and '.join(shared)}, and it takes {LEAST_SHARED}: "
            "with one held out, cells are matched on those that are left, and that takes two"
        )
        raise PanelError(msg)
    if hold_out == ALL:
        return list(shared)
    asked = [hold_out] if isinstance(hold_out, str) else list(hold_out)
    if not asked:
        msg = "hold_out names no marker; leave it out to hold out every shared one in turn"
        raise ConfigError(msg)
    keys = {marker_key(marker): marker for marker in shared}
    found: dict[str, None] = {}
    for name in asked:
        marker = name if name in shared else keys.get(marker_key(name))
        if marker is None:
            owners = [own for own in batches if name in panel.proteins[own]]
            close = get_close_matches(marker_key(name), list(keys), n=3, cutoff=0.6)
            hint = (
                f"only {owners[0]} measured it, so there is nothing to compare with"
                if len(owners) == 1
                else f"did you mean {' or '.join(keys[key] for key in close)}?"
                if close
                else f"they share {', '.join(shared)}"
            )
            msg = f"{name!r} cannot be held out, for the batches do not share it; {hint}"
            raise PanelError(msg)
        found[marker] = None
    return [marker for marker in shared if marker in found]
