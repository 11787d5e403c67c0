"""How many threads compute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import torch
from threadpoolctl import ThreadpoolController, threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Compute with so many threads, and set the caller's number back; 0 changes nothing."""
    if not threads:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply a function to items in as many threads as torch uses; results come in the items' order.

    It pays where most time goes into sorting, searching and interpolating, which let go of Python's lock.
    Within one of them, libraries compute with a single thread.
    """
    n_threads = max(1, torch.get_num_threads())
    with one_thread(), ThreadPoolExecutor(max_workers=n_threads) as pool:
        return list(pool.map(function, items))


def one_thread() -> AbstractContextManager[object]:
    """Let libraries compute with a single thread."""
    found: AbstractContextManager[object] = _libraries().limit(limits=1)
    return found


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries, scikit-learn's own among them; once, since that takes longer than a small fit."""
    import sklearn.cluster
    import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
