"""The job's log: the trainer writes it, the shim adds its own lines and cuts out the middle where it grows too long."""

from __future__ import annotations

import os
import time

from trainyard.executors.local.shim.folder import CUTS, LOG, write_json
from trainyard.executors.local.shim.kernel import punch_hole

_BLOCK = 4096
_STEP = 4 << 20
_CALM, _FLOOD = 0.25, 0.02  # seconds between two looks at the size


class JobLog:
    """Keeps the first half and the last half of `limit` bytes. Offsets of what is kept never change."""

    def __init__(self, folder: str, trace_id: str, limit: int) -> None:
        self.folder = folder
        self.fd = os.open(os.path.join(folder, LOG), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._mark = f"[TRACE:{trace_id}] [trainyard] "
        self._limit = limit
        self._head = limit // 2 // _BLOCK * _BLOCK
        self._step = min(_STEP, limit // 8)
        self._dropped = 0
        self._seen = 0
        self._next_look = 0.0
        self.cut_end = self._head  # what lies between head and here is gone
        self.punch = punch_hole

    @property
    def cut_start(self) -> int:
        return self._head

    def say(self, text: str) -> None:
        """One line of ours, on a line of its own. A full disk loses it, nothing more."""
        try:
            size = os.fstat(self.fd).st_size
            broken = size > 0 and os.pread(self.fd, 1, size - 1) != b"\n"
            self.write(("\n" if broken else "").encode() + f"{self._mark}{text}\n".encode())
        except OSError:
            pass

    def write(self, data: bytes) -> None:
        try:
            os.write(self.fd, data)
        except OSError:  # a full disk must not stop a training whose terminal still shows everything
            pass

    def keep_short(self) -> float:
        """Cut if it is time to. Returns when to look again: sooner during a flood."""
        now = time.monotonic()
        if now < self._next_look:
            return self._next_look - now
        size = os.fstat(self.fd).st_size
        delay = _FLOOD if size - self._seen > self._step // 4 else _CALM
        self._seen, self._next_look = size, now + delay
        if size - self.cut_end > self._limit - self._head:
            self._cut(size)
        return delay

    def keep_short_at_last(self) -> None:
        """A run may have flooded its log and ended between two looks."""
        self._next_look = 0.0
        self.keep_short()

    def _cut(self, size: int) -> None:
        end = (size - (self._limit - self._head) + self._step) // _BLOCK * _BLOCK
        # readers learn of the cut first: they never see the zeros of a hole
        self._note(self._head, end, end - self._head)
        if self.punch(self.fd, self.cut_end, end - self.cut_end):
            self.cut_end = end
            return
        # no holes on this file system: keep the first half, drop what followed, and go on behind it
        os.ftruncate(self.fd, self._head)
        self._dropped += size - self._head
        self._note(self._head, self._head, self._dropped)

    def _note(self, start: int, end: int, dropped: int) -> None:
        note: dict[str, object] = {"start": start, "end": end, "bytes": dropped, "limit_mb": self._limit // (1 << 20)}
        try:
            write_json(self.folder, CUTS, note)
        except OSError:
            pass  # disk full: the cut itself makes room, the next one is noted
