"""A pod's log, followed into a file of this machine: cut, silent and rotated streams leave no gap and no duplicate.

A thread per log writes; a shorter-lived one per connection reads ahead of it, as far as a bounded buffer goes, so that
nothing that hangs in the network holds up what must end in time.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from trainyard.executors.kubernetes.api import Api, ClusterAway, Refused
from trainyard.executors.kubernetes.logfile import LogFile
from trainyard.executors.kubernetes.loglines import Lines

log = logging.getLogger(__name__)
CONTAINER = "trainer"
SILENCE_SECONDS = 30.0  # a quiet trainer and a dead connection look alike: asking again is cheap
ENDED_SECONDS = 15.0  # an ended container whose log can't be read is given up after so long without a byte
_BUFFER = 1 << 20
_TOGETHER = 0.03  # what comes within so many seconds is written at once: floods come in pieces of a line
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_SELDOM = 30.0  # at last, where nothing is to be expected: we are told when a container begins and when it has ended
_LAST_WORDS = 1.0  # so long a stream may be silent whose container has ended
_QUIET_ENDS = 2  # so many answers in a row that ended by themselves and brought nothing: the container has ended


# asks for a container's log and blocks while it reads; raises Refused (404: it is gone) and ClusterAway
LogSource = Callable[[dict[str, str], float], AbstractContextManager[Iterator[bytes]]]


class PodLog:
    """Follows one container's log into a file of this machine: no gap, no duplicate, never more than the cap. As far
    as the kubelet still has it, that is: what it rotated away while nobody could ask is marked as missing."""

    def __init__(
        self, source: LogSource, folder: Path, trace_id: str, limit_mb: int, silence: float = SILENCE_SECONDS
    ) -> None:
        self._source = source
        self._folder = folder
        self._trace_id = trace_id
        self._limit = limit_mb << 20
        self._silence = silence
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._started = False  # as we were told
        self._ended_at: float | None = None  # when we were told
        self._told = 0  # how often we were told something
        self._complete = False
        self._connected = False
        self._quiet_ends = 0
        self._last_text = 0.0

    @classmethod
    def of_pod(
        cls, api: Api, pod: str, folder: Path, trace_id: str, limit_mb: int, silence: float = SILENCE_SECONDS
    ) -> "PodLog":
        """The log of a pod's trainer."""

        def source(query: dict[str, str], quiet: float) -> AbstractContextManager[Iterator[bytes]]:
            return api.log(pod, {"container": CONTAINER} | query, quiet)

        return cls(source, folder, trace_id, limit_mb, silence)

    def start(self) -> None:
        """Returns at once: a daemon thread does it. Harmless if repeated."""
        with self._changed:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="pod-log", daemon=True)
                self._thread.start()

    @property
    def drained(self) -> bool:
        """The container ended and everything that could be read has been written. Becomes true by itself where answers
        show it, and for sure, in bounded time, after `pod_ended`."""
        return self._complete or self._quiet_ends >= _QUIET_ENDS

    def pod_started(self) -> None:
        """Whoever knows that the container has begun says so: its log is asked for now, not after the pause that grew
        while there was none. Returns at once; harmless if repeated."""
        with self._changed:
            if not self._started:
                self._started = True
                self._told += 1
                self._changed.notify_all()

    def pod_ended(self) -> None:
        """Whoever knows that the container has ended says so: the rest is fetched now, and `drained` becomes true also
        if the cluster gives no answer for ENDED_SECONDS. Returns at once; harmless if repeated."""
        with self._changed:
            if self._ended_at is None:
                self._ended_at = time.monotonic()
                self._told += 1
                self._changed.notify_all()

    def wait_until_connected(self, seconds: float) -> None:
        """Until it has had a connection, or can't have one: a pod that is deleted takes its last words with it."""
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._over(), seconds)

    def close(self) -> None:
        """Let go; what is written so far can be continued by another PodLog later. Waits for a write, not for the
        network."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._over():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                file = LogFile(self._folder, self._trace_id, self._limit)
                try:
                    self._follow(file)
                finally:
                    file.close()
            except Exception:
                log.exception("a pod's log can't be written into %s", self._folder.name)
                self._wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._give_up_in_time()

    def _follow(self, file: LogFile) -> None:
        """Until it is complete or closed: one connection after the other."""
        pause = _FIRST_PAUSE
        while not self._over():
            known, told = self._told, self._ended_at is not None
            begun, before = time.monotonic(), file.place
            ending = self._read(file, told)
            file.save()
            moved, lasted = file.place != before, time.monotonic() - begun
            if isinstance(ending, Refused) and _is_gone(ending, told):
                self._complete = True
            elif ending is None and not self._closed:
                self._quiet_ends = 0 if moved or lasted > _LONGEST_PAUSE else self._quiet_ends + 1
                self._complete = told and not moved
            self._give_up_in_time()
            if moved or told or lasted >= min(self._silence, _LONGEST_PAUSE):  # it works: go on
                pause = _FIRST_PAUSE
            if self._wait(0 if ending is None and moved else pause, known):
                pause = _FIRST_PAUSE
            else:
                expected = isinstance(ending, ClusterAway) or (self._started and self._quiet_ends < _QUIET_ENDS)
                pause = min(2 * pause, _LONGEST_PAUSE) if expected else min(4 * pause, _SELDOM)

    def _read(self, file: LogFile, told: bool) -> Exception | None:
        """One connection. Returns what broke it; None: it ended by itself, or it is of no more use."""
        query = {"timestamps": "true", "follow": "false" if told else "true"}
        query |= {"sinceTime": file.place.since} if file.place.since else {}
        lines = Lines(file.place)
        stream = _Stream(self._source, query, self._silence, self._changed)
        try:
            while True:
                data, over = self._next(stream)
                self._connected = self._connected or stream.opened
                if data:
                    self._write(file, lines, data)
                if over:
                    return stream.problem
                if self._closed or self._give_up_in_time() or (not told and self._hangs(stream)):
                    return ClusterAway("let go")
        finally:
            stream.let_go()

    def _write(self, file: LogFile, lines: Lines, data: bytes) -> None:
        known = lines.lost
        text = lines.feed(data)
        lost = lines.lost and not known
        if lost:
            file.say("the cluster threw away a part of the log before it could be read: lines may be missing here")
        if text:
            self._last_text = time.monotonic()
            self._quiet_ends = 0
        file.write(text, lines.place, self._may_wait)
        if lost:
            file.save()  # said once, not after each restart

    def _may_wait(self) -> bool:
        """While the disk is full: a moment later; False where it is time to give up."""
        self._wait(0.5)
        return not self._closed and not self._give_up_in_time()

    def _hangs(self, stream: "_Stream") -> bool:
        """Whether it should have ended with its container. While bytes come it is read on: it may be in a file that is
        rotated away already, which no other connection would give us."""
        told = self._ended_at
        return told is not None and time.monotonic() - max(told, stream.heard_at) > _LAST_WORDS

    def _next(self, stream: "_Stream") -> tuple[bytes, bool]:
        """What has come, and whether that was all. Waits; for nothing at all half a second."""
        with self._changed:
            if self._changed.wait_for(lambda: stream.buffer or self._is_news(stream), 0.5):
                self._changed.wait_for(lambda: len(stream.buffer) >= _BUFFER or stream.over or self._closed, _TOGETHER)
            return stream.take(), stream.over

    def _is_news(self, stream: "_Stream") -> bool:
        return stream.over or self._closed or stream.opened > self._connected

    def _over(self) -> bool:
        return self._closed or self._complete

    def _give_up_in_time(self) -> bool:
        told = self._ended_at
        if told is not None and time.monotonic() - max(told, self._last_text) > ENDED_SECONDS:
            self._complete = True
        return self._complete

    def _wait(self, seconds: float, known: int | None = None) -> bool:
        """Less if it is closed or told meanwhile that the container has begun or ended: True. `known`: what had been
        told when the caller last looked."""
        told = self._told if known is None else known
        with self._changed:
            return self._changed.wait_for(lambda: self._over() or self._told != told, seconds)


def _is_gone(refused: Refused, ended: bool) -> bool:
    """A node that does not know the pod yet, or was just started itself, says 404 as well, in other words."""
    return refused.status == 404 and (ended or " not found" in str(refused))


class _Stream:
    """One connection, read by a thread of its own into a bounded buffer. Let go of, its thread ends with the next byte
    or after the silence."""

    def __init__(self, source: LogSource, query: dict[str, str], silence: float, changed: threading.Condition) -> None:
        self.buffer = bytearray()
        self.opened = False
        self.over = False
        self.heard_at = time.monotonic()
        self.problem: Exception | None = None
        self._source = source
        self._changed = changed
        self._unwanted = False
        threading.Thread(target=self._read, args=(query, silence), name="pod-log-stream", daemon=True).start()

    def take(self) -> bytes:
        """What has come so far. Call it with the condition held."""
        taken = bytes(self.buffer)
        self.buffer.clear()
        self._changed.notify_all()
        return taken

    def let_go(self) -> None:
        with self._changed:
            self._unwanted = True
            self._changed.notify_all()

    def _read(self, query: dict[str, str], silence: float) -> None:
        problem: Exception | None = None
        try:
            with self._source(query, silence) as pieces:
                with self._changed:
                    self.opened = True
                    self._changed.notify_all()
                for piece in pieces:
                    if not self._add(piece):
                        break
        except (ClusterAway, Refused) as error:
            problem = error
        except Exception as error:
            problem = error
            if not self._unwanted:
                log.exception("a pod's log can't be read")
        with self._changed:
            self.problem, self.over = problem, True
            self._changed.notify_all()

    def _add(self, piece: bytes) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._unwanted or len(self.buffer) < _BUFFER)
            if not self.buffer or len(self.buffer) + len(piece) >= _BUFFER:
                self._changed.notify_all()
            self.buffer += piece
            self.heard_at = time.monotonic()
        return not self._unwanted
