"""What was seen of a run: frozen when it is over, and all that clauses know."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from trainyard.conformance.gate import Request
from trainyard.conformance.recorder import Call
from trainyard.conformance.timing import Timing
from trainyard.contract.keys import checkpoint_prefix, receipt_mark, sample_prefix


@dataclass(frozen=True)
class Announced:
    """A checkpoint's event, and how large the object was in the store at that very moment. None: it was not there."""

    key: str
    stored: int | None


@dataclass(frozen=True)
class Tracked:
    """The job's run in MLflow, as MLflow tells it."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, tuple[int, ...]]  # name → the steps it was logged at


@dataclass(frozen=True)
class Evidence:
    """One run of a scenario."""

    scenario: str
    folder: Path
    job_id: str
    trace_id: str
    attempt: int
    epochs: int
    task: str = ""
    code: int | None = None  # None: it did not end by itself
    seconds: float = 0.0
    stdout: str = ""
    stderr: str = ""
    arrived: tuple[Call, ...] = ()
    taken: tuple[Call, ...] = ()
    problems: tuple[str, ...] = ()
    moments: Mapping[str, float] = field(default_factory=dict[str, float])  # what the scenario did, and when
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])  # the seqs it mistreated
    requests: tuple[Request, ...] = ()  # to the storage
    cut: int = 0
    stored: Mapping[str, int] = field(default_factory=dict[str, int])  # the job's objects at the end
    announced: tuple[Announced, ...] = ()
    samples: Mapping[str, bytes] = field(default_factory=dict[str, bytes])  # how each sample's object begins
    tracked: Tracked | None = None
    left_files: tuple[str, ...] = ()
    left_processes: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()  # names of secrets that its output shows
    answers: tuple[dict[str, Any], ...] = ()  # of a warm predictor: its lines that are JSON objects
    timing: Timing = field(default_factory=Timing)
    unable: str = ""  # why the scenario could not be played here

    # -- reading it ------------------------------------------------------------------------------------------------

    @property
    def done(self) -> dict[str, Any] | None:
        return next((call.body for call in self.arrived if call.kind == "done"), None)

    @property
    def status(self) -> str:
        return str(self.done["status"]) if self.done else ""

    @property
    def succeeded(self) -> bool:
        return self.code == 0 and self.status == "succeeded"

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def fault(self) -> dict[str, Any]:
        return (self.done or {}).get("error") or {}

    @property
    def words(self) -> str:
        """All that it said about its failure."""
        return f"{self.fault.get('type', '')} {self.fault.get('message', '')}\n{self.output}"

    @property
    def end(self) -> str:
        """How it ended, in words."""
        code = "it had to be killed" if self.code is None else f"it ended with code {self.code}"
        return f"{code}, done {self.status or 'never came'}"

    def key(self, name: str) -> str:
        return f"{checkpoint_prefix(self.job_id)}{name}"

    @property
    def sample_prefix(self) -> str:
        return sample_prefix(self.job_id)

    def receipt(self) -> dict[str, Any] | None:
        """What the last line on stdout repeats, if it is a receipt."""
        last = (self.stdout.strip().splitlines() or [""])[-1]
        mark = receipt_mark(self.trace_id)
        if not last.startswith(mark):
            return None
        try:
            found: Any = json.loads(last.removeprefix(mark))
        except ValueError:
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None

    def events(self, name: str) -> Iterator[Call]:
        return (call for call in self.taken if call.name == name)

    def epoch_calls(self) -> list[Call]:
        return [call for call in self.taken if call.is_epoch]

    def asked_for(self, key: str) -> bool:
        """Whether the storage was asked for this key."""
        return any(request.path.partition("?")[0].endswith(f"/{key}") for request in self.requests)

    def uploads(self) -> list[float]:
        """When each upload of a checkpoint began."""
        return [one.at for one in self.requests if one.method == "PUT" and f"/{self.key('')}" in one.path]


Seen = Mapping[str, Evidence]
