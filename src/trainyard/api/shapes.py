"""What routes answer with. Times are seconds since 1970; numbers that JSON lacks are spelled out (NaN, Infinity)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat

from trainyard.contract.manifest import Manifest, Scalar
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, Reason, State, Task
from trainyard.datasets.model import CheckState, Dataset, Standing
from trainyard.events.log import Entry
from trainyard.executors.bundle import Bundle
from trainyard.jobs.cause_names import CauseName
from trainyard.jobs.checkpoints import Checkpoint
from trainyard.jobs.explain import Explanation
from trainyard.jobs.model import Job
from trainyard.weights.service import Weights

Number = float | Literal["NaN", "Infinity", "-Infinity"]


class JobOut(BaseModel):
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
    code_hash: str | None = Field(description="The bundle that its pods run; GET /v1/code/{hash} shows it")
    resources: Resources = Field(description="What was asked of a cluster")
    image: str | None = Field(description="The image it runs in")
    parent_id: str | None
    resume_from: str | None
    keep_epochs: int
    state: State
    attempt: int
    reason: Reason | None
    message: str
    evidence: dict[str, Any]
    trace_id: str
    cancelling: bool = Field(description="Asked to stop and not ended yet")
    stuck: bool = Field(description="Silent for long, but working")
    created_at: float
    created_by: str | None = Field(description="A user's name; empty: from before there were users")
    queued_at: float | None
    launched_at: float | None
    started_at: float | None
    finished_at: float | None
    closed_at: float | None
    phase: str
    epoch: int | None
    epochs: int | None
    progress: float | None
    checkpoint: str | None
    mlflow_run_id: str | None
    url: str = Field(description="The job at this API")

    @classmethod
    def of(cls, job: Job, base_url: str) -> "JobOut":
        values = {name: getattr(job, name) for name in cls.model_fields if hasattr(job, name)}
        cancelling = job.cancel_requested_at is not None and not job.state.is_terminal
        return cls(
            **values, cancelling=cancelling, stuck=job.stuck_since is not None, url=f"{base_url}/v1/jobs/{job.id}"
        )


class RemedyOut(BaseModel):
    """What may help, as something to start."""

    kind: Literal["retry", "retry_with", "resume"] = Field(description="retry_with: POST …/retry with these params")
    params: dict[str, Scalar]
    command: str = Field(description="The same at a command line")


class ExplanationOut(BaseModel):
    """Why a job is as it is."""

    job_id: str
    state: State
    reason: Reason | None
    cause: CauseName = Field(description="A word for machines; empty where no more is known than the reason")
    parameter: str | None = Field(description="The one that was refused, where the cause is `parameter`")
    what: str = Field(description="What happened, in a sentence")
    evidence: list[str] = Field(description="The lines that show it")
    advice: str = Field(description="What to do")
    remedy: RemedyOut | None

    @classmethod
    def of(cls, job_id: str, told: Explanation) -> "ExplanationOut":
        found = told.remedy
        remedy = RemedyOut(kind=found.kind, params=found.params, command=found.command) if found else None
        return cls(
            job_id=job_id,
            state=told.state,
            reason=told.reason,
            cause=told.cause,
            parameter=told.parameter,
            what=told.what,
            evidence=told.evidence,
            advice=told.advice,
            remedy=remedy,
        )


class Summary(BaseModel):
    """One metric of one job, without its points."""

    last: Number
    last_step: int | None
    min: Number
    min_step: int | None
    max: Number
    max_step: int | None


class JobWithMetrics(JobOut):
    metrics: dict[str, Summary] = Field(default_factory=dict[str, Summary])
    best_metric: str | None = Field(None, description="What makes a checkpoint of its trainer the best")
    best_mode: Literal["max", "min"] | None = Field(None, description="Whether more of it is better, or less")


class JobPage(BaseModel):
    items: list[JobWithMetrics]
    total: int = Field(description="Jobs that fit the filters, shown or not")
    next: str | None = Field(description="Give it as `before` for the next page; newest first only")


class Curve(BaseModel):
    steps: list[int]
    values: list[Number]


class Curves(BaseModel):
    curves: dict[str, Curve]


class EventOut(BaseModel):
    id: int
    project_id: str
    job_id: str | None
    at: float
    type: str
    attempt: int | None
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> "EventOut":
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class EventPage(BaseModel):
    items: list[EventOut]


class CheckpointOut(BaseModel):
    kind: str = Field(description="best, last or epoch-7")
    key: str
    epoch: int | None = Field(description="Empty where its trainer did not say")
    bytes: int
    at: float | None = Field(description="When its trainer announced it")

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "CheckpointOut":
        return cls(**{name: getattr(checkpoint, name) for name in cls.model_fields})


class CheckpointList(BaseModel):
    items: list[CheckpointOut]


class SampleTruth(BaseModel):
    """What is in a picture; with a box (left, top, right, bottom) where it is."""

    label: Annotated[str, Field(max_length=300)]
    box: Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)] | None = None


class SampleFound(SampleTruth):
    """What the model takes it for."""

    confidence: FiniteFloat


class SampleTold(BaseModel):
    """The data of a `sample` event, as far as it counts here."""

    epoch: int = Field(strict=True, ge=1, le=10**9)
    index: int = Field(strict=True, ge=0, le=10**6)
    plain: str | None = None
    truth: list[SampleTruth] = []
    found: list[SampleFound] = []


class SamplePicture(BaseModel):
    index: int
    url: str = Field(description="A JPEG with truth and findings drawn on it")
    plain_url: str | None = Field(description="The same picture as it is")
    truth: list[SampleTruth]
    found: list[SampleFound]


class SampleEpoch(BaseModel):
    epoch: int
    items: list[SamplePicture]


class SamplesOfJob(BaseModel):
    epochs: list[SampleEpoch]


class Attachment(BaseModel):
    """What a terminal starts for an attached job. Holds the job's secrets: for the owner of this installation only."""

    ready: bool
    message: str = Field(description="Why it is not ready yet")
    argv: list[str] = []
    cwd: str = ""
    env: dict[str, str] = {}


class TrainerOut(BaseModel):
    framework: str
    usable: bool
    problem: str
    environment: Literal["ready", "missing"] = Field(description="missing: made by the first job that needs it")
    manifest: Manifest | None


class TrainerList(BaseModel):
    items: list[TrainerOut]


class ProjectOut(BaseModel):
    id: str
    name: str
    created_at: float


class ProjectList(BaseModel):
    items: list[ProjectOut]


class Health(BaseModel):
    status: Literal["ok", "unavailable"]


class Ready(Health):
    database: bool
    storage: bool


class PlatformStatus(BaseModel):
    """What `status` and the services page show."""

    version: str
    started_at: float
    ready: Ready
    mlflow: bool
    execution: Execution
    jobs: dict[State, int]
    slots: int
    slots_in_use: int
    gpus: int
    gpus_in_use: int
    disk_free_bytes: int
    backend_url: str
    s3_url: str
    mlflow_url: str


class CheckOut(BaseModel):
    state: CheckState
    progress: float = Field(description="0 to 1")
    errors: int = Field(description="How many things are wrong; GET …/check names them")
    warnings: int


class DatasetOut(BaseModel):
    id: str
    project_id: str
    name: str
    tasks: list[Task]
    summary: dict[str, Any]
    bytes: int
    sha256: str
    created_at: float
    version: int = Field(description="Other content of the same name in its project is the next version")
    check: CheckOut
    ready: bool = Field(description="A training may be started on it; also while it is still being checked")
    not_ready_because: list[str]
    jobs: int = Field(description="How many were given it")

    @classmethod
    def of(cls, dataset: Dataset, standing: Standing) -> "DatasetOut":
        values = {name: getattr(dataset, name) for name in cls.model_fields if hasattr(dataset, name)}
        check = CheckOut(**{name: getattr(standing, name) for name in CheckOut.model_fields})
        because = standing.refusals
        return cls(**values, check=check, ready=not because, not_ready_because=because, jobs=standing.jobs)


class DatasetList(BaseModel):
    items: list[DatasetOut]


class SampleOut(BaseModel):
    id: str
    title: str
    trainer: str | None = Field(description="Whose script makes it")


class SampleList(BaseModel):
    items: list[SampleOut]


class WeightsOut(BaseModel):
    name: str
    key: str
    bytes: int

    @classmethod
    def of(cls, weights: Weights) -> "WeightsOut":
        return cls(**{name: getattr(weights, name) for name in cls.model_fields})


class CodeFile(BaseModel):
    path: str
    bytes: int
    executable: bool


class CodeOut(BaseModel):
    """A bundle: what travels of a trainer's folder."""

    hash: str
    bytes: int
    files: list[CodeFile]

    @classmethod
    def of(cls, bundle: Bundle) -> "CodeOut":
        files = [CodeFile(path=f.path, bytes=len(f.data), executable=f.executable) for f in bundle.files]
        return cls(hash=bundle.hash, bytes=bundle.size, files=files)


class WeightsList(BaseModel):
    items: list[WeightsOut]
