"""What the standard library lacks: subreaper, death signal, holes in files, who descends from whom, OOM kills.

Linux has all of it. Elsewhere each function answers with the nearest thing there is, or says that it can't.
"""

from __future__ import annotations

import ctypes
import os
import signal

_LIBC = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
_HAS_PROC = os.path.exists("/proc/self/stat")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_KEEP_SIZE_AND_PUNCH = 0x01 | 0x02


def become_subreaper() -> bool:
    """From here on orphans among our descendants become our children, however often they fork or call setsid."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Called in a new child: when the parent dies, for whatever reason, the kernel kills this process too."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(125)


def _prctl(option: int, value: int) -> bool:
    prctl = getattr(_LIBC, "prctl", None)
    return prctl is not None and prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0


def punch_hole(fd: int, start: int, length: int) -> bool:
    """Give a range of a file back to the disk without moving what follows. False where the file system can't."""
    fallocate = getattr(_LIBC, "fallocate64", None) or getattr(_LIBC, "fallocate", None)
    if fallocate is None:
        return False
    return fallocate(fd, _KEEP_SIZE_AND_PUNCH, ctypes.c_int64(start), ctypes.c_int64(length)) == 0


def descendants(root: int) -> list[int]:
    """Every living process below `root`. Zombies don't count: they are dead and merely not yet collected."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.pop(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _parents() -> list[tuple[int, int]]:
    if not _HAS_PROC:
        import subprocess  # slow to import, and Linux can spare it

        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, check=False).stdout
        rows = [line.split() for line in listing.decode().splitlines()]
        return [(int(row[0]), int(row[1])) for row in rows if len(row) == 3 and not row[2].startswith("Z")]
    pairs: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat_fields(int(name))
            if fields and fields[0] != "Z":
                pairs.append((int(name), int(fields[1])))
    return pairs


def stat_fields(pid: int) -> list[str]:
    """/proc/PID/stat from the state on (state, parent, …), or nothing where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def start_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot: with the pid it names one process for ever."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields else None


def boot_id() -> str:
    """Differs after each boot; empty where the system doesn't tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory since boot; 0 where it doesn't count them."""
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def free_bytes(folder: str) -> int:
    """What is left on the disk of a folder."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize
