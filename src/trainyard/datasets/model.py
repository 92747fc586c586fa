"""A dataset as the rest of the backend knows it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trainyard.contract.vocabulary import Task


class CheckState(StrEnum):
    """How far the look at each of its pictures is. FAILED: the check itself; what is wrong with a dataset is DONE."""

    WAITING = "waiting"
    CHECKING = "checking"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True, frozen=True)
class Standing:
    """What changes about a dataset: its check, and who was given it."""

    state: CheckState = CheckState.WAITING
    done: int = 0
    pictures: int = 0
    errors: int = 0
    warnings: int = 0
    refusals: list[str] = field(default_factory=list[str])
    jobs: int = 0

    @property
    def progress(self) -> float:
        if self.state is CheckState.DONE:
            return 1.0
        return round(self.done / self.pictures, 4) if self.pictures else 0.0


@dataclass(slots=True, frozen=True)
class Dataset:
    id: str
    project_id: str
    name: str
    tasks: list[Task]
    summary: dict[str, Any]
    bytes: int
    sha256: str
    created_at: float
    version: int = 1  # of its name in its project
