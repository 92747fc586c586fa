"""Waiting for one trainer to end: relays its terminal, passes on stop requests, kills what is left of it."""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from trainyard.executors.local.shim.folder import CANCEL
from trainyard.executors.local.shim.kernel import descendants, oom_kills
from trainyard.executors.local.shim.log import JobLog
from trainyard.executors.local.shim.relay import Relay

_HEARD = ("SIGCHLD", "SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGWINCH")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_PATIENCE = 10.0  # for processes that even SIGKILL doesn't end: they hang in the kernel


def listen() -> int:
    """Turn signals into bytes on a pipe, whose reading end is returned. From here on SIGTERM no longer kills us."""
    hears, tells = os.pipe()
    os.set_blocking(tells, False)
    os.set_blocking(hears, False)
    signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
    for name in _HEARD:
        signal.signal(getattr(signal, name), _only_wake_up)
    return hears


def _only_wake_up(number: int, frame: object) -> None:
    """The byte on the pipe says it all."""


class Supervisor:
    """One run. `supervise` takes any child that was forked, cold or warm, and returns how it ended."""

    def __init__(self, folder: str, grace: float, log: JobLog, relay: Relay, signals: int) -> None:
        self._mark = os.path.join(folder, CANCEL)
        self._grace = grace
        self._log = log
        self._relay = relay
        self._signals = signals
        self._main = 0
        self._status: int | None = None
        self._max_rss = 0
        self._interrupts = 0
        self._asked = False
        self._killed = False
        self._kill_at: float | None = None
        self._kills_before = oom_kills()

    def supervise(self, main: int) -> dict[str, object]:
        """Blocks until the trainer has ended and nothing that it started is left."""
        self._main = main
        while self._status is None:
            self._turn()
        left = self._kill_rest()
        code = os.waitstatus_to_exitcode(self._status)
        return {
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "stopped_on_request": self._asked,
            "killed": self._killed,
            "oom_kills": oom_kills() - self._kills_before,
            "max_rss": self._max_rss,
            "left": left,
        }

    def _turn(self) -> None:
        inputs, outputs = self._relay.waits_for()
        pause = min(self._log.keep_short(), self._relay.pause)
        if self._kill_at is not None:
            pause = max(0.0, min(pause, self._kill_at - time.monotonic()))
        ready, writable, _ = select.select([self._signals, *inputs], outputs, [], pause)
        for number in self._heard():
            self._take_signal(number)
        for _ in range(self._relay.pump(ready, writable)):
            self._interrupted(forward=False)  # the pty has sent SIGINT already
        self._reap()
        if not self._asked and os.path.exists(self._mark):
            self.request_stop(signal.SIGTERM)
        if self._kill_at is not None and time.monotonic() >= self._kill_at and self._status is None:
            self._kill_now(f"killed: it had not ended {self._grace:g} s after it was asked to")

    def _heard(self) -> bytes:
        try:
            return os.read(self._signals, 512)
        except BlockingIOError:
            return b""

    def _take_signal(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGHUP):
            self.request_stop(signal.SIGTERM)
        elif number == signal.SIGINT:
            self._interrupted(forward=True)
        elif number == signal.SIGUSR1:
            self._kill_now("killed: the platform gave it up")
        elif number == signal.SIGWINCH:
            self._relay.resize()

    def _interrupted(self, forward: bool) -> None:
        """Ctrl+C: the first one asks, the second one ends it."""
        self._interrupts += 1
        if self._interrupts > 1:
            self._kill_now("killed: Ctrl+C was pressed twice")
        else:
            self.request_stop(signal.SIGINT if forward else None)

    def request_stop(self, number: int | None) -> None:
        """Ask the trainer, and only its main process: what it does with its workers is its own business. The clock
        runs here, so that the grace period ends also when nobody else is left to end it."""
        if self._asked or self._status is not None:
            return
        self._asked = True
        self._kill_at = time.monotonic() + self._grace
        if number is not None:
            _send(self._main, number)
        _send(self._main, signal.SIGCONT)  # a stopped process could not hear it
        self._announce(f"asked to stop; it has {self._grace:g} s, then it is killed")

    def _kill_now(self, why: str) -> None:
        if self._status is None and not self._killed:
            self._killed = True
            self._announce(why)
            _send(self._main, signal.SIGKILL)  # the rest follows once it is gone: see supervise

    def _announce(self, text: str) -> None:
        self._log.say(text)
        self._relay.show(f"[trainyard] {text}")

    def _reap(self) -> bool:
        """Collect whoever ended, adopted orphans too. False once there is nobody left to wait for."""
        while True:
            try:
                pid, status, usage = os.wait3(os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self._max_rss = max(self._max_rss, usage.ru_maxrss * _RSS_UNIT)
            if pid == self._main:
                self._status = status

    def _kill_rest(self) -> list[int]:
        """Workers, grandchildren, daemons: as their subreaper we have them all. Returns those that can't be killed."""
        give_up = time.monotonic() + _PATIENCE
        while self._reap():
            rest = descendants(os.getpid())
            if time.monotonic() > give_up:
                return rest
            for pid in rest:
                _send(pid, signal.SIGKILL)
            select.select([self._signals], [], [], 0.02)
            self._heard()
        return []


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
