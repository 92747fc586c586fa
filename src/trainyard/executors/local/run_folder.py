"""One folder a run, at a place that follows from (job, attempt): nothing about it needs to be remembered elsewhere."""

import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from trainyard.executors.base import RunId
from trainyard.executors.local.shim import folder as names
from trainyard.executors.local.shim.kernel import boot_id

_NOBODY = 2**31 - 1  # no system gives such a pid


@dataclass(frozen=True, slots=True)
class ShimRecord:
    """Who supervises the run. A pid counts only together with its start time and the boot it belongs to."""

    pid: int
    ticks: int | None
    boot_id: str
    at: float
    tmp: str
    child: int | None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths, and the files that the shim and the executor leave for each other."""

    path: Path

    @classmethod
    def of(cls, runs_dir: Path, run: RunId) -> "RunFolder":
        return cls(runs_dir / run.job_id / f"a{run.attempt}")

    @property
    def log(self) -> Path:
        return self.path / names.LOG

    @property
    def torchrun(self) -> Path:
        """Where the processes of one training leave word for each other; there for a run of several only."""
        return self.path / "torchrun"

    def make(self) -> None:
        """For the owner only: a log may hold anything."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        self._write(names.PLAN, json.dumps(plan))

    def mark_cancelled(self) -> None:
        self.make()
        (self.path / names.CANCEL).touch()

    def write_exit(self, record: Mapping[str, Any]) -> None:
        """What the shim would have written, had it lived."""
        self._write(names.EXIT, json.dumps(record))

    def _write(self, name: str, text: str) -> None:
        draft = self.path / f".{name}.{secrets.token_hex(4)}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path / name)

    @property
    def is_cancelled(self) -> bool:
        return (self.path / names.CANCEL).exists()

    @property
    def plan_age(self) -> float | None:
        """Seconds since everything was ready for the shim; None: it never was."""
        try:
            return time.time() - (self.path / names.PLAN).stat().st_mtime
        except OSError:
            return None

    def shim(self) -> ShimRecord | None:
        """None before it has said who it is. Where that can't be read, it counts as lost unless it lives."""
        record = self._read(names.SHIM, {"pid", "ticks", "boot_id", "at", "tmp"})
        if record is None:
            return self._lost_shim()
        return ShimRecord(
            pid=record["pid"],
            ticks=record["ticks"],
            boot_id=record["boot_id"],
            at=record["at"],
            tmp=record["tmp"],
            child=record.get("child"),
        )

    def _lost_shim(self) -> ShimRecord | None:
        try:
            at = (self.path / names.SHIM).stat().st_mtime
        except OSError:
            return None
        if names.is_locked(str(self.path)):
            return None  # it has a mark file and the run's variables to be stopped by
        return ShimRecord(_NOBODY, ticks=None, boot_id=boot_id(), at=at, tmp=str(self.path / names.TMP), child=None)

    def exit(self) -> dict[str, Any] | None:
        return self._read(names.EXIT, {"exit_code", "signal", "at", "stopped_on_request"})

    def _read(self, name: str, needed: set[str]) -> dict[str, Any] | None:
        """None where it isn't there, or is empty or damaged: a full disk and a power cut do that."""
        try:
            record: Any = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return cast(dict[str, Any], record) if isinstance(record, dict) and needed <= record.keys() else None

    def is_disk_full(self) -> bool:
        """Less is left than it takes to write down how a run ended."""
        if not hasattr(os, "statvfs"):
            return False
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize < 64 * 1024
