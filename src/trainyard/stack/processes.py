"""Processes that outlive the one that started them: known by pid and start time, ended with their whole group."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

LOG_LIMIT = 10_000_000
CLOCK_GRAIN = 0.1  # seconds; no pid comes round so soon


def _start_of(pid: int) -> float:
    """When it started. On Linux counted from the boot, and so the same when somebody sets the clock."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            raise psutil.NoSuchProcess(pid) from None
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return psutil.Process(pid).create_time()


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.time()


@cache
def _boot() -> str:
    """Which boot this is, where the system says so (Linux): what ran before the last one is gone."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


@dataclass(slots=True, frozen=True)
class Identity:
    """A pid alone may belong to a stranger tomorrow; with its start time and its boot it cannot."""

    pid: int
    started: float
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, _start_of(pid), _boot())

    def _is_it(self) -> bool:
        return self.boot == _boot() and abs(_start_of(self.pid) - self.started) < CLOCK_GRAIN

    def age(self) -> float:
        """Seconds since it started."""
        return _now() - self.started

    def process(self) -> psutil.Process | None:
        """The living process, or None. A zombie is dead."""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid)
            if self._is_it() and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None

    def alive(self) -> bool:
        return self.process() is not None

    def members(self) -> list[psutil.Process]:
        """It and what it started, save for what went into a session of its own (as jobs do)."""
        leader = self.process()
        if sys.platform == "win32":
            return [leader, *leader.children(recursive=True)] if leader else []
        if self.boot != _boot() or (leader is None and self._number_is_a_strangers()):
            return []
        return [process for process in psutil.process_iter() if self._leads(process)]

    def _number_is_a_strangers(self) -> bool:
        # the kernel gives a number away only when its whole group is gone: then the group of that name is not ours
        with contextlib.suppress(psutil.Error):
            return not self._is_it()
        return False

    def _leads(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            ours = os.getpgid(process.pid) == self.pid and _start_of(process.pid) > self.started - CLOCK_GRAIN
            return ours and process.status() != psutil.STATUS_ZOMBIE
        return False


def start(argv: list[str], *, env: dict[str, str], cwd: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, with its output in a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    bound(log)
    new_group = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=new_group,
        )


def stop(identity: Identity, grace: float) -> None:
    """Ask the whole group to end, then make it. Blocks until it is gone; idempotent."""
    members = identity.members()
    for member in members:
        with contextlib.suppress(psutil.Error):
            member.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (members := identity.members()) and time.monotonic() < deadline:
        psutil.wait_procs(members, timeout=0.1)
    while members := identity.members():
        for member in members:
            with contextlib.suppress(psutil.Error):
                member.kill()
        psutil.wait_procs(members, timeout=0.5)


def bound(log: Path) -> None:
    """Set a log that has grown too long aside, over the one set aside before. Its writer appends and sees nothing."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            old = log.with_name(f"{log.name}.1")
            with log.open("rb") as source, old.open("wb") as copy:
                source.seek(-LOG_LIMIT, os.SEEK_END)
                while piece := source.read(1 << 20):
                    copy.write(piece)
            os.truncate(log, 0)


def last_lines(log: Path, count: int = 5) -> str:
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8_192))
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return "\n".join(lines[-count:])[-2_000:]
    return ""


def memory(identity: Identity) -> int:
    """Bytes that the group holds: shared pages are shared out where the system says so (Linux)."""
    total = 0
    for member in identity.members():
        with contextlib.suppress(psutil.Error):
            full = member.memory_full_info() if sys.platform == "linux" else member.memory_info()
            total += getattr(full, "pss", 0) or full.rss
    return total
