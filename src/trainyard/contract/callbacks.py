"""What a trainer sends back over HTTP, and what it is answered.

Numbers that JSON lacks travel as the strings "NaN", "Infinity" and "-Infinity"; a bare NaN is accepted too.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from trainyard.contract.vocabulary import DoneStatus, State

MetricName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Metrics = Annotated[dict[MetricName, float], Field(max_length=500)]


class Call(BaseModel):
    """What every callback carries. (job, attempt, seq) makes it idempotent; gaps in seq are legal."""

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="strings")

    attempt: int = Field(ge=1, le=1_000)
    seq: int = Field(ge=1, le=2**53)


class Heartbeat(Call):
    """Sent at every epoch (then with its metrics) and on a timer (then without)."""

    kind: Literal["heartbeat"] = "heartbeat"
    phase: str = Field(default="", max_length=100)
    epoch: int | None = Field(default=None, ge=0, le=10**9)
    epochs: int | None = Field(default=None, ge=0, le=10**9)
    step: int | None = Field(default=None, ge=0, le=10**12)
    progress: float | None = Field(default=None, ge=0, le=1)
    metrics: Metrics = Field(default_factory=dict)


class Event(Call):
    """It happened: running, dataset_ready, mlflow_run, validation, checkpoint, sample, warning, or a trainer's own."""

    kind: Literal["event"] = "event"
    type: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.\-]+$")
    message: str = Field(default="", max_length=10_000)
    data: dict[str, Any] = Field(default_factory=dict)


class TrainerFault(BaseModel):
    """The trainer's own account of its failure."""

    type: str = Field(default="", max_length=200)
    message: str = Field(default="", max_length=10_000)
    traceback: str = Field(default="", max_length=65_536)


class Done(Call):
    """The run's end. Repeated as the last line on stdout: `[TRACE:{trace_id}] DONE {json}`."""

    kind: Literal["done"] = "done"
    status: DoneStatus
    metrics: Metrics = Field(default_factory=dict)
    checkpoint: str | None = Field(default=None, max_length=500)
    mlflow_run_id: str | None = Field(default=None, max_length=100)
    error: TrainerFault | None = None


class Answer(BaseModel):
    """The answer to every callback: `cancel` asks the trainer to stop, `token` replaces one that is about to expire."""

    state: State
    cancel: bool = False
    token: str | None = None
