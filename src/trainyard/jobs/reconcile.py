"""The loop that keeps promise and reality together: look at every open job, decide (decide.py), do it.

It holds no state that matters: after a crash the next backend's first pass finds everything from the database and
the executors. One pass at a time, in one thread; slow work (launching, archiving) goes to a pool.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from trainyard.contract.callbacks import Done
from trainyard.contract.keys import checkpoint_key
from trainyard.contract.vocabulary import DoneStatus, Execution, Reason, State
from trainyard.db.engine import Database, dumps
from trainyard.errors import TrainyardError
from trainyard.events import log as events
from trainyard.executors.base import Capacity, Executor, Exited, Observation
from trainyard.jobs import decide as decisions
from trainyard.jobs import endings, repository
from trainyard.jobs.archive import Archive
from trainyard.jobs.decide import Decision, Limits, decide
from trainyard.jobs.launch import Launcher, apply_ending
from trainyard.jobs.leasing import Grant, Never, Turn, Wait, gpus_of, share_out
from trainyard.jobs.model import Job
from trainyard.jobs.presence import Presence
from trainyard.jobs.transition import Ending, move, relaunch

log = logging.getLogger(__name__)
PASS_SECONDS = 1.0
HURRY_SECONDS = 0.1  # while a terminal is about to start its run: nothing else tells that it did
ARCHIVE_RETRY_SECONDS = 15.0
CLOSINGS = 8
LAUNCHES = 64  # at once; threads are made only as they are needed


@dataclass(frozen=True, slots=True)
class Parts:
    """What the reconciler works with."""

    database: Database
    executor: Callable[[Execution], Executor]
    launcher: Launcher
    archive: Archive
    limits: Limits
    presence: Presence
    node: str


class Reconciler:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._wake = threading.Event()
        self._stop = False
        # apart, so that launches which take minutes (an environment is made) hold up no end, and one no other
        # and apart by tier: a cluster that hangs holds up nothing here
        self._launching = _pools(LAUNCHES, "launch")
        self._closing = _pools(CLOSINGS, "close")
        self._busy: set[str] = set()  # jobs a pool thread works on: launching or archiving
        self._later: dict[str, float] = {}  # closing it failed: not again before this time
        self._hurry = False
        self._limits = parts.limits
        self._thread = threading.Thread(target=self._loop, name="reconciler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something changed: look now. From any thread."""
        self._wake.set()

    def close(self) -> None:
        """Stop looking; runs go on."""
        self._stop = True
        self._wake.set()
        self._thread.join(timeout=10)
        for pool in {*self._launching.values(), *self._closing.values()}:
            pool.shutdown(wait=False, cancel_futures=True)

    def _loop(self) -> None:
        while not self._stop:
            try:
                self.look()
            except Exception:
                log.exception("a look at the jobs failed; the next one is in a second")
            self._wake.wait(HURRY_SECONDS if self._hurry else PASS_SECONDS)
            self._wake.clear()

    def look(self) -> None:
        """One pass over every open job."""
        busy = set(self._busy)  # before reading: the pool may change these rows while we read them
        with self._parts.database.read() as conn:
            jobs = repository.unclosed(conn)
        # only now: while the database is away, trainers are heard by nobody, and nobody has looked
        since = self._parts.presence.look(time.time())
        self._limits = replace(self._parts.limits, since=since)
        for job in jobs:
            if job.node in (None, self._parts.node) and job.id not in busy:
                try:
                    self._look_at(job)
                except Exception:
                    log.exception("a job could not be looked at", extra={"job_id": job.id, "trace_id": job.trace_id})
        self._hurry = any(job.attached and job.state is State.QUEUED and job.launched_at is not None for job in jobs)
        self._dispatch([job for job in jobs if job.state in repository.WAITING_STATES and job.claim == 0])

    # -- one job ---------------------------------------------------------------------------------------------------

    def _look_at(self, job: Job) -> None:
        executor = self._parts.executor(job.execution)
        seen = executor.observe(job.run)
        step = decide(job, seen, time.time(), self._limits)
        if step is not None:
            self._do(job, executor, seen, step)

    def _do(self, job: Job, executor: Executor, seen: Observation, step: Decision) -> None:
        match step:
            case decisions.AskToStop():
                executor.cancel(job.run)
            case decisions.Kill():
                self._in_pool(self._closing, job, partial(executor.clean_up, job.run))
            case decisions.Explain(why):
                self._parts.database.write(partial(_explain_launch, job=job, why=why))
            case decisions.Relaunch(why):
                self._in_pool(self._closing, job, partial(self._relaunch_now, job, executor, why))
            case decisions.MarkStuck(since):
                self._mark_stuck(job, since)
            case decisions.Start():
                self._parts.database.write(lambda conn: _start(conn, job))
            case decisions.Launch():
                self._launch(job, executor)
            case decisions.Close():
                self._close_job(job, executor)
            case Ending():
                self._end(job, seen, step)
            case None:
                pass

    def _end(self, job: Job, seen: Observation, ending: Ending) -> None:
        def store(conn: sa.Connection) -> None:
            receipt = seen.receipt if isinstance(seen, Exited) else None
            if apply_ending(conn, job, ending) and receipt is not None:
                _take_receipt(conn, job, receipt)

        self._parts.database.write(store)
        self.wake()

    def _mark_stuck(self, job: Job, since: float | None) -> None:
        def store(conn: sa.Connection) -> None:
            repository.set_fields(conn, job.id, stuck_since=since)
            events.append(
                conn,
                project_id=job.project_id,
                job_id=job.id,
                attempt=job.attempt,
                type="stuck" if since else "unstuck",
                message="Silent, but it works." if since else "It spoke again.",
            )

        self._parts.database.write(store)

    # -- the end of the end ----------------------------------------------------------------------------------------

    def _close_job(self, job: Job, executor: Executor) -> None:
        if self._later.get(job.id, 0) > time.monotonic():
            return
        self._in_pool(self._closing, job, lambda: self._close_now(job, executor))

    def _close_now(self, job: Job, executor: Executor) -> None:
        """Leases first: the next job need not wait for the archive."""
        executor.clean_up(job.run)
        self._parts.database.write(lambda conn: repository.free_leases(conn, job.id))
        self.wake()
        try:
            log_key = self._parts.archive.store(job.run, executor.log_path(job.run))
        except Exception:
            log.exception("the log could not be archived yet", extra={"job_id": job.id, "trace_id": job.trace_id})
            self._later[job.id] = time.monotonic() + ARCHIVE_RETRY_SECONDS
            return
        if log_key is not None:  # else it never ran
            self._parts.archive.drop_uploads(job.id)
        self._later.pop(job.id, None)
        self._parts.database.write(
            lambda conn: repository.set_fields(conn, job.id, closed_at=time.time(), log_key=log_key)
        )

    def _relaunch_now(self, job: Job, executor: Executor, why: str) -> None:
        """What is left of the old attempt goes first: two never run at once."""
        with self._parts.database.read() as conn:
            if repository.get(conn, job.id).cancel_requested_at is not None:
                return  # the next look ends it
        self._parts.archive.store(job.run, executor.log_path(job.run))  # what may fail comes first
        last = checkpoint_key(job.id, "last")
        resume_from = last if self._parts.archive.holds(last) else job.resume_from
        executor.clean_up(job.run)
        words = f"{why} It starts again as attempt {job.attempt + 1}"
        words += ", from its last checkpoint." if resume_from == last else "."

        def store(conn: sa.Connection) -> bool:
            repository.free_leases(conn, job.id)
            return relaunch(
                conn,
                job_id=job.id,
                project_id=job.project_id,
                attempt=job.attempt,
                now=job.state,
                why=words,
                resume_from=resume_from,
            )

        self._parts.database.write(store)

    # -- dispatch --------------------------------------------------------------------------------------------------

    def _dispatch(self, waiting: list[Job]) -> None:
        """Queue what is new and start what has room, all in one transaction; none where nothing would change."""
        if not waiting:
            return
        with self._parts.database.read() as conn:
            turns = self._turns(conn, waiting)
        if all(isinstance(turn, Wait) and job.message == turn.why for job, turn in turns):
            return
        for job, granted in self._parts.database.write(lambda conn: self._give_turns(conn, waiting)):
            executor = self._parts.executor(job.execution)
            self._in_pool(self._launching, job, partial(self._parts.launcher.launch, job, executor, granted.gpus))

    def _turns(self, conn: sa.Connection, waiting: list[Job]) -> list[tuple[Job, Turn]]:
        node = self._parts.node
        known = {execution: self._capacity(execution) for execution in {job.execution for job in waiting}}
        return share_out(waiting, node, known, repository.leased(conn, f"{node}/"), time.time())

    def _capacity(self, execution: Execution) -> Capacity | Wait | None:
        """A tier that can't be had here now must not hold up the others; another backend may have it."""
        try:
            return self._parts.executor(execution).capacity
        except TrainyardError as error:
            return Wait(f"{error} {error.hint}".strip()[:500])

    def _give_turns(self, conn: sa.Connection, waiting: list[Job]) -> list[tuple[Job, Grant]]:
        """The jobs that are ours to start now, as they are after this transaction."""
        started: list[tuple[Job, Grant]] = []
        for job, turn in self._turns(conn, waiting):
            if job.state is State.PENDING and not _queue(conn, job):
                continue  # cancelled meanwhile
            queued = replace(job, state=State.QUEUED)
            match turn:
                case Wait(why):
                    _explain_wait(conn, queued, why)
                case Never(why):
                    apply_ending(conn, queued, Ending(State.FAILED, Reason.UNSCHEDULABLE, why))
                case Grant():
                    if repository.claim(conn, queued, self._parts.node):
                        repository.lease(conn, queued, turn.resources, time.time())
                        started.append((replace(queued, claim=job.claim + 1, node=self._parts.node), turn))
        return started

    def _launch(self, job: Job, executor: Executor) -> None:
        """Claimed but never started: the backend died in between. Its leases are still its own."""
        with self._parts.database.read() as conn:
            gpus = gpus_of(self._parts.node, repository.leases_of(conn, job.id))
        self._in_pool(self._launching, job, lambda: self._parts.launcher.launch(job, executor, gpus))

    def _in_pool(self, pools: dict[Execution, ThreadPoolExecutor], job: Job, work: Callable[[], None]) -> None:
        def run() -> None:
            failed = True
            try:
                work()
                failed = False
            except TrainyardError as error:
                log.warning("work on a job failed: %s", error, extra={"job_id": job.id, "trace_id": job.trace_id})
            except Exception:
                log.exception("work on a job failed", extra={"job_id": job.id, "trace_id": job.trace_id})
            finally:
                if failed:  # what is refused at once would be tried without a pause: whatever happens wakes us
                    self._later[job.id] = time.monotonic() + PASS_SECONDS
                self._busy.discard(job.id)
            if not failed:
                self.wake()

        if not self._stop:
            self._busy.add(job.id)
            pools[job.execution].submit(run)


def _pools(workers: int, name: str) -> dict[Execution, ThreadPoolExecutor]:
    """One for this machine, one for the cluster, whose two tiers share it."""
    here, away = (ThreadPoolExecutor(workers, thread_name_prefix=f"{name}-{where}") for where in ("here", "away"))
    return {execution: here if execution is Execution.LOCAL else away for execution in Execution}


def _queue(conn: sa.Connection, job: Job) -> bool:
    return move(
        conn, job_id=job.id, project_id=job.project_id, attempt=job.attempt, now=State.PENDING, then=State.QUEUED
    )


def _start(conn: sa.Connection, job: Job) -> bool:
    return move(
        conn, job_id=job.id, project_id=job.project_id, attempt=job.attempt, now=State.QUEUED, then=State.RUNNING
    )


def _take_receipt(conn: sa.Connection, job: Job, receipt: Done) -> None:
    """`done` never arrived, but stands in the log: keep all that it would have told."""
    values: dict[str, Any] = endings.results(job.id, receipt.checkpoint, receipt.mlflow_run_id)
    if receipt.status is DoneStatus.SUCCEEDED:
        values["progress"] = 1.0
    if values:
        repository.set_fields(conn, job.id, **values)
    told = receipt.model_dump(mode="json", exclude={"kind", "attempt", "seq"}, exclude_defaults=True)
    data = dumps(events.storable(told))
    row = {"project_id": job.project_id, "job_id": job.id, "at": time.time(), "type": "done"}
    row |= {"attempt": job.attempt, "seq": receipt.seq, "message": "Read from its log.", "data": data}
    events.append_callbacks(conn, [row])


def _explain_launch(conn: sa.Connection, job: Job, why: str) -> None:
    """What a job that was handed over waits for there."""
    now = repository.get(conn, job.id)
    if now.state is State.QUEUED and now.claim == job.claim and repository.set_fields(conn, job.id, message=why[:500]):
        events.append(conn, project_id=job.project_id, job_id=job.id, attempt=job.attempt, type="waiting", message=why)


def _explain_wait(conn: sa.Connection, job: Job, why: str) -> None:
    if job.message == why or not repository.explain_wait(conn, job.id, why):
        return
    events.append(conn, project_id=job.project_id, job_id=job.id, attempt=job.attempt, type="waiting", message=why)
