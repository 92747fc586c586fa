"""Hears of a shim's end within milliseconds, also of one that another backend started."""

import logging
import os
import select
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

from trainyard.executors.local import processes
from trainyard.executors.local.run_folder import ShimRecord

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Watched:
    job_id: str
    shim: ShimRecord
    pidfd: int | None


class EndWatcher:
    """One thread for all shims: it sleeps on their pidfds, or looks twice a second where there is no such thing."""

    def __init__(self) -> None:
        self._changed: Callable[[str], None] = lambda job_id: None
        self._lock = threading.Lock()
        self._watched: dict[int, _Watched] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._closed = threading.Event()
        self._epoll = select.epoll() if hasattr(select, "epoll") and hasattr(os, "pidfd_open") else None
        self._thread: threading.Thread | None = None
        self._wake = -1
        if self._epoll is not None:
            self._wake = os.eventfd(0)
            self._epoll.register(self._wake, select.EPOLLIN)

    def start(self, changed: Callable[[str], None]) -> None:
        """From here on each end is told to `changed`, from a thread of ours."""
        self._changed = changed
        self._thread = threading.Thread(target=self._run, name="shim-watcher", daemon=True)
        self._thread.start()

    def own(self, child: "subprocess.Popen[bytes]") -> None:
        """A shim that this process started, and has to collect when it ends."""
        with self._lock:
            self._children[child.pid] = child

    def add(self, job_id: str, shim: ShimRecord) -> None:
        """Watch a shim. Harmless if it is watched already, or has ended by now."""
        with self._lock:
            if shim.pid in self._watched or self._closed.is_set():
                return
            pidfd = self._open(shim.pid)
            self._watched[shim.pid] = _Watched(job_id, shim, pidfd)
        if not processes.is_alive(shim):
            self._ended(shim.pid)

    def _open(self, pid: int) -> int | None:
        if self._epoll is None:
            return None
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:  # ended, or a kernel that refuses: then it is polled
            return None
        self._epoll.register(pidfd, select.EPOLLIN)
        return pidfd

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wait()
            with self._lock:
                watched = list(self._watched.values())
            for one in watched:
                if not processes.is_alive(one.shim):
                    self._ended(one.shim.pid)
            self._collect_children()

    def _wait(self) -> None:
        if self._epoll is None:
            self._closed.wait(_POLL_SECONDS)
        else:
            self._epoll.poll(_POLL_SECONDS)

    def _ended(self, pid: int) -> None:
        with self._lock:
            one = self._watched.pop(pid, None)
        if one is None:
            return
        if one.pidfd is not None:
            os.close(one.pidfd)  # leaves the epoll by itself
        self._collect_children()
        try:
            self._changed(one.job_id)
        except Exception:  # a listener's mistake must not deafen us for all other runs
            log.exception("[trainyard] the listener failed at the end of %s", one.job_id)

    def _collect_children(self) -> None:
        """Nobody else waits for them: without this they would stay as zombies."""
        with self._lock:
            for pid in [pid for pid, child in self._children.items() if child.poll() is not None]:
                del self._children[pid]

    def close(self) -> None:
        """Let go of everything. The shims live on, and init collects them in the end. Harmless if repeated."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._wake >= 0:
            os.eventfd_write(self._wake, 1)
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for one in self._watched.values():
                if one.pidfd is not None:
                    os.close(one.pidfd)
            for child in self._children.values():
                if child.poll() is None:
                    child.returncode = 0  # we leave it on purpose: no warning that it still runs
            if self._epoll is not None:
                self._epoll.close()
                os.close(self._wake)
