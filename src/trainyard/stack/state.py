"""stack.json: which services run, as whom, how far each one is. Written by the supervisor alone, read by everybody."""

import contextlib
import json
import os
import threading
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from trainyard.stack.processes import Identity


class Phase(StrEnum):
    WAITING = "waiting"  # for other services
    PREPARING = "preparing"  # its environment is being made
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # it died, or did not come up
    FAILED = "failed"


@dataclass(slots=True, frozen=True)
class Record:
    """One service."""

    url: str
    log: str
    external: bool = False
    critical: bool = True
    phase: Phase = Phase.WAITING
    identity: Identity | None = None
    restarts: int = 0
    seconds: float = 0  # from its start to its readiness
    detail: str = ""


@dataclass(slots=True, frozen=True)
class Stack:
    supervisor: Identity | None = None
    services: dict[str, Record] = field(default_factory=dict[str, Record])
    failure: str = ""
    hint: str = ""

    @property
    def supervised(self) -> bool:
        return self.supervisor is not None and self.supervisor.alive()

    @property
    def ready(self) -> bool:
        """Whether everything that `up` waits for is there."""
        critical = [record for record in self.services.values() if record.critical]
        return bool(critical) and all(record.phase == Phase.READY for record in critical)

    def running(self) -> dict[str, Identity]:
        """The services' living processes: also those whose leader died and left members of its group."""
        found = {name: record.identity for name, record in self.services.items()}
        return {name: who for name, who in found.items() if who is not None and who.members()}


def state_path(data_dir: Path) -> Path:
    return data_dir / "stack.json"


def read_stack(data_dir: Path) -> Stack:
    """What the last supervisor wrote; empty where there was none."""
    try:
        raw: dict[str, Any] = json.loads(state_path(data_dir).read_text())
        services = {
            name: Record(**record | {"identity": _identity(record["identity"]), "phase": Phase(record["phase"])})
            for name, record in raw["services"].items()
        }
        return Stack(_identity(raw["supervisor"]), services, raw["failure"], raw["hint"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # none, or another version's
        return Stack()


def _identity(raw: dict[str, Any] | None) -> Identity | None:
    return Identity(**raw) if raw else None


class StateFile:
    """The writer's side. Safe to use from several threads; every change is on disk whole or not at all."""

    def __init__(self, data_dir: Path, stack: Stack) -> None:
        self._path = state_path(data_dir)
        self._lock = threading.Lock()
        self.stack = stack
        self._write()

    def update(self, name: str, **changes: Any) -> None:
        with self._lock:
            services = self.stack.services | {name: replace(self.stack.services[name], **changes)}
            self.stack = replace(self.stack, services=services)
            self._write()

    def fail(self, message: str, hint: str) -> None:
        with self._lock:
            self.stack = replace(self.stack, failure=message, hint=hint)
            self._write()

    def remove(self) -> None:
        with self._lock, contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _write(self) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self.stack), indent=1))
        os.replace(draft, self._path)  # noqa: PTH105 - on Windows, too, over a file that exists
