"""How many threads compute."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
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

    It pays where most time goes into sorting, searching and arithmetic on arrays, which let go of Python's
    lock. Within one of them, libraries compute with a single thread.

    Parameters
    ----------
    function, items
        What to apply, and to what. It must not call scikit-learn, which has threads of its own.
    """
    with _workers(max(1, torch.get_num_threads())) as pool:
        return list(pool.map(function, items))


@contextmanager
def beside(function: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Compute something in a thread of its own while the body runs, which waits for it in the end.

    Libraries compute with a single thread meanwhile. If torch may use one thread only, the function is called
    first.

    Parameters
    ----------
    function
        What to compute. It must not draw from torch's random numbers, which a match may be using.
    """
    if torch.get_num_threads() == 1:
        done: Future[Result] = Future()
        done.set_result(function())
        yield done
        return
    with _workers(1) as pool:
        yield pool.submit(function)


@contextmanager
def _workers(n_workers: int) -> Iterator[ThreadPoolExecutor]:
    """Start workers; in them, and in who waits for them, libraries compute with a single thread."""
    n_threads = torch.get_num_threads()
    # Every thread has a number of OpenMP threads of its own, so each worker sets it. OpenBLAS has one for
    # all, and so has the MKL within torch, of which only torch knows.
    within = partial(_libraries(learner=False).limit, limits=1)
    torch.set_num_threads(1)
    try:
        with one_thread(), ThreadPoolExecutor(max_workers=n_workers, initializer=within) as pool:
            yield pool
    finally:
        torch.set_num_threads(n_threads)


def same_sums() -> AbstractContextManager[object]:
    """Let matrix products be computed by one thread each: with more, sums may come in another order."""
    found: AbstractContextManager[object] = _libraries(learner=False).limit(limits=1, user_api="blas")
    return found


def one_thread(*, learner: bool = False) -> AbstractContextManager[object]:
    """Let libraries compute with a single thread.

    Parameters
    ----------
    learner
        Scikit-learn's own, too. It takes a second to load, which is saved where it is not needed.
    """
    found: AbstractContextManager[object] = _libraries(learner=learner).limit(limits=1)
    return found


@cache
def _libraries(*, learner: bool) -> ThreadpoolController:
    """Find the libraries; once, since that takes longer than a small fit."""
    if learner:
        import sklearn.ensemble  # noqa: F401

    return ThreadpoolController()
