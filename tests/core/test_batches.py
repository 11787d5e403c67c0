from __future__ import annotations

import pytest
import torch

from cellgan.core import Batches
from cellgan.errors import ConfigError, InputError


def rows(n: int) -> torch.Tensor:
    """A table whose values are its row numbers."""
    return torch.arange(n, dtype=torch.float32).view(-1, 1)


def test_a_batch_is_a_function_of_seed_and_number_alone():
    one, other = (Batches({"a": rows(50)}, size=7, seed=1) for _ in range(2))
    forwards = [one[i]["a"] for i in range(40)]
    backwards = [other[i]["a"] for i in reversed(range(40))][::-1]
    assert all(map(torch.equal, forwards, backwards))
    assert not torch.equal(forwards[0], Batches({"a": rows(50)}, size=7, seed=2)[0]["a"])


@pytest.mark.parametrize("n", [1, 3, 10, 50, 40_000])
def test_every_row_comes_once_before_any_comes_twice(n):
    batches = Batches({"a": rows(n)}, size=10, seed=0)
    passes = torch.cat([batches[i]["a"] for i in range(2 * n // 10 + 1)]).flatten()
    for start in (0, n):
        assert sorted(passes[start : start + n].tolist()) == list(range(n))
    assert n < 10 or not torch.equal(passes[:n], passes[n : 2 * n])


def test_tables_are_drawn_independently_unless_named_together():
    tables = {"a": rows(1000), "b": rows(1000), "c": rows(1000)}
    batch = Batches(tables, size=500, seed=0, together=[("a", "c")])[3]
    assert torch.equal(batch["a"], batch["c"])
    overlap = len(set(batch["a"].flatten().tolist()) & set(batch["b"].flatten().tolist()))
    assert 200 < overlap < 300  # half of a half


def test_weights_are_the_chances_of_rows():
    weights = torch.tensor([0.0, 1.0, 3.0, 0.0, 4.0])
    batches = Batches({"a": rows(5), "b": rows(5)}, size=800, seed=0, weights={"a": weights})
    counts = torch.bincount(torch.cat([batches[i]["a"] for i in range(50)]).flatten().long(), minlength=5)
    assert (counts / counts.sum()).tolist() == pytest.approx((weights / 8).tolist(), abs=0.01)
    assert counts[0] == counts[3] == 0
    plain = torch.bincount(batches[0]["b"].flatten().long(), minlength=5)
    assert plain.tolist() == [160] * 5


def test_other_tables_do_not_change_what_is_drawn_of_one():
    alone = Batches({"a": rows(100)}, size=10, seed=0)[5]["a"]
    beside = Batches({"b": rows(30), "a": rows(100)}, size=10, seed=0)[5]["a"]
    assert torch.equal(alone, beside)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"size": 0}, ConfigError, "size=0"),
        ({"weights": {"z": torch.ones(5)}}, ConfigError, "'z'; there are 'a', 'b'"),
        ({"weights": {"b": torch.ones(4)}, "together": [("a", "b")]}, ConfigError, "first name, 'a'"),
        ({"weights": {"a": torch.ones(4)}}, InputError, r"shape \(4,\), not \(5,\)"),
        ({"weights": {"a": torch.zeros(5)}}, InputError, "not all zero"),
        ({"weights": {"a": torch.tensor([1, 1, 1, 1, -1.0])}}, InputError, "not negative"),
        ({"weights": {"a": torch.tensor([1, 1, 1, 1, torch.nan])}}, InputError, "finite"),
        ({"together": [("a", "b")]}, InputError, "'b' has 4 rows and 'a' has 5"),
        ({"tensors": {"a": rows(0)}}, InputError, "'a' has no rows"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings, error, message):
    settings = {"tensors": {"a": rows(5), "b": rows(4)}, "size": 2, "seed": 0, **settings}
    with pytest.raises(error, match=message):
        Batches(settings.pop("tensors"), **settings)
