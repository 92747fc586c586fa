"""A job's log wherever it is: on this machine while it runs, in the store afterwards."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from trainyard.api.platform import Platform
from trainyard.contract.keys import log_key
from trainyard.contract.vocabulary import Execution
from trainyard.errors import NotFound, TrainyardError
from trainyard.executors.base import RunId
from trainyard.jobs import repository
from trainyard.jobs.model import Job
from trainyard.logs import files

FOLLOW_SECONDS = 0.1
PIECE = 256 * 1024
KEEPALIVE_LOOKS = 150
LAST_WORDS_SECONDS = 20.0  # a pod's log arrives a little after its end


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    next_offset: int
    complete: bool  # the job has ended and this reaches the end of its log


class JobLog:
    """Looks anew at each read: a log begins after its job, and moves to the store after its end."""

    def __init__(self, platform: Platform, job_id: str) -> None:
        self._platform = platform
        self._job_id = job_id

    @classmethod
    def open(cls, platform: Platform, job_id: str) -> "JobLog":
        """Raises NotFound for a job that does not exist; a job without a log has an empty one."""
        platform.jobs.get(job_id)
        return cls(platform, job_id)

    def read(self, offset: int, limit: int, tail: int | None = None) -> Part:
        """Blocking. The text from `offset`, or the last `tail` bytes. Attempts that were taken away come before the one
        that runs, as one text; the last bytes are the newest one's."""
        job = self._platform.jobs.get(self._job_id)  # first: what is written after this look is not the end
        before, texts, room = 0, list[str](), limit
        for attempt in range(1, job.attempt):
            path, key, size = self._earlier(job, attempt)
            while not tail and offset < before + size and room > 0:
                part = self._of_earlier(path, key, offset - before, room)
                texts.append(part.text)
                room -= before + part.next_offset - offset
                offset = before + part.next_offset
            before += size
        if room <= 0:
            return Part("".join(texts), offset, False)
        part = self._newest(job, max(0, offset - before), room, tail)
        return Part("".join(texts) + part.text, before + part.next_offset, part.complete)

    def _earlier(self, job: Job, attempt: int) -> tuple[Path | None, str, int]:
        """Where an attempt's log lies, and its size; it doesn't change any more."""
        key, path = log_key(job.id, attempt), self._path(job, attempt)
        if path is not None:
            return path, key, files.size(path)
        head = self._platform.store.head(key)
        return None, key, head.size if head is not None else 0

    def _of_earlier(self, path: Path | None, key: str, offset: int, limit: int) -> Part:
        if path is None:
            return self._from_store(key, offset, limit, None)
        text, following = files.read_range(path, offset, limit)
        return Part(text, max(following, offset + 1), False)  # never the same place again

    def _path(self, job: Job, attempt: int) -> Path | None:
        try:
            path = self._platform.executors.get(job.execution).log_path(RunId(job.id, attempt, job.trace_id))
        except TrainyardError:
            return None  # its tier can't be had any more; what was archived still can
        return path if path is not None and path.exists() else None

    def _newest(self, job: Job, offset: int, limit: int, tail: int | None) -> Part:
        ended = self._is_over(job)
        path = self._path(job, job.attempt)
        if path is not None:
            if tail:
                text, following = _last(path, tail, ended)
            else:
                text, following = files.read_range(path, offset, limit, ended=ended)
            return Part(text, following, ended and following >= files.size(path))
        if job.log_key is not None:
            return self._from_store(job.log_key, offset, limit, tail)
        return Part("", offset, ended)

    def _from_store(self, key: str, offset: int, limit: int, tail: int | None) -> Part:
        head = self._platform.store.head(key)
        if head is None:
            raise NotFound(f"The log of {self._job_id} is no longer kept.")
        start = max(0, head.size - tail) if tail else offset
        if start >= head.size:
            return Part("", start, True)
        data = self._platform.store.get_range(key, start, max(files.LEAST_AT_ONCE, tail or limit))
        text, used = files.decode(data, final=start + len(data) >= head.size)
        return Part(text, start + used, start + used >= head.size)

    async def follow(self, offset: int) -> AsyncGenerator[bytes]:
        """Server-sent events until the log is complete."""
        quiet = 0
        while True:
            part = await asyncio.to_thread(self.read, offset, PIECE)
            if part.text or part.next_offset != offset:
                offset, quiet = part.next_offset, 0
                yield f"id: {offset}\ndata: {json.dumps(part.text)}\n\n".encode()
            if part.complete:
                yield f"id: {offset}\nevent: end\ndata: {{}}\n\n".encode()
                return
            if not part.text:
                quiet += 1
                if quiet % KEEPALIVE_LOOKS == 0:
                    yield b": still here\n\n"
                await asyncio.sleep(FOLLOW_SECONDS)

    def _is_over(self, job: Job) -> bool:
        """Until its processes are gone, the trainer's last words may still come."""
        if not job.state.is_terminal or job.closed_at is not None or job.node is None:
            return job.state.is_terminal
        if job.execution is not Execution.LOCAL:  # a cluster that is away may stay so
            return job.finished_at is not None and time.time() - job.finished_at > LAST_WORDS_SECONDS
        with self._platform.database.read() as conn:  # its leases go with its processes; closing waits for the store
            return not repository.leases_of(conn, job.id)


def _last(path: Path, tail: int, ended: bool) -> tuple[str, int]:
    """The last bytes as a text, and the offset after them."""
    total = files.size(path)
    offset = max(0, total - tail)
    texts: list[str] = []
    while offset < total:
        text, offset = files.read_range(path, offset, total - offset, ended=ended)
        if not text:
            break  # the rest is half a character
        texts.append(text)
    return "".join(texts), offset
