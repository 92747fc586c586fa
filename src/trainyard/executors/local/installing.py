"""Running uv: finding it, showing how far it is, and saying in plain words why it failed."""

import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

import psutil

from trainyard.contract.vocabulary import Reason
from trainyard.executors.base import LaunchFailed
from trainyard.executors.local.variables import base_environment
from trainyard.uv import explain_failure, says_disk_full, uv_environment

_SAY_EVERY = 1.0


def run_uv(
    uv: str, arguments: Sequence[str], title: str, say: Callable[[str], None], is_cancelled: Callable[[], bool]
) -> "Installed":
    """Run it to its end, saying each second how far it is. Raises LaunchFailed, or Stopped when cancelled."""
    process = subprocess.Popen(
        [uv, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=base_environment(uv_environment()),  # packages run code of their own when they are built: no secrets
    )
    assert process.stderr is not None
    progress = _Progress(title)
    reader = threading.Thread(target=progress.read, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        while not _ends_within(process, _SAY_EVERY):
            progress.look_at(process.pid)
            say(progress.line())
            if is_cancelled():
                raise Stopped
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()
    if process.returncode != 0:
        raise _failure(title, "\n".join(progress.last_lines))
    return Installed(progress.copied)


@dataclass(frozen=True, slots=True)
class Installed:
    """What uv told on its way. `copied`: it could not share files with its cache."""

    copied: bool


def cannot_be_solved(failure: LaunchFailed) -> bool:
    """There is no such version, or none of its files is for this system and Python."""
    return "No solution found" in failure.evidence["output"]


class Stopped(Exception):
    """The run was cancelled while uv was at work."""


def _ends_within(process: "subprocess.Popen[str]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@dataclass(slots=True)
class _Progress:
    """What uv says on its way, as one line that a person wants to read."""

    title: str
    began: float = field(default_factory=time.monotonic)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=30))
    packages: int = 0
    under_way: list[str] = field(default_factory=list[str])
    written: int = 0
    copied: bool = False

    def read(self, stream: IO[str]) -> None:
        for raw in stream:
            line = raw.strip()
            if not line:
                continue
            self.last_lines.append(line)
            if "falling back to full copy" in line:
                self.copied = True
            elif match := re.match(r"Resolved (\d+) packages?", line):
                self.packages = int(match[1])
            elif match := re.match(r"(?:Downloading|Building) (\S+)", line):
                self.under_way.append(match[1])
            elif (match := re.match(r"(?:Downloaded|Built) (\S+)", line)) and match[1] in self.under_way:
                self.under_way.remove(match[1])

    def look_at(self, pid: int) -> None:
        """How much it has written to the disk, where the system counts that."""
        with suppress(psutil.Error, AttributeError, OSError):
            self.written = psutil.Process(pid).io_counters().write_bytes

    def line(self) -> str:
        parts = [f"{self.packages} packages" if self.packages else "finding out what it needs"]
        if self.under_way:
            more = "…" if len(self.under_way) > 2 else ""
            parts.append(f"downloading {', '.join(self.under_way[:2])}{more}")
        elif self.packages:
            parts.append("copying" if self.copied else "installing")
        if self.written > 1 << 20:
            parts.append(f"{_size(self.written)} so far")
        return f"{self.title}: {', '.join(parts)}, {time.monotonic() - self.began:.0f} s"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _failure(title: str, output: str) -> LaunchFailed:
    full = says_disk_full(output)
    hint = "If it is none of that: correct the trainer's requirements.txt. "
    if "hash mismatch" in output.lower():
        hint = "What the index has is not what was locked: find out why before `just lock` makes the lock anew. "
    return LaunchFailed(
        f"{title} failed. {explain_failure(output)}",
        hint=f"{hint}A venv-<framework> folder beside the trainer is used as it is.",
        reason=Reason.DISK_FULL if full else Reason.ENVIRONMENT_FAILED,
        evidence={"output": output},
    )
