"""Which processes are a run's, whether they live, whether they work, and an end to those that should be gone."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from trainyard.executors.base import RunId
from trainyard.executors.local.run_folder import ShimRecord
from trainyard.executors.local.shim.kernel import boot_id, start_ticks

_CLOCKS_AGREE_WITHIN = 2.0
_WORKING = 0.02  # of one CPU; threads that only wake up to look at a clock stay far below
_LOOKS_APART = 0.5


def is_alive(shim: ShimRecord) -> bool:
    """Whether this very process lives. Another one that was given the same pid since then is not it."""
    if not same_boot(shim):
        return False
    try:
        process = psutil.Process(shim.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if shim.ticks is not None:
            return start_ticks(shim.pid) == shim.ticks
        return process.create_time() <= shim.at + _CLOCKS_AGREE_WITHIN
    except psutil.NoSuchProcess:
        return False


def same_boot(shim: ShimRecord) -> bool:
    """Pids from before the last boot mean nothing."""
    return shim.boot_id == boot_id()


def of_run(run: RunId) -> Iterator[psutil.Process]:
    """Processes whose environment carries this job *and* its trace id: a stranger's JOB_ID may be the same."""
    for process in psutil.process_iter():
        try:
            env = process.environ()
        except (psutil.Error, OSError):  # gone, or somebody else's
            continue
        mine = process.pid == os.getpid()
        if not mine and env.get("JOB_ID") == run.job_id and env.get("TRACE_ID") == run.trace_id:
            yield process


def sweep(run: RunId, seconds: float = 5.0) -> int:
    """Kill what is left of a run, however it hides. Returns how many there were; blocks until they are gone."""
    give_up = time.monotonic() + seconds
    killed: set[int] = set()
    while rest := [process for process in of_run(run) if _is_running(process)]:
        for process in rest:
            try:
                process.kill()
                killed.add(process.pid)
            except psutil.Error:
                continue
        psutil.wait_procs(rest, timeout=0.2)
        if time.monotonic() > give_up:
            break
    return len(killed)


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(slots=True)
class _Look:
    at: float
    cpu: float
    busy: bool


class Activity:
    """Tells work from waiting by the CPU time that a run's processes used since the last look."""

    def __init__(self) -> None:
        self._looks: dict[RunId, _Look] = {}

    def is_busy(self, run: RunId, shim: ShimRecord) -> bool:
        """True at the first look, when nothing is known yet. A stopped trainer is not busy, one that waits for a disk
        is: the kernel holds it there, it will go on."""
        try:
            tree = psutil.Process(shim.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        states = {process.pid: _status(process) for process in tree}
        if shim.child is not None and states.get(shim.child) in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP):
            return False
        if psutil.STATUS_DISK_SLEEP in states.values():
            return True
        return self._has_worked(run, sum(cpu_seconds(process) for process in tree))

    def _has_worked(self, run: RunId, cpu: float) -> bool:
        now = time.monotonic()
        last = self._looks.get(run)
        if last is None:
            self._looks[run] = _Look(now, cpu, True)
            return True
        if now - last.at >= _LOOKS_APART:
            # it shrinks when a worker ends that nobody waited for: something happened, then
            worked = abs(cpu - last.cpu) >= _WORKING * (now - last.at)
            self._looks[run] = last = _Look(now, cpu, worked)
        return last.busy

    def forget(self, run: RunId) -> None:
        self._looks.pop(run, None)


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.Error:
        return psutil.STATUS_DEAD


def cpu_seconds(process: psutil.Process) -> float:
    """Its own, and that of its children which have ended."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0
