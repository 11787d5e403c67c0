"""Names of many cells, of which only numbers are kept: what occurs twice is found, and is made unique."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import cell_names
from cellgan.cytof.cell_names import UniqueNames, twice


def pieces(*names: str, size: int = 2):
    """Give names two at a time."""
    whole = np.array(names, dtype=object)
    return lambda: [whole[start : start + size] for start in range(0, len(whole), size)]


def unique(**batches: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return new names and old ones."""
    n = sum(map(len, batches.values()))
    found = UniqueNames([(name, pieces(*own)) for name, own in batches.items()], n)
    return [pair for new, old in found for pair in zip(new, old, strict=True)]


def test_what_occurs_twice_is_counted():
    assert twice(pieces("a", "b", "c", "b", "a", "b"), 6) == {"b": 3, "a": 2}
    assert twice(pieces("a", "b", "c"), 3) == {}
    assert twice(pieces(), 0) == {}


def test_names_that_only_look_the_same_by_their_number_are_no_error(monkeypatch):
    """With four bits in place of sixty-four, chance does what it hardly ever does."""
    mark = cell_names._mark
    monkeypatch.setattr(cell_names, "_mark", lambda names: mark(names) % np.uint64(4))
    assert twice(pieces(*map(str, range(40))), 40) == {}
    assert twice(pieces(*map(str, range(40)), "7"), 41) == {"7": 2}
    names = [new for new, _ in unique(a=tuple(map(str, range(20))), b=tuple(map(str, range(10, 30))))]
    assert len(set(names)) == 40


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ({"a": ("x", "y"), "b": ("z",)}, [("x", ""), ("y", ""), ("z", "")]),
        ({"a": ("x", "y"), "b": ("y",)}, [("x", ""), ("y-a", "y"), ("y-b", "y")]),
        # Even the name with the batch's is taken, and so is the one with a number.
        (
            {"a": ("x", "x-b"), "b": ("x", "x-b-2")},
            [("x-a", "x"), ("x-b", ""), ("x-b-3", "x"), ("x-b-2", "")],
        ),
    ],
)
def test_names_that_clash_get_their_batchs_name(batches, expected):
    assert unique(**batches) == expected
