"""The shim's side of a run folder: the lock, and files that are there whole or not at all."""

from __future__ import annotations

import json
import os

PLAN, SHIM, EXIT, LOCK, LOG, CUTS, CANCEL, TMP = (
    "plan.json", "shim.json", "exit.json", "lock", "output.log", "cuts.json", "cancel", "tmp",
)  # fmt: skip
_RESERVE = ".exit.reserve"
_RESERVED_BYTES = 4096


def take_lock(folder: str) -> bool:
    """True for the first caller ever, and for nobody after it: one attempt never runs twice."""
    path = os.path.join(folder, LOCK)
    try:
        import fcntl  # not on Windows
    except ImportError:
        try:
            os.open(path, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        return True
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # stays open, and locked, for as long as this process lives
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return not any(os.path.exists(os.path.join(folder, name)) for name in (SHIM, EXIT))


def is_locked(folder: str) -> bool:
    """Whether the process that took the lock lives. For a folder where a run was started: a look at one that is about
    to start would get into its way."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return False
    try:
        fd = os.open(os.path.join(folder, LOCK), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def write_json(folder: str, name: str, data: dict[str, object]) -> None:
    """Replace a file atomically, so that it is whole even after a power cut."""
    draft = os.path.join(folder, f".{name}.{os.getpid()}")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())  # 0.3 ms
    os.replace(draft, os.path.join(folder, name))


def reserve_exit(folder: str) -> None:
    """Take the disk space of exit.json now, so that a disk that fills up later can't hide how the run ended."""
    with open(os.path.join(folder, _RESERVE), "w", encoding="ascii") as file:
        file.write(" " * _RESERVED_BYTES)


def write_exit(folder: str, data: dict[str, object]) -> None:
    """Write exit.json, durably, into the space that was kept for it (JSON doesn't mind the spaces behind it)."""
    reserve = os.path.join(folder, _RESERVE)
    fd = os.open(reserve, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(fd, _fitting(data).encode(), 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(reserve, os.path.join(folder, EXIT))
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _fitting(data: dict[str, object]) -> str:
    """As JSON that fits into the reserved space: a long problem is cut, the log has all of it."""
    text, problem = json.dumps(data), str(data.get("problem", ""))
    while len(text) > _RESERVED_BYTES and problem:
        problem = problem[: len(problem) * 3 // 4]
        text = json.dumps(data | {"problem": f"{problem}…"})
    return text
