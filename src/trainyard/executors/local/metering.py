"""What a run's processes use together: CPU, memory and disk as the kernel counts them, GPUs as their driver does."""

import os
import time
from dataclasses import dataclass

import psutil

from trainyard.executors.base import RunId, Usage
from trainyard.executors.local.gpu_use import GpuTable
from trainyard.executors.local.processes import cpu_seconds
from trainyard.executors.local.run_folder import ShimRecord


@dataclass(frozen=True, slots=True)
class _Counts:
    """Since the run began. A process that ended is counted with the parent that waited for it."""

    at: float
    cpu_seconds: float
    read: int | None
    written: int | None


class Meter:
    """For one thread. What it remembers is only for rates: after a restart the first look has none."""

    def __init__(self) -> None:
        self._last: dict[RunId, _Counts] = {}
        self._gpus = GpuTable()
        self._cpus = float(_usable_cpus())
        self._memory = int(psutil.virtual_memory().total)

    def read(self, run: RunId, shim: ShimRecord) -> Usage | None:
        """Of the trainer and all it started, without its supervisor; None where they are gone."""
        try:
            tree = psutil.Process(shim.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return None
        if not tree:
            return None
        now = _count(tree)
        last = self._last.get(run)
        self._last[run] = now
        cpu = _rate(now.at, now.cpu_seconds, last.at, last.cpu_seconds) if last else None
        return Usage(
            cpu_percent=None if cpu is None else round(100 * cpu, 1),
            memory_bytes=sum(_resident(process) for process in tree),
            disk_read_bytes_s=_rate(now.at, now.read, last.at, last.read) if last else None,
            disk_written_bytes_s=_rate(now.at, now.written, last.at, last.written) if last else None,
            gpus=self._gpus.of({process.pid for process in tree}),
            cpus=self._cpus,
            memory_limit=self._memory,
        )

    def forget(self, run: RunId) -> None:
        self._last.pop(run, None)


def _count(tree: list[psutil.Process]) -> _Counts:
    read, written = 0, 0
    told = False
    for process in tree:
        try:
            io = process.io_counters()
        except (psutil.Error, AttributeError, NotImplementedError, OSError):  # macOS tells nobody
            continue
        told, read, written = True, read + io.read_bytes, written + io.write_bytes
    cpu = sum(cpu_seconds(process) for process in tree)
    return _Counts(time.monotonic(), cpu, read if told else None, written if told else None)


def _rate(now: float, value: float | None, then: float, before: float | None) -> float | None:
    """It shrinks when a process ends that nobody waited for: then nothing is known for this once."""
    if value is None or before is None or now <= then or value < before:
        return None
    return round((value - before) / (now - then), 4)


def _resident(process: psutil.Process) -> int:
    """RSS: pages that several of them share count for each. What is a process's own (USS) takes far longer to find."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _usable_cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
