"""What running jobs use, looked at now and then and kept with them; one row for each look, never more than so many.

A run is looked at often in its first minute, then every `usage_seconds`, and less often the longer it runs: what is
kept is thinned out as that interval grows, so that an hour and a week have curves of the same size.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trainyard.contract.vocabulary import Execution, State
from trainyard.db.engine import Database
from trainyard.db.tables import jobs, usage
from trainyard.errors import TrainyardError
from trainyard.executors.base import Executor, RunId, Unmeasured, Usage
from trainyard.jobs import repository
from trainyard.jobs.model import Job

log = logging.getLogger(__name__)
MOST = 2_000  # rows of a job
CLOSE_LOOK = 2.0  # seconds between looks in the first minute
FIRST_MINUTE = 60.0
NEARLY = 0.9  # a look that comes a little early is as good as one in time
_SERIES = ("cpu_percent", "memory_bytes", "disk_read_bytes_s", "disk_written_bytes_s")


@dataclass(slots=True)
class _Known:
    """Of a job that runs; after a restart it is found in the table again."""

    first: float | None  # None: there is no row yet
    last: float
    every: float = 0.0  # what is kept has been thinned out to this


@dataclass(frozen=True, slots=True)
class Limits:
    cpus: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Curves:
    """As GET /v1/jobs/{id}/usage shows it."""

    every: float
    at: list[float]
    series: dict[str, list[float | None]]
    limits: Limits
    note: str


class UsageSampler:
    """A thread of its own; `look` and `of_job` may be called from any other."""

    def __init__(
        self,
        database: Database,
        executor: Callable[[Execution], Executor],
        node: str,
        seconds: float,
        most: int = MOST,
    ) -> None:
        self._database = database
        self._executor = executor
        self._node = node
        self._seconds = seconds
        self._most = most
        self._known: dict[str, _Known] = {}
        self._notes: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="usage", daemon=True)

    def start(self) -> None:
        if self._seconds > 0:
            self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _loop(self) -> None:
        while not self._stop.wait(min(CLOSE_LOOK, self._seconds)):
            try:
                self.look(time.time())
            except Exception:
                log.exception("what jobs use could not be looked at; the next look is soon")

    # -- looking ---------------------------------------------------------------------------------------------------

    def look(self, now: float) -> int:
        """Look at each running job whose turn it is; how many rows were written. Without one nothing is."""
        running = self._running()
        self._forget_all_but({job_id for job_id, _, _ in running})
        rows = [row for job_id, run, execution in running if (row := self._row(job_id, run, execution, now))]
        if rows:
            self._database.write(lambda conn: conn.execute(usage.insert(), rows))
        for row in rows:
            self._note_row(row["job_id"], now)
        return len(rows)

    def _running(self) -> list[tuple[str, RunId, Execution]]:
        query = sa.select(jobs.c.id, jobs.c.attempt, jobs.c.trace_id, jobs.c.execution).where(
            jobs.c.closed_at.is_(None), jobs.c.state == State.RUNNING, jobs.c.node == self._node
        )
        with self._database.read() as conn:
            rows = conn.execute(query).all()
        return [(row.id, RunId(row.id, row.attempt, row.trace_id), Execution(row.execution)) for row in rows]

    def _forget_all_but(self, running: set[str]) -> None:
        for job_id in self._known.keys() - running:
            del self._known[job_id]
        if len(self._notes) > 1_000:  # those of ended jobs are shown for as long as nobody needs the room
            self._notes = {job_id: note for job_id, note in self._notes.items() if job_id in running}

    def _row(self, job_id: str, run: RunId, execution: Execution, now: float) -> dict[str, Any] | None:
        known = self._known.get(job_id) or self._find(job_id)
        self._known[job_id] = known
        if known.first is not None:
            every = interval(self._seconds, now - known.first, self._most)
            if now - known.last < NEARLY * every:
                return None
        try:
            seen = self._executor(execution).usage(run)
        except TrainyardError as error:
            seen = Unmeasured(str(error))
        match seen:
            case Unmeasured(why):
                self._notes[job_id] = why
                return None
            case Usage():
                return _as_row(job_id, run.attempt, now, seen)
            case None:
                return None

    def _find(self, job_id: str) -> _Known:
        query = sa.select(sa.func.min(usage.c.at), sa.func.max(usage.c.at)).where(usage.c.job_id == job_id)
        with self._database.read() as conn:
            first, last = conn.execute(query).one()
        return _Known(first, last or 0.0)

    def _note_row(self, job_id: str, now: float) -> None:
        known = self._known[job_id]
        known.first, known.last = known.first if known.first is not None else now, now
        every = interval(self._seconds, now - known.first, self._most)
        if every > known.every:
            known.every = every
            if every > self._seconds:
                self._database.write(lambda conn: _thin_out(conn, job_id, NEARLY * every))

    # -- showing ---------------------------------------------------------------------------------------------------

    def of_job(self, job_id: str, after: float = 0) -> Curves:
        """What was seen later than that. Raises NotFound."""
        query = sa.select(usage).where(usage.c.job_id == job_id, usage.c.at > after).order_by(usage.c.at)
        with self._database.read() as conn:
            job = repository.get(conn, job_id)
            rows = conn.execute(query).all()
            first = conn.execute(sa.select(sa.func.min(usage.c.at)).where(usage.c.job_id == job_id)).scalar()
        last = rows[-1] if rows else None
        end = job.finished_at or time.time()
        return Curves(
            every=interval(self._seconds, 0 if first is None else max(0.0, end - first), self._most),
            at=[row.at for row in rows],
            series=_series(rows),
            limits=Limits(last.cpus, last.memory_limit) if last is not None else Limits(None, None),
            note="" if first is not None else self._note(job),
        )

    def _note(self, job: Job) -> str:
        if job.id in self._notes:
            return self._notes[job.id]
        if self._seconds == 0:
            return "Nobody looks: TRAINYARD_USAGE_SECONDS is 0."
        if job.state.is_terminal:
            short = f"It ran for less than {min(CLOSE_LOOK, self._seconds):g} s"
            return f"{short}, or before this was looked at." if job.started_at is not None else "It never ran."
        return "The first look is on its way." if job.state is State.RUNNING else "It does not run yet."


def interval(seconds: float, age: float, most: int) -> float:
    """Between two looks at a run of that age: doubled until so many of them cover it."""
    if age < FIRST_MINUTE:
        return min(CLOSE_LOOK, seconds)
    while seconds > 0 and age / seconds > most:
        seconds *= 2
    return seconds


def _as_row(job_id: str, attempt: int, now: float, seen: Usage) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "at": round(now, 3),
        "attempt": attempt,
        **{name: getattr(seen, name) for name in _SERIES},
        "gpus": [[gpu.index, gpu.percent, gpu.memory_bytes] for gpu in seen.gpus],
        "cpus": seen.cpus,
        "memory_limit": seen.memory_limit,
    }


def _thin_out(conn: sa.Connection, job_id: str, apart: float) -> None:
    """What stands closer to the one before than that goes. Repeating it is harmless."""
    query = sa.select(usage.c.at).where(usage.c.job_id == job_id).order_by(usage.c.at)
    gone: list[float] = []
    kept = -apart
    for at in conn.execute(query).scalars():
        if at - kept < apart:
            gone.append(at)
        else:
            kept = at
    conn.execute(usage.delete().where(usage.c.job_id == job_id, usage.c.at.in_(gone)))


def _series(rows: Sequence[Any]) -> dict[str, list[float | None]]:
    """One value a row in each; of GPUs only those that any row names."""
    found: dict[str, list[float | None]] = {name: [getattr(row, name) for row in rows] for name in _SERIES}
    for index in sorted({gpu[0] for row in rows for gpu in row.gpus}):
        told = [next((gpu for gpu in row.gpus if gpu[0] == index), (index, None, None)) for row in rows]
        found[f"gpu{index}_percent"] = [gpu[1] for gpu in told]
        found[f"gpu{index}_memory_bytes"] = [gpu[2] for gpu in told]
    return found
