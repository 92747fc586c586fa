"""Where the trainer's output goes besides its log: nowhere, or to whoever runs it in the foreground."""

from __future__ import annotations

import os
import select
import stat

from trainyard.executors.local.shim.log import JobLog

_CHUNK = 65_536


class Relay:
    """A run without a foreground: output to the log file, no input."""

    pause = 60.0  # how long the supervisor may sleep
    terminal = False

    def __init__(self, log: JobLog) -> None:
        self._log = log

    def stdio(self) -> tuple[int, int, int]:
        """The trainer's standard input, output and error."""
        return os.open(os.devnull, os.O_RDONLY), self._log.fd, self._log.fd

    def started(self) -> None:
        """The trainer has its ends now."""

    def waits_for(self) -> tuple[list[int], list[int]]:
        """What to wait for until it can be read, and written."""
        return [], []

    def pump(self, ready: list[int], writable: list[int]) -> int:
        """Move what there is to move. Returns how often Ctrl+C was typed."""
        return 0

    def resize(self) -> None:
        """The window has another size."""

    def show(self, text: str) -> None:
        """A line of ours for whoever looks on."""

    def finish(self) -> None:
        """Pass on the rest and leave everything as it was found."""


class Screen:
    """Our standard output. Never blocks: a pager that nobody scrolls must not hold up the grace period."""

    def __init__(self) -> None:
        self.is_terminal = os.isatty(1)
        self.fd = 1
        self.waiting = bytearray()
        if self.is_terminal or stat.S_ISFIFO(os.fstat(1).st_mode):
            try:  # opened anew, because O_NONBLOCK on the old one would be everybody's
                self.fd = os.open("/dev/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            except OSError:
                pass

    @property
    def is_full(self) -> bool:
        return len(self.waiting) > _CHUNK

    def put(self, data: bytes) -> None:
        self.waiting += data
        self.flush()

    def drain(self, seconds: float = 5.0) -> bool:
        """Wait until all of it is out. False where nothing moves for so long."""
        while self.waiting:
            before = len(self.waiting)
            select.select([], [self.fd], [], seconds)
            self.flush()
            if len(self.waiting) == before:
                return False
        return True

    def flush(self) -> None:
        try:
            while self.waiting:
                del self.waiting[: os.write(self.fd, self.waiting[:4096])]
        except BlockingIOError:
            pass
        except OSError:  # whoever looked on has left; the log has it all
            self.waiting.clear()
            self.fd = os.open(os.devnull, os.O_WRONLY)


class Follow(Relay):
    """In the foreground without a terminal: the trainer writes its log, and we copy the log to our own output."""

    pause = 0.05

    def __init__(self, log: JobLog) -> None:
        super().__init__(log)
        self._screen = Screen()
        self._at = os.fstat(log.fd).st_size

    def stdio(self) -> tuple[int, int, int]:
        return 0, self._log.fd, self._log.fd

    def waits_for(self) -> tuple[list[int], list[int]]:
        return [], [self._screen.fd] if self._screen.waiting else []

    def pump(self, ready: list[int], writable: list[int]) -> int:
        self._screen.flush()
        while not self._screen.is_full and (chunk := self._next()):
            self._screen.put(chunk)
        return 0

    def _next(self) -> bytes:
        size = os.fstat(self._log.fd).st_size
        if self._log.cut_start <= self._at < self._log.cut_end:
            self._at = self._log.cut_end
        self._at = min(self._at, size)  # where the log could only be cut by shortening it
        chunk = os.pread(self._log.fd, _CHUNK, self._at)
        self._at += len(chunk)
        return chunk

    def finish(self) -> None:
        while self.pump([], []) or self._screen.waiting:
            if not self._screen.drain():
                break
