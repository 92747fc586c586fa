"""A dataset as the rest of the backend knows it."""

from dataclasses import dataclass
from typing import Any

from trainyard.contract.vocabulary import Task


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
