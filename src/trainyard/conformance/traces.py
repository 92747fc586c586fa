"""What a run leaves behind: files outside its own folders, processes, secrets in its output."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

SHARED = (Path(os.sep, "tmp"), Path(os.sep, "var", "tmp"))
# what interpreters and libraries keep by themselves between runs in a folder of code
_CACHES = {"__pycache__", ".cache", ".config", ".venv", ".venvs", "node_modules"}

Snapshot = Mapping[str, tuple[int, int]]


def snapshot(own: Path, given: Iterable[Path]) -> Snapshot:
    """Every file with its time and size: all that lies in what a run was given, and a trainer's own without caches."""
    found = _files(own, _CACHES)
    for folder in given:
        found |= _files(folder, set())
    return found


def _files(folder: Path, without: set[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for root, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in without]
        for name in [*files, *names]:
            path = Path(root, name)
            with contextlib.suppress(OSError):
                stat = path.lstat()
                found[str(path)] = (0, 0) if path.is_dir() else (stat.st_mtime_ns, stat.st_size)
    return found


def strays(job_id: str, folders: Iterable[Path] = SHARED) -> tuple[str, ...]:
    """What bears the job's id in folders that all programs share, though it was given one of its own."""
    found: list[str] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [str(path) for path in folder.iterdir() if job_id in path.name]
    return tuple(sorted(found))


def changes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """The files that appeared or were changed; of new folders the uppermost."""
    fresh = sorted(path for path, facts in after.items() if before.get(path) != facts)
    return tuple(path for path in fresh if not any(path.startswith(f"{other}{os.sep}") for other in fresh))


def end_leftovers(session: int, job_id: str, trace_id: str, patience: float) -> tuple[str, ...]:
    """The processes of an ended run that are still there after a while, in words; afterwards they are not."""
    deadline = time.monotonic() + patience
    while (left := _members(session, job_id, trace_id)) and time.monotonic() < deadline:
        time.sleep(0.05)
    names: list[str] = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            names.append(f"{process.name()} (pid {process.pid})")
            process.kill()
    return tuple(names)


def _members(session: int, job_id: str, trace_id: str) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if os.getsid(process.pid) == session or _bears(process, job_id, trace_id):
                found.append(process)
    return found


def _bears(process: psutil.Process, job_id: str, trace_id: str) -> bool:
    variables = process.environ()
    return variables.get("JOB_ID") == job_id and variables.get("TRACE_ID") == trace_id
