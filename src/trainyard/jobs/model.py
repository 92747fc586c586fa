"""A job as the rest of the code sees it: one frozen row."""

from dataclasses import dataclass, field
from typing import Any

from trainyard.contract.manifest import Scalar
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, Reason, State, Task
from trainyard.executors.base import RunId


@dataclass(frozen=True, slots=True)
class Job:
    """Field for column the table `jobs`."""

    id: str
    project_id: str
    name: str
    tags: list[str]
    notes: str
    execution: Execution
    framework: str
    task: Task
    model: str
    dataset_id: str | None
    params: dict[str, Scalar]
    priority: int
    gpus: int | None
    attached: bool
    callbacks: bool
    script: str | None
    code_hash: str | None
    resources: Resources
    image: str | None
    parent_id: str | None
    resume_from: str | None
    keep_epochs: int
    state: State
    attempt: int
    reason: Reason | None
    message: str
    evidence: dict[str, Any]
    trace_id: str
    node: str | None
    claim: int
    cancel_requested_at: float | None
    stuck_since: float | None
    created_at: float
    queued_at: float | None
    launched_at: float | None
    started_at: float | None
    finished_at: float | None
    closed_at: float | None
    seen_at: float | None
    seq: int
    phase: str
    epoch: int | None
    epochs: int | None
    progress: float | None
    checkpoint: str | None
    mlflow_run_id: str | None
    log_key: str | None
    idempotency_key: str | None = field(default=None, repr=False)
    request_hash: str = field(default="", repr=False)
    created_by: str | None = None

    @property
    def run(self) -> RunId:
        return RunId(self.id, self.attempt, self.trace_id)
