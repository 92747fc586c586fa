"""Starting one claimed job: its variables, its token, the executor's submit; and what a failure of that means."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from trainyard.callbacks.token import Tokens
from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.vocabulary import Reason, State
from trainyard.db.engine import Database
from trainyard.errors import TrainyardError
from trainyard.events import log as events
from trainyard.executors.base import Attachment, Executor, LaunchFailed, RunSpec
from trainyard.executors.bundle import Bundle
from trainyard.jobs import repository
from trainyard.jobs.leasing import gpus_of
from trainyard.jobs.model import Job
from trainyard.jobs.surroundings import code_of, notes
from trainyard.jobs.transition import Ending, move
from trainyard.settings import Settings

log = logging.getLogger(__name__)
SAY_SECONDS = 1.0


class _Cancelled(Exception):
    """Raised through the executor's `say`: somebody cancelled while an environment was being made."""


class Launcher:
    def __init__(self, database: Database, tokens: Tokens, settings: Settings, keep: Callable[[Bundle], None]) -> None:
        self._database = database
        self._tokens = tokens
        self._settings = settings
        self._keep = keep

    def spec(self, job: Job, executor: Executor, gpus: tuple[int, ...]) -> RunSpec:
        """Everything a run is started with; secrets are in its env only."""
        addresses = executor.addresses
        facts = JobFacts(
            job_id=job.id,
            trace_id=job.trace_id,
            attempt=job.attempt,
            project_id=job.project_id,
            task=job.task,
            framework=job.framework,
            model=job.model,
            dataset_id=job.dataset_id or "",
            params=job.params,
            resume_from=job.resume_from or "",
            keep_epochs=job.keep_epochs,
        )
        access_key, secret_key = self._settings.s3_keys
        platform = Platform(
            backend_url=addresses.backend,
            mlflow_url=addresses.mlflow,
            storage_type=self._settings.storage_type,
            s3_url=addresses.s3,
            s3_bucket=self._settings.s3_bucket,
            heartbeat_seconds=self._settings.heartbeat_seconds,
            sample_count=self._settings.sample_count,
            s3_access_key=access_key,
            s3_secret_key=secret_key,
            callback_token=self._tokens.sign(job.id, job.attempt),
        )
        variables = environment(facts, platform)
        if job.attached or not job.callbacks:
            variables |= script_extras(facts, platform)
        return RunSpec(
            run=job.run,
            framework=job.framework,
            env=variables,
            script=Path(job.script) if job.script else None,
            gpus=gpus,
            attached=job.attached,
            code=job.code_hash or "",
            resources=job.resources.model_copy(update={"image": job.image}),  # each attempt in the one chosen at submit
        )

    def launch(self, job: Job, executor: Executor, gpus: tuple[int, ...]) -> None:
        """Start a claimed job and note that it was started. Blocks while an environment is made; never raises."""
        try:
            executor.submit(
                self.spec(job, executor, gpus), _Progress(self._database, job, self._settings.launch_seconds)
            )
        except _Cancelled:
            self._end(job, Ending(State.CANCELLED, Reason.CANCELLED_BY_USER, "Cancelled before it started."))
        except LaunchFailed as error:
            evidence = {"hint": error.hint, **error.evidence}
            self._end(job, Ending(State.FAILED, error.reason, str(error), evidence))
        except TrainyardError as error:
            self._end(job, Ending(State.FAILED, Reason.LAUNCH_FAILED, str(error), {"hint": error.hint}))
        except Exception as error:
            log.exception("launch failed", extra={"job_id": job.id, "trace_id": job.trace_id})
            what = f"It could not be started: {type(error).__name__}: {error}"
            self._end(job, Ending(State.FAILED, Reason.LAUNCH_FAILED, what))
        else:
            self._note_launch(job)

    def attachment(self, job: Job, executor: Executor) -> Attachment:
        """What the terminal of an attached, launched job starts. Asking twice is harmless: an attempt runs once."""
        with self._database.read() as conn:
            gpus = gpus_of(job.node or "", repository.leases_of(conn, job.id))
        return executor.attachment(self.spec(job, executor, gpus))

    def _note_launch(self, job: Job) -> None:
        """Refused where a later claimant took the job over."""
        code = code_of(self._settings, job)  # now: its process reads these files at this moment

        def note(conn: sa.Connection) -> None:
            if repository.set_fields(conn, job.id, claim=job.claim, launched_at=time.time(), message=""):
                events.append(
                    conn,
                    project_id=job.project_id,
                    job_id=job.id,
                    attempt=job.attempt,
                    type="launched",
                    message="Ready for its terminal." if job.attached else "Started.",
                    data=notes(conn, job, code.hash),
                )

        self._database.write(note)
        if code.bundle is not None:
            self._keep(code.bundle)
        log.info("job launched", extra={"job_id": job.id, "trace_id": job.trace_id})

    def _end(self, job: Job, ending: Ending) -> None:
        def store(conn: sa.Connection) -> bool:
            now = repository.get(conn, job.id)
            if now.claim != job.claim:
                return False
            return apply_ending(conn, now, ending)

        self._database.write(store)


def apply_ending(conn: sa.Connection, job: Job, ending: Ending) -> bool:
    """End a job; False where it has ended already."""
    moved = move(
        conn,
        job_id=job.id,
        project_id=job.project_id,
        attempt=job.attempt,
        now=job.state,
        then=ending.state,
        reason=ending.reason,
        message=ending.message,
        evidence=ending.evidence,
    )
    if moved:
        log.info("job ended: %s", ending.reason, extra={"job_id": job.id, "trace_id": job.trace_id})
    return moved


class _Progress:
    """The executor's `say`: shown on the job, at most once a second, and the moment to notice a cancel or a limit."""

    def __init__(self, database: Database, job: Job, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._deadline = time.monotonic() + limit_seconds
        self._database = database
        self._job = job
        self._told = 0.0
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        with self._lock:
            if time.monotonic() - self._told < SAY_SECONDS:
                return
            self._told = time.monotonic()
        if time.monotonic() > self._deadline:
            raise LaunchFailed(
                f"It was not started within {self._limit:.0f} s (setting TRAINYARD_LAUNCH_SECONDS); last: {text}",
                reason=Reason.TIMEOUT,
            )
        if self._database.write(lambda conn: self._store(conn, text)):
            raise _Cancelled

    def _store(self, conn: sa.Connection, text: str) -> bool:
        """True where it was cancelled meanwhile."""
        job = repository.get(conn, self._job.id)
        if job.claim != self._job.claim or job.state.is_terminal:
            return True
        if text != job.message:
            repository.set_fields(conn, job.id, message=text[:500])
            events.append(
                conn,
                project_id=job.project_id,
                job_id=job.id,
                attempt=job.attempt,
                type="preparing",
                message=text[:500],
            )
        return job.cancel_requested_at is not None
