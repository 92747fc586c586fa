"""One run of the trainer under test: its variables, its process, its recorded backend and the gates in front of it."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainyard.conformance.evidence import Announced, Evidence
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply
from trainyard.conformance.services import SHAPES, Services
from trainyard.conformance.subject import Subject
from trainyard.conformance.timing import Timing
from trainyard.conformance.traces import changes, end_leftovers, snapshot, strays
from trainyard.conformance.tracked import look_up
from trainyard.contract.environment import JobFacts, Platform, environment
from trainyard.contract.keys import checkpoint_prefix, new_job_id, new_trace_id, sample_prefix
from trainyard.contract.manifest import Scalar
from trainyard.errors import StorageUnavailable
from trainyard.executors.local.variables import base_environment, plan_variables

PROJECT = "check"
TOKEN, RENEWED = "first-token-0f3d.check.value", "second-token-9b61.check.value"  # they open nothing


@dataclass
class Stage:
    """What all scenarios share."""

    subject: Subject
    services: Services
    timing: Timing
    folder: Path
    running: "set[subprocess.Popen[bytes]]" = field(default_factory=set["subprocess.Popen[bytes]"])

    def stop(self) -> None:
        """End what runs, now: nobody waits for its evidence any more."""
        for process in list(self.running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Run:
    """Set `on_call` and the gates, then `start()`, and `evidence()` when it is over."""

    stage: Stage
    scenario: str
    epochs: int = 0  # 0: as few as the parameters say
    dataset: str = ""
    attempt: int = 1
    keep_epochs: int = 0
    samples: int = 2
    resume_from: str = ""
    beat: float = 5
    params: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    changes: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    prefix: tuple[str, ...] = ()  # what the command is wrapped in
    on_call: Callable[[Call], Reply] = lambda _: Reply()

    def __post_init__(self) -> None:
        self.job_id, self.trace_id = new_job_id("job"), new_trace_id()
        self.epochs = self.epochs or int(self.stage.subject.params["epochs"])
        self.recorder = Recorder(self._reply)
        settings = self.stage.services.settings
        self.storage, self.mlflow = Gate(settings.s3_url), Gate(settings.tracking_url)
        self.moments: dict[str, float] = {}
        self.chosen: dict[str, tuple[int, ...]] = {}
        self.answers: list[dict[str, Any]] = []
        self.folder = self.stage.folder / self.scenario
        self.home, self.tmp = self.folder / "home", self.folder / "tmp"
        for place in (self.home, self.tmp):
            place.mkdir(parents=True)
        self._announced: dict[int, Announced] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0

    # -- its life --------------------------------------------------------------------------------------------------

    def start(self, *, predict: bool = False) -> "Run":
        subject = self.stage.subject
        argv = subject.predict_argv() if predict else subject.train_argv()
        self._before = snapshot(subject.folder, [self.home, self.tmp])
        self.recorder.up()
        self._began = time.monotonic()
        with (self.folder / "stdout").open("wb") as out, (self.folder / "stderr").open("wb") as err:
            self._process = subprocess.Popen(
                [*self.prefix, *argv],
                env=self.variables(),
                cwd=subject.folder,
                stdin=subprocess.PIPE if predict else subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.stage.running.add(self._process)
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started yet"
        return self._process

    def variables(self) -> dict[str, str]:
        """The contract's, on the clean base that the platform uses, with a home of its own."""
        subject, settings = self.stage.subject, self.stage.services.settings
        access_key, secret_key = settings.s3_keys
        facts = JobFacts(
            job_id=self.job_id,
            trace_id=self.trace_id,
            attempt=self.attempt,
            project_id=PROJECT,
            task=subject.task,
            framework=subject.framework,
            model=subject.model,
            dataset_id=self.dataset or SHAPES.format(subject.task),
            params={**subject.params, "epochs": self.epochs, **self.params},
            resume_from=self.resume_from,
            keep_epochs=self.keep_epochs,
        )
        platform = Platform(
            backend_url=self.recorder.url,
            mlflow_url=self.mlflow.url,
            storage_type="minio",
            s3_url=self.storage.url,
            s3_bucket=settings.s3_bucket,
            heartbeat_seconds=self.beat,
            sample_count=self.samples,
            s3_access_key=access_key,
            s3_secret_key=secret_key,
            callback_token=TOKEN,
        )
        base = base_environment() | plan_variables(()) | environment(facts, platform)
        base |= {"HOME": str(self.home), "TMPDIR": str(self.tmp)}
        base.pop("XDG_CACHE_HOME", None)
        given: dict[str, str | None] = {**base, **self.changes}
        return {name: value for name, value in given.items() if value is not None}

    def wait_for(self, what: Callable[[Recorder], Any]) -> bool:
        """Whether it happens before the run ends or the time is over."""
        deadline = time.monotonic() + self.stage.timing.start
        while time.monotonic() < deadline:
            if what(self.recorder):
                return True
            if self.process.poll() is not None:
                return bool(what(self.recorder))
            time.sleep(0.01)
        return False

    def note(self, moment: str) -> None:
        self.moments.setdefault(moment, time.monotonic())

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.note("stop")
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def end(self, seconds: float | None = None) -> None:
        """Wait for its end; past the time it is killed, and its code is None."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.stage.timing.run if seconds is None else seconds)
        self.note("end")

    # -- what was seen ---------------------------------------------------------------------------------------------

    def _reply(self, call: Call) -> Reply:
        if call.name == "checkpoint" and call.seq not in self._announced:
            data: dict[str, Any] = call.body.get("data") or {}
            key = str(data.get("key", ""))
            try:
                found = self.stage.services.storage().head(key)
            except StorageUnavailable:
                found = None
            self._announced[call.seq] = Announced(key, found.size if found else None)
        return self.on_call(call)

    def evidence(self, *, tracked: bool = False, unable: str = "") -> Evidence:
        """Ends what is left of it. `tracked`: asks MLflow as well."""
        code = self._finish()
        left = end_leftovers(self.process.pid, self.job_id, self.trace_id, 2)
        stdout, stderr = (self._read(name) for name in ("stdout", "stderr"))
        store = self.stage.services.storage()
        stored = {one.key: one.size for one in store.list(checkpoint_prefix(self.job_id))}
        samples = {one.key: one.size for one in store.list(sample_prefix(self.job_id))}
        _, secret = self.stage.services.settings.s3_keys
        secrets = {"CALLBACK_TOKEN": TOKEN, "the renewed token": RENEWED, "MINIO_SECRET_KEY": secret}
        after = snapshot(self.stage.subject.folder, [self.home, self.tmp])
        return Evidence(
            scenario=self.scenario,
            folder=self.folder,
            job_id=self.job_id,
            trace_id=self.trace_id,
            attempt=self.attempt,
            epochs=self.epochs,
            task=self.stage.subject.task,
            code=code,
            seconds=self.moments.get("end", time.monotonic()) - self._began,
            stdout=stdout,
            stderr=stderr,
            arrived=tuple(self.recorder.arrived),
            taken=tuple(self.recorder.taken),
            problems=tuple(self.recorder.problems),
            moments=dict(self.moments),
            chosen=dict(self.chosen),
            requests=tuple(self.storage.requests),
            cut=self.storage.cut,
            stored=stored | samples,
            announced=tuple(self._announced.values()),
            samples={key: store.get_range(key, 0, 3) for key in samples},
            tracked=look_up(self.stage.services.tracking(), PROJECT, self.job_id) if tracked else None,
            left_files=changes(self._before, after) + strays(self.job_id),
            left_processes=left,
            leaked=tuple(name for name, text in secrets.items() if text in stdout + stderr),
            answers=tuple(self.answers),
            unable=unable,
            timing=self.stage.timing,
        )

    def nothing(self, unable: str) -> Evidence:
        """For a scenario that can't be played: nothing was started."""
        self._close()
        return Evidence(
            self.scenario, self.folder, self.job_id, self.trace_id, self.attempt, self.epochs, unable=unable
        )

    def _finish(self) -> int | None:
        code = self.process.poll()
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.stage.running.discard(self.process)
        if self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self._close()
        return code

    def _close(self) -> None:
        self.recorder.close()
        for gate in (self.storage, self.mlflow):
            gate.close()

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")


def later(seconds: float, what: Callable[[], object]) -> threading.Timer:
    """Do it on a thread, after so long."""
    timer = threading.Timer(seconds, what)
    timer.daemon = True
    timer.start()
    return timer
