"""Work on several items in processes of their own.

Processes are started afresh (spawn), so nothing is inherited that the work could depend on, and each gets one
item at a time. However the work ends (done, an error, Ctrl-C, a process that was killed), no process is left.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from cellgan.errors import CellganError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Common = TypeVar("Common")
Item = TypeVar("Item")
Result = TypeVar("Result")


class _Worker(NamedTuple):
    process: SpawnProcess
    connection: Connection


class _Done(NamedTuple, Generic[Result]):
    """What comes back: a result, or an error of the user's."""

    result: Result | None
    error: CellganError | None


def in_processes(
    work: Callable[[Common, Item], Result], common: Common, items: Sequence[Item], *, jobs: int
) -> Iterator[tuple[Item, Result]]:
    """Do the same work on several items, side by side.

    Parameters
    ----------
    work
        A function of a module; called with `common` and an item.
    common
        What is the same for all items; every process gets a copy.
    items
        On what to work.
    jobs
        How many processes; with one, the work is done right here.

    Yields
    ------
    tuple
        An item and its result, as they get done.

    Raises
    ------
    CellganError
        The work raised it, or a process was killed.
    """
    jobs = min(jobs, len(items))
    if jobs <= 1:
        for item in items:
            yield item, work(common, item)
        return
    workers: list[_Worker] = []
    try:
        with _deaf_to_interrupts():
            workers += [_start(work, common) for _ in range(jobs)]
        yield from _shared_out(workers, items)
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join()
            worker.connection.close()


def _shared_out(workers: Sequence[_Worker], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
    """Hand items out one at a time, and results on as they come."""
    waiting = list(items)
    busy: dict[Connection, tuple[_Worker, Item]] = {}

    def give(worker: _Worker) -> None:
        if waiting:
            item = waiting.pop(0)
            busy[worker.connection] = worker, item
            try:
                worker.connection.send(item)
            except OSError:
                raise _killed(worker, item) from None

    for worker in workers:
        give(worker)
    while busy:
        ready = set(wait(list(busy)))
        for connection in [each for each in busy if each in ready]:
            worker, item = busy.pop(connection)
            try:
                done: _Done[Result] = worker.connection.recv()
            except (EOFError, OSError):
                raise _killed(worker, item) from None
            if done.error is not None:
                raise done.error
            give(worker)
            yield item, done.result  # type: ignore[misc]


def _killed(worker: _Worker, item: object) -> CellganError:
    worker.process.join()
    code = worker.process.exitcode or 0
    how = (
        f"was killed ({signal.Signals(-code).name}), most often because the memory was full: use fewer jobs"
        if code < 0
        else f"stopped with exit code {code}: what it said before tells why"
    )
    return CellganError(f"the process that worked on {item} {how}")


def _start(work: Callable[[Common, Item], Result], common: Common) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work, common), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(connection: Connection, work: Callable[[Common, Item], Result], common: Common) -> None:
    """Work on items as they come, until nobody sends any more."""
    while True:
        try:
            item = connection.recv()
        except EOFError:  # whoever started this is gone
            return
        try:
            done = _Done(work(common, item), None)
        except CellganError as error:
            done = _Done(None, error)
        connection.send(done)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started here never hear Ctrl-C: whoever started them ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only there can this be set; and only there Ctrl-C arrives
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
