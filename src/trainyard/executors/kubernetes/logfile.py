"""The file a pod's log is followed into, and the note of how far that log was read: killed at any time, it goes on."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from trainyard.executors.kubernetes.loglines import Place
from trainyard.executors.local.shim.folder import LOG, write_json
from trainyard.executors.local.shim.log import JobLog
from trainyard.logs.files import read_cut

NOTE = "followed.json"
_SAVE_SECONDS = 0.5
_SAVE_BYTES = 1 << 20
_AT_ONCE = 256 << 10  # between two looks at the cap


class LogFile:
    """For one thread. What a killed one had written and not noted comes again from the cluster, the same bytes: they
    are left where they are, so what readers were told stays true, also if the pod should be gone by now."""

    def __init__(self, folder: Path, trace_id: str, limit: int) -> None:
        """Raises OSError."""
        self._folder = folder
        self._log = JobLog(str(folder), trace_id, limit)
        self._at, self.place = _noted(folder)  # up to where the file is what was read up to this place
        self._end = os.fstat(self._log.fd).st_size
        self._at = min(self._at, self._end)  # less than was noted: a cut on a disk that knows no holes
        self._saved = (0.0, self._at)
        self._noted = self.place

    def write(self, text: bytes, place: Place, may_wait: Callable[[], bool]) -> None:
        """Append; waits while the disk is full, for as long as `may_wait` (which takes a moment) says that it may."""
        text = text[self._known(text) :]
        for at in range(0, len(text), _AT_ONCE):
            piece = text[at : at + _AT_ONCE]
            while piece:
                self._log.write(piece)
                piece = piece[self._grown() :]
                self._log.keep_short_at_last()  # may make the room that is needed
                self._end = self._at = os.fstat(self._log.fd).st_size
                if piece and not may_wait():
                    return  # the place stays what it was: here it goes on
        self.place = place
        when, size = self._saved
        if time.monotonic() - when > _SAVE_SECONDS or self._at - size > _SAVE_BYTES:
            self.save()

    def say(self, text: str) -> None:
        """A line of ours. What is in the file beyond the note stays there."""
        self._log.say(text)
        self._end = self._at = os.fstat(self._log.fd).st_size

    def save(self) -> None:
        """Note how far it is. A full disk keeps the note from before."""
        if self.place == self._noted:
            return
        try:
            os.fsync(self._log.fd)  # a note of bytes that a power cut takes would leave a gap
            note: dict[str, object] = {"bytes": self._at, **asdict(self.place)}
            write_json(str(self._folder), NOTE, note)
        except OSError:
            return
        self._noted = self.place
        self._saved = (time.monotonic(), self._at)

    def close(self) -> None:
        self.save()
        os.close(self._log.fd)

    def _grown(self) -> int:
        return os.fstat(self._log.fd).st_size - self._end

    def _known(self, text: bytes) -> int:
        """How many of these bytes stand in the file already."""
        there = min(len(text), self._end - self._at)
        if there <= 0:
            return 0
        if os.pread(self._log.fd, there, self._at) != text[:there] and not self._is_cut(self._at, there):
            self._at = self._end  # not the same: rather some lines twice than some not at all
            return 0
        self._at += there
        return there

    def _is_cut(self, at: int, length: int) -> bool:
        cut = read_cut(self._folder / LOG)
        return cut is not None and at < cut.end and at + length > cut.start


def _noted(folder: Path) -> tuple[int, Place]:
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return int(note.pop("bytes")), Place(**note)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return 0, Place()
