"""The one writer: a thread that commits everything that waits as one transaction (group commit).

One fsync serves all callers that wait, so throughput grows with load, and SQLite never sees two writers. On PostgreSQL
each such transaction takes one advisory lock first: event ids then commit in order, also across backends, and a
reader that has seen id N has seen everything below it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from trainyard.errors import TrainyardError, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

# handler(conn, items) → one result an item; a result that is an exception is raised at the item's caller
Handler = Callable[[sa.Connection, Sequence[Any]], Sequence[Any]]
APPEND_LOCK = 7_213_001  # any number, the same in every backend


@dataclass(slots=True)
class _Waiting:
    handler: Handler
    item: Any
    future: Future[Any] = field(default_factory=lambda: Future[Any]())
    loop: asyncio.AbstractEventLoop | None = None
    waiter: "asyncio.Future[Any] | None" = None


def _call_each(conn: sa.Connection, items: Sequence[Callable[[sa.Connection], Any]]) -> list[Any]:
    """Run single functions, each behind a savepoint, so that one refusing takes nothing of the others with it.

    A failure of the database itself ends the whole transaction: after some of them (a full disk) SQLite has rolled it
    back already, savepoints and all, and whatever came next would be stored outside of it.
    """
    results: list[Any] = []
    for function in items:
        try:
            with conn.begin_nested():
                results.append(function(conn))
        except exc.SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - handed to its caller, not swallowed
            results.append(error)
    return results


class Writer:
    """Start it once; `run` from threads, `submit` from the event loop. Both return after the commit."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._after_commit: list[Callable[[], None]] = []
        self._after_rollback: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._loop, name="db-writer", daemon=True)
        self._thread.start()

    def run(self, function: Callable[[sa.Connection], T]) -> T:
        """Execute in the next transaction and wait for its commit. Blocking: not for the event loop."""
        entry = _Waiting(_call_each, function)
        self._put(entry, wake=self._wake.set)
        return entry.future.result()

    async def submit(self, handler: Handler, item: Any) -> Any:
        """Hand one item to a batch handler; every item of one handler that waits is handled in one call."""
        loop = asyncio.get_running_loop()
        entry = _Waiting(handler, item, loop=loop, waiter=loop.create_future())
        # the writer is woken at the end of this turn of the loop: whoever else arrived in it shares the commit
        self._put(entry, wake=lambda: loop.call_soon(self._wake.set))
        assert entry.waiter is not None
        return await entry.waiter

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` called (in the writer's thread, so briefly) after each commit."""
        self._after_commit.append(call)

    def after_rollback(self, call: Callable[[], None]) -> None:
        """Have `call` called in the writer's thread when nothing of a transaction was stored."""
        self._after_rollback.append(call)

    def close(self) -> None:
        """Commit what waits and end the thread."""
        self._closed = True
        self._wake.set()
        self._thread.join(timeout=30)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _put(self, entry: _Waiting, wake: Callable[[], object]) -> None:
        with self._lock:
            if self._closed:
                raise Unavailable("The backend is shutting down.", hint="Try again in a moment.")
            self._waiting.append(entry)
            first = len(self._waiting) == 1
        if first:
            wake()

    def _loop(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                batch, self._waiting = self._waiting, []
            if batch:
                self._commit(batch)
            elif self._closed:
                return

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            results = self._transaction(batch)
        except Exception as error:  # noqa: BLE001 - the thread must outlive any failure; callers get it
            for call in self._after_rollback:
                call()
            lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
            if len(batch) > 1 and not lost:  # one of them spoils it for all: give each its own transaction
                for entry in batch:
                    self._commit([entry])
                return
            # with the connection lost nobody knows whether it was stored: only its caller may say it again
            results = [_said(error)] * len(batch)
        else:
            for call in self._after_commit:
                call()
        _resolve(batch, results)

    def _transaction(self, batch: list[_Waiting]) -> list[Any]:
        results: list[Any] = []
        with self._begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(sa.select(sa.func.pg_advisory_xact_lock(APPEND_LOCK)))
            at = 0
            while at < len(batch):
                end = at + 1
                # ==, not `is`: a bound method is a new object each time it is named
                while end < len(batch) and batch[end].handler == batch[at].handler:
                    end += 1
                results += batch[at].handler(conn, [entry.item for entry in batch[at:end]])
                at = end
        return results


def _said(error: Exception) -> Exception:
    """A database failure in words; anything else as it is."""
    if isinstance(error, TrainyardError) or not isinstance(error, exc.SQLAlchemyError):
        return error
    if isinstance(error, exc.OperationalError):
        log.error("the database refused a write", exc_info=error)
        return Unavailable(
            f"The database can't be written to right now ({str(error.orig).strip().splitlines()[0]}).",
            hint="Nothing was changed; try again in a moment, and see that its disk has room.",
        )
    return error


def _resolve(batch: list[_Waiting], results: Sequence[Any]) -> None:
    on_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for entry, result in zip(batch, results, strict=True):
        if entry.loop is not None and entry.waiter is not None:
            on_loop.setdefault(entry.loop, []).append((entry.waiter, result))
        elif isinstance(result, BaseException):
            entry.future.set_exception(result)
        else:
            entry.future.set_result(result)
    for loop, waiters in on_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer, waiters)


def _answer(waiters: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for waiter, result in waiters:
        if waiter.done():
            continue  # its caller went away
        if isinstance(result, BaseException):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
