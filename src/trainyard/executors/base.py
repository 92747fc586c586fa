"""What every executor does and can say about a run. Runs are found by (job, attempt); nothing else is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from trainyard.contract.callbacks import Done
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Reason
from trainyard.errors import TrainyardError


@dataclass(frozen=True, slots=True)
class RunId:
    """One attempt of one job. The trace id keeps strangers with the same JOB_ID out of every sweep."""

    job_id: str
    attempt: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What to run. `env` is the contract's variables, secrets among them: never log it, never write it to a file."""

    run: RunId
    framework: str
    env: Mapping[str, str] = field(repr=False)
    script: Path | None = None  # None: the trainer's own entrypoint
    gpus: tuple[int, ...] = ()
    attached: bool = False  # a terminal will be the run's parent
    code: str = ""  # the bundle that travels, by its hash; empty: none does
    resources: Resources = field(default_factory=Resources)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where trainers of one executor find the platform (a pod can't reach what a local process can)."""

    backend: str
    s3: str
    mlflow: str


# -- observations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preparing:
    """Not started yet, and why: an environment is being made, a pod waits for a node. Should it never start, `reason`
    and `evidence` say what was in its way."""

    message: str = ""
    reason: Reason | None = None
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Alive:
    """It runs. `busy`: it used the CPU (or a GPU) since the last look; `started_at`: when its process began."""

    started_at: float
    busy: bool = True


@dataclass(frozen=True, slots=True)
class Exited:
    """It ended and nothing of it is left running."""

    exit_code: int | None  # None: killed by a signal
    signal: int | None = None
    at: float = 0.0
    out_of_memory: bool = False
    stopped_on_request: bool = False  # cancel() had been called, or the terminal's Ctrl+C
    receipt: Done | None = None  # the DONE line of its log
    tail: str = ""  # the log's last lines
    traceback: str = ""  # the last one in its log
    reason: Reason | None = None  # what the executor knows better than the exit code says (disk full, supervisor lost)
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])  # what shows it, where the executor knows
    relaunch: bool = False  # it was taken away for no fault of its own: another attempt may do better


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no trace of it: never launched, or forgotten."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Nobody can say now: what it runs on does not answer. No ground to end anything."""

    message: str


Observation = Preparing | Alive | Exited | Absent | Unseen


# -- usage ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GpuUse:
    """Of one GPU: how busy it is (whoever keeps it so), and how much of its memory is this run's."""

    index: int
    percent: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run uses now, of all its processes together; None is what can't be told. Rates are since the last look."""

    cpu_percent: float | None = None  # 100: one CPU
    memory_bytes: int | None = None
    disk_read_bytes_s: float | None = None
    disk_written_bytes_s: float | None = None
    gpus: tuple[GpuUse, ...] = ()
    cpus: float | None = None  # the most there is for it
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A sentence: why nobody can tell what it uses."""

    why: str


class LaunchFailed(TrainyardError):
    """The run could not be started and will not be by trying again; `reason` says what kind of failure it was."""

    code = "launch_failed"
    status = 422

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        reason: Reason = Reason.LAUNCH_FAILED,
        evidence: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.evidence = evidence or {}


@dataclass(frozen=True, slots=True)
class Attachment:
    """The command a terminal starts, in which folder, and the variables it adds to its own (secrets among them)."""

    argv: list[str]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What this installation's machine has for runs; leases on it are kept by the jobs service."""

    slots: int
    gpus: tuple[int, ...]


class Executor(Protocol):
    """Every call may block for as long as it says and is safe to repeat; nothing here raises for a run that is gone."""

    @property
    def addresses(self) -> Addresses: ...

    @property
    def capacity(self) -> Capacity | None:
        """None: somebody else queues (a cluster)."""
        ...

    def doubts(self, wishes: Resources) -> str:
        """A sentence for wishes that nothing there can meet as things stand; empty: none. Within a second."""
        ...

    def plan(self, spec: RunSpec) -> Any:
        """What would be started, as data (argv and folder, or a manifest). Pure; shows no secret."""
        ...

    def submit(self, spec: RunSpec, say: Callable[[str], None]) -> None:
        """Start it unless this attempt was started before. Blocks while an environment is made, telling `say` how
        far it is. For an attached run it only prepares. Raises LaunchFailed."""
        ...

    def observe(self, run: RunId) -> Observation:
        """How it is. Milliseconds; no network."""
        ...

    def usage(self, run: RunId) -> Usage | Unmeasured | None:
        """What it uses now; None: nothing can be said yet, or any more. Milliseconds, and no network."""
        ...

    def cancel(self, run: RunId) -> None:
        """Ask it to stop; after the grace period it is killed, also if the backend is gone by then. Returns at once."""
        ...

    def clean_up(self, run: RunId) -> None:
        """Make sure that nothing of an ended run is left alive. Blocks for at most seconds."""
        ...

    def attachment(self, spec: RunSpec) -> "Attachment":
        """For an attached run that was submitted: what its terminal starts."""
        ...

    def log_path(self, run: RunId) -> Path | None:
        """The run's log on this machine, if it is kept here."""
        ...

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed(job_id)` (from any thread) as soon as a run ends. Called once, before anything else."""
        ...

    def close(self) -> None:
        """Let go of watchers; runs go on."""
        ...
