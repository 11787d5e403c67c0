"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import TypeGuard


def is_known(value: float | None) -> TypeGuard[float]:
    """Say whether a value was measured: neither missing nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def decimal(value: float | None, digits: int = 2) -> str:
    """Write a number with a fixed count of decimals; a dash where there is none."""
    if not is_known(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if not float(text) else text.replace("-", "−")


def percent(share: float | None) -> str:
    """Write a share as a percentage; near 0 and 1 with a decimal: 0.3 % is not nothing, 99.7 % is not all."""
    if not is_known(share):
        return "–"
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 or 0.995 <= share < 1 else f"{100 * share:.0f} %"


def count(n: int) -> str:
    """Write a count with thousands set apart."""
    return f"{n:,}"


def listing(names: list[str], limit: int = 6) -> str:
    """Join names into a phrase; after ``limit`` of them, say how many more there are."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
