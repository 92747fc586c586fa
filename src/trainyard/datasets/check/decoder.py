"""Asks a process of its own what is in a picture. One that a picture ends is started anew for the next.

Whoever calls never opens a picture itself, whatever is in it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from trainyard.datasets.check.decode import LENGTH
from trainyard.errors import InvalidInput, Unavailable

SECONDS = 20.0  # of computing a picture; a photo takes a tenth of one
WAIT_FACTOR = 6  # it may have to wait for the processor
LOOK_SECONDS = 1.0
LARGEST_ANSWER, LONGEST_WORDS = 4 * 1024 * 1024, 200
KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # an allow-list: secrets stay out


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that can be read, its size as people see it."""

    width: int
    height: int
    format: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    why: str
    large: bool = False
    slow: bool = False  # it was given up, so that not too much time goes into it


class Decoder:
    """One question at a time, from any thread. Its process is started by the first question, and ends with `close`,
    after `idle_seconds`, or when this process is gone."""

    def __init__(self, max_pixels: int, seconds: float = SECONDS, idle_seconds: float = 60) -> None:
        self._max_pixels = max_pixels
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_at = self._answered_at = 0.0
        self._hung = False
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def look(self, data: bytes) -> Seen | Unreadable:
        """Blocks, for at most a few minutes. Never raises for what is in the picture; Unavailable where no process can
        be started, now and in `thumbnail`."""
        answer, _ = self._ask({"do": "look"}, data)
        if not answer["ok"]:
            return Unreadable(answer["why"], answer["large"], answer.get("slow", False))
        return Seen(answer["width"], answer["height"], answer["format"], bytes.fromhex(answer["hash"]))

    def thumbnail(self, data: bytes, side: int) -> bytes:
        """A small JPEG. Raises InvalidInput where the picture can't be read."""
        answer, payload = self._ask({"do": "thumbnail", "side": side}, data)
        if not answer["ok"]:
            raise InvalidInput(f"The picture can't be shown: {answer['why']}.")
        return payload

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None else None

    def close(self) -> None:
        """The process is gone when this returns. Idempotent."""
        self._closed.set()
        if (process := self._process) is not None:
            process.kill()
        with self._turn:
            self._end()
        if self._watcher is not None:
            self._watcher.join()

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        with self._turn:
            for is_last in (False, True):
                try:
                    return self._asked_once(question, data)
                except (OSError, EOFError, ValueError, TypeError, KeyError):
                    why, slow = self._how_it_ended()
                    if is_last or slow:  # somebody else may have ended it: one more try tells
                        return {"ok": False, "large": False, "slow": slow, "why": why}, b""
        raise AssertionError("the second try returns")

    def _asked_once(self, question: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        process = self._started()
        stdin, stdout = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
        self._asked_at = time.monotonic()
        try:
            head = json.dumps(question | {"bytes": len(data)}).encode()
            stdin.write(LENGTH.pack(len(head)) + head)
            stdin.write(data)
            stdin.flush()
            answer = _checked(json.loads(_exactly(stdout, LENGTH.unpack(_exactly(stdout, LENGTH.size))[0])))
            return answer, _exactly(stdout, answer["bytes"])
        finally:
            self._asked_at, self._answered_at = 0.0, time.monotonic()

    def _how_it_ended(self) -> tuple[str, bool]:
        """And whether because of the time it took."""
        code = self._end()
        hung, self._hung = self._hung, False
        if hung or code == -getattr(signal, "SIGXCPU", 0):
            return f"opening it takes longer than {self._seconds:g} s of computing", True
        return f"opening it ended the process that did (signal {-code})" if code < 0 else f"exit code {code}", False

    # -- the process -----------------------------------------------------------------------------------------------

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed.is_set():
            raise InvalidInput("The backend is shutting down.")
        if self._process is None:
            limits = (str(self._max_pixels), str(self._seconds))
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "trainyard.datasets.check.decode", *limits],
                    env={name: os.environ[name] for name in KEPT if name in os.environ},
                    cwd=Path(sys.executable).anchor,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl+C is for whoever asks
                )
            except OSError as error:  # says nothing about the picture
                raise Unavailable(
                    f"Pictures can't be opened now: no process can be started for it ({error.strerror}).",
                    hint="Try again in a moment; if it stays so, this machine has too little memory or processes left.",
                ) from error
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="decoder", daemon=True)
            self._watcher.start()
        return self._process

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            now, asked, process = time.monotonic(), self._asked_at, self._process
            if asked and now - asked > WAIT_FACTOR * self._seconds and process is not None:
                self._hung = True
                process.kill()
            elif not asked and now - self._answered_at > self._idle_seconds and self._turn.acquire(blocking=False):
                try:
                    self._end()
                finally:
                    self._turn.release()

    def _end(self) -> int:
        """Its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what nobody read any more
                    pipe.close()
        return code


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    """It comes from a process that opened anybody's bytes: nothing in it is larger than it may be."""
    counts = {name: int(answer.get(name, 0)) for name in ("bytes", "width", "height")}
    words = {name: str(answer.get(name, ""))[:LONGEST_WORDS] for name in ("why", "format", "hash")}
    return {"ok": answer["ok"] is True, "large": answer.get("large") is True, **counts, **words}


def _exactly(stream: BinaryIO, count: int) -> bytes:
    if not 0 <= count <= LARGEST_ANSWER:
        raise ValueError(count)
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data
