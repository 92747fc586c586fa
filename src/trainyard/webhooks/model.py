"""Webhooks and their deliveries as the rest of the code sees them."""

from dataclasses import dataclass
from typing import Literal

from trainyard.contract.vocabulary import State

EndState = Literal[State.SUCCEEDED, State.FAILED, State.CANCELLED]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that a webhook is told: of one job's end, or as a test."""

    id: str
    webhook_id: str
    job_id: str | None
    created_at: float
    tries: int
    next_at: float | None  # None: settled
    at: float | None
    ok: bool | None
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    project_id: str
    url: str
    states: tuple[EndState, ...]
    created_at: float
    last: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try."""

    ok: bool
    status: int | None = None
    error: str = ""
