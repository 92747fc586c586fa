"""Server-sent events: one reader of the log for all streams, each event encoded once, each stream bounded.

A stream begins at its Last-Event-ID: it is subscribed first, then what it missed is read from the log, so there is
no gap. A reader too slow for its buffer is dropped; the browser comes back with its Last-Event-ID by itself. One whose
Last-Event-ID is of a time that the log doesn't know (an older database was put back) is told so: `event: gap`, with the
id to go on from; it has to ask anew for whatever it shows.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field

from trainyard.db.engine import Database
from trainyard.errors import Unavailable
from trainyard.events import log as event_log
from trainyard.events.log import Entry

log = logging.getLogger(__name__)
BUFFER = 1_000  # frames a slow reader may lag behind
PAGE = 500
KEEPALIVE_SECONDS = 15.0
POLL_SECONDS = 1.0  # for events that another backend wrote


def frame(entry: Entry) -> bytes:
    body = json.dumps(
        {
            "id": entry.id,
            "project_id": entry.project_id,
            "job_id": entry.job_id,
            "at": entry.at,
            "type": entry.type,
            "attempt": entry.attempt,
            "message": entry.message,
            "data": entry.data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return f"id: {entry.id}\ndata: {body}\n\n".encode()


@dataclass(eq=False, slots=True)
class _Reader:
    job_id: str | None
    project_id: str | None
    projects: frozenset[str] | None  # what it may see at all; None: everything
    queue: "asyncio.Queue[tuple[int, bytes] | None]" = field(default_factory=lambda: asyncio.Queue(BUFFER))

    def wants(self, entry: Entry) -> bool:
        return (self.job_id is None or entry.job_id == self.job_id) and (
            (self.project_id is None or entry.project_id == self.project_id)
            and (self.projects is None or entry.project_id in self.projects)
        )


class Hub:
    """Follows the log while somebody listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers: set[_Reader] = set()
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._last: int | None = None  # None: nobody listens, nothing is followed
        self._task = asyncio.create_task(self._follow())
        self._closing = False
        database.writer.after_commit(self._wake)

    def _wake(self) -> None:
        if self._readers and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    async def close(self) -> None:
        self._closing = True
        for reader in list(self._readers):
            self._drop(reader)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def newest_id(self) -> int:
        def read() -> int:
            with self._database.read() as conn:
                return event_log.newest_id(conn)

        return await asyncio.to_thread(read)

    async def _page(
        self,
        last: int,
        job_id: str | None = None,
        project_id: str | None = None,
        projects: frozenset[str] | None = None,
    ) -> list[Entry]:
        def read() -> list[Entry]:
            with self._database.read() as conn:
                return event_log.after(conn, last, limit=PAGE, job_id=job_id, project_id=project_id, projects=projects)

        return await asyncio.to_thread(read)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), POLL_SECONDS)
            self._changed.clear()
            try:
                while self._last is not None and (entries := await self._page(self._last)):
                    self._last = entries[-1].id
                    self._deliver(entries)
            except Exception:
                log.exception("the event log could not be read; trying again")
                await asyncio.sleep(POLL_SECONDS)

    def _deliver(self, entries: list[Entry]) -> None:
        for entry in entries:
            encoded = (entry.id, frame(entry))
            for reader in list(self._readers):
                if not reader.wants(entry):
                    continue
                if reader.queue.full():
                    self._drop(reader)
                else:
                    reader.queue.put_nowait(encoded)

    def _drop(self, reader: _Reader) -> None:
        self._readers.discard(reader)
        while not reader.queue.empty():
            reader.queue.get_nowait()
        reader.queue.put_nowait(None)

    async def stream(
        self,
        last_id: int | None,
        job_id: str | None = None,
        project_id: str | None = None,
        projects: frozenset[str] | None = None,
    ) -> AsyncGenerator[bytes]:
        """Frames after `last_id` (None: from now on), then live ones until the client goes or falls behind; of
        `projects` only (None: of all)."""
        if self._closing:
            raise Unavailable("The backend is shutting down.", hint="Reconnect in a moment.")
        reader = _Reader(job_id, project_id, projects)
        self._readers.add(reader)
        try:
            newest = await self.newest_id()
            if self._last is None:
                self._last = newest  # what lies before is read below
            sent = newest if last_id is None else min(last_id, newest)
            yield b": hello\nretry: 1000\n\n"
            if last_id is not None and last_id > newest:
                yield b"event: gap\nid: %d\ndata:\n\n" % newest
            while entries := await self._page(sent, job_id, project_id, projects):
                sent = entries[-1].id
                yield b"".join(frame(entry) for entry in entries)
            while True:
                frames, sent, ended = await self._next(reader, sent)
                yield frames
                if ended:
                    return
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._last = None

    async def _next(self, reader: _Reader, sent: int) -> tuple[bytes, int, bool]:
        """Everything that waits for this reader as one write; a comment where there was nothing for a while."""
        try:
            first = await asyncio.wait_for(reader.queue.get(), KEEPALIVE_SECONDS)
        except TimeoutError:
            return b": still here\n\n", sent, False
        waiting = [first]
        while not reader.queue.empty():
            waiting.append(reader.queue.get_nowait())
        frames = b""
        for item in waiting:
            if item is None:
                return frames, sent, True
            number, encoded = item
            if number > sent:
                sent = number
                frames += encoded
        return frames, sent, False
