"""What an environment is made from: a trainer's requirements.txt, or the lock that was made from exactly this one."""

import hashlib
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Files as they were when it was looked at, and the name that people find the newest environment by."""

    requirements: Path
    stamp: dict[str, Any]
    link: Path

    @property
    def folder(self) -> Path:
        digest = hashlib.sha256(json.dumps(self.stamp, sort_keys=True).encode()).hexdigest()
        return self.link.parent / ".venvs" / digest[:12]

    @property
    def is_current(self) -> bool:
        """False once somebody has edited the requirements or the lock."""
        return self.stamp == stamp_of(self.requirements)

    @property
    def lock(self) -> Path | None:
        """What is installed, where it belongs to these requirements."""
        return self.requirements.with_name(LOCK) if "lock" in self.stamp else None

    @property
    def warning(self) -> str:
        """What to say where there is a lock that can't be used."""
        if self.lock or not self.requirements.with_name(LOCK).exists():
            return ""
        return (
            "requirements.txt was changed after requirements.lock was made: installs without the lock "
            f"(`just lock {self.requirements.parent.name}` makes it anew)"
        )


def stamp_of(requirements: Path) -> dict[str, Any]:
    """An environment that was made from something else has another stamp."""
    stamp = {"requirements": _digest(requirements.read_bytes()), "python": platform.python_version()}
    lock = lock_of(requirements)
    return stamp | {"lock": _digest(lock.read_bytes())} if lock else stamp


def lock_of(requirements: Path) -> Path | None:
    """The lock beside it, if its first line names this very content. `.ci/lock` writes that line."""
    lock = requirements.with_name(LOCK)
    try:
        with lock.open(encoding="utf-8") as lines:
            first = lines.readline().strip()
    except (OSError, UnicodeDecodeError):
        return None
    content = requirements.read_bytes().replace(b"\r\n", b"\n")  # as git may have checked it out on Windows
    return lock if first == f"# from requirements.txt sha256:{_digest(content)}" else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
