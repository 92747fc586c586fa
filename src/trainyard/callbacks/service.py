"""What becomes of a trainer's calls. All that wait are handled in one transaction (db/writer.py), answers after it."""

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from trainyard.callbacks.token import Claims, Tokens
from trainyard.contract.callbacks import Answer, Done, Event, Heartbeat
from trainyard.contract.vocabulary import Execution, Reason, State
from trainyard.db.engine import Database, dumps
from trainyard.db.prepared import Prepared
from trainyard.db.tables import jobs
from trainyard.errors import NotFound, TrainyardError, Unauthorized
from trainyard.events import log as events
from trainyard.events import metrics
from trainyard.events.metrics import Point, SeriesIds
from trainyard.jobs import endings
from trainyard.jobs.transition import Ending, move

log = logging.getLogger(__name__)
Call = Heartbeat | Event | Done
LARGEST_EPOCH = 10**9  # as in a heartbeat


@dataclass(frozen=True, slots=True)
class Incoming:
    claims: Claims
    call: Call
    at: float


@dataclass(slots=True)
class _Row:
    """A job in this batch: what its row says, and what the batch makes of it."""

    id: str
    project_id: str
    state: State
    attempt: int
    execution: str
    resources: dict[str, Any]
    cancel_requested_at: float | None
    trace_id: str
    seq: int
    seen_at: float | None
    phase: str
    epoch: int | None
    epochs: int | None
    progress: float | None
    checkpoint: str | None
    mlflow_run_id: str | None
    changed: bool = False

    def note(self, results: dict[str, str]) -> None:
        self.checkpoint = results.get("checkpoint", self.checkpoint)
        self.mlflow_run_id = results.get("mlflow_run_id", self.mlflow_run_id)


_SAVED = ("seq", "seen_at", "phase", "epoch", "epochs", "progress", "checkpoint", "mlflow_run_id")
_LOAD = sa.select(*(jobs.c[column.name] for column in fields(_Row) if column.name != "changed")).where(
    jobs.c.id.in_(sa.bindparam("ids", expanding=True))
)
_SAVE = Prepared(
    jobs.update()
    .where(jobs.c.id == sa.bindparam("job"), jobs.c.attempt == sa.bindparam("at_attempt"))
    .values({jobs.c[name]: sa.bindparam(f"new_{name}") for name in _SAVED})
)


class CallbackService:
    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens
        self._series = SeriesIds()
        database.writer.after_rollback(self._series.forget)

    async def take(self, job_id: str, token: str, call: Call) -> Answer:
        """Store one call and answer it, after the commit. Raises Unauthorized, NotFound, Unavailable."""
        claims = self._tokens.check(token)
        if claims.job_id != job_id:
            raise Unauthorized("Token job_id mismatch")
        if claims.attempt != call.attempt:
            raise Unauthorized(f"The token is for attempt {claims.attempt}, the call for attempt {call.attempt}.")
        answer: Answer = await self._database.writer.submit(self._store, Incoming(claims, call, time.time()))
        answer.token = self._tokens.renewal(claims)
        return answer

    # -- in the writer's thread ------------------------------------------------------------------------------------

    def _store(self, conn: sa.Connection, batch: Sequence[Incoming]) -> list[Answer | TrainyardError]:
        rows = _load(conn, {item.claims.job_id for item in batch})
        refused = [_refusal(rows, item) for item in batch]
        taken = [item for item, refusal in zip(batch, refused, strict=True) if refusal is None]
        if taken:
            events.append_callbacks(conn, [_event_row(rows[item.claims.job_id], item) for item in taken])
            metrics.record(conn, self._series, [point for item in taken for point in _points(item)])
            for item in taken:
                _advance(conn, rows[item.claims.job_id], item)
            _save(conn, rows)
        return [refusal or _answer(rows[item.claims.job_id]) for item, refusal in zip(batch, refused, strict=True)]


def _answer(row: _Row) -> Answer:
    return Answer(state=row.state, cancel=row.cancel_requested_at is not None)


def _load(conn: sa.Connection, job_ids: set[str]) -> dict[str, _Row]:
    rows = {row.id: _Row(*row) for row in conn.execute(_LOAD, {"ids": list(job_ids)})}
    for row in rows.values():
        row.state = State(row.state)
    return rows


def _refusal(rows: dict[str, _Row], item: Incoming) -> TrainyardError | None:
    row = rows.get(item.claims.job_id)
    if row is None:
        return NotFound("The job of this token does not exist any more.")
    if item.claims.attempt != row.attempt:
        return Unauthorized(f"Attempt {item.claims.attempt} is over: the job is at attempt {row.attempt}.")
    return None


def _event_row(row: _Row, item: Incoming) -> dict[str, Any]:
    call = item.call
    if isinstance(call, Event):
        kind, message, data = call.type, call.message, dumps(events.storable(call.data))
    else:
        kind, message, data = call.kind, "", _told(call)
    return {
        "project_id": row.project_id,
        "job_id": item.claims.job_id,
        "at": item.at,
        # a trainer's own event may not pass for one of ours
        "type": f"trainer.{kind}" if isinstance(call, Event) and kind in ("state", "heartbeat", "done") else kind,
        "attempt": call.attempt,
        "seq": call.seq,
        "message": events.storable(message),
        "data": data,
    }


def _told(call: Heartbeat | Done) -> str:
    """Its fields as JSON, NaN spelled out: straight from pydantic, four times as quick as by way of a dict."""
    text = call.model_dump_json(exclude={"kind", "attempt", "seq"}, exclude_defaults=True)
    return text if "\\u0000" not in text else dumps(events.storable(json.loads(text)))


def _points(item: Incoming) -> list[Point]:
    """Metrics by epoch; by step where a heartbeat names one. A late metric is stored all the same."""
    call = item.call
    match call:
        case Heartbeat() if call.metrics:
            step = call.step if call.step is not None else call.epoch or 0
            named = [(events.storable(name), value) for name, value in call.metrics.items()]
            return [Point(item.claims.job_id, name, step, value, item.at) for name, value in named]
        case Event(type="validation"):
            return _validation_points(item, call.data)
        case _:
            return []


def _validation_points(item: Incoming, data: dict[str, Any]) -> list[Point]:
    match data:
        case {"epoch": int(epoch), "metrics": dict()} if 0 <= epoch <= LARGEST_EPOCH:
            values: dict[str, Any] = data["metrics"]
            numbers = [(events.storable(name[:200]), _number(value)) for name, value in values.items()]
            return [
                Point(item.claims.job_id, name, epoch, value, item.at) for name, value in numbers if value is not None
            ]
        case _:
            return []


def _number(value: object) -> float | None:
    """A metric as JSON carries it: a number, or NaN and infinities by name."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isinstance(value, (int, float)) or not math.isfinite(number) else None


def _advance(conn: sa.Connection, row: _Row, item: Incoming) -> None:
    """Move the job on by one call; after its end nothing moves."""
    call = item.call
    if row.state.is_terminal:
        return
    row.changed, row.seen_at = True, item.at
    newest = call.seq > row.seq
    row.seq = max(row.seq, call.seq)
    match call:
        case Heartbeat() if newest:
            row.phase = events.storable(call.phase) or row.phase
            row.epoch = row.epoch if call.epoch is None else call.epoch
            row.epochs = row.epochs if call.epochs is None else call.epochs
            row.progress = row.progress if call.progress is None else call.progress
        case Event(type="checkpoint", data={"key": str(key)}):
            row.note(endings.results(row.id, checkpoint=key))
        case Event(type="mlflow_run", data={"run_id": str(run_id)}):
            row.note(endings.results(row.id, mlflow_run_id=run_id))
        case _:
            pass
    if row.state is State.QUEUED and _move(conn, row, State.RUNNING, item.at):
        row.state = State.RUNNING
    if isinstance(call, Done):
        _end(conn, row, item, call)


def _end(conn: sa.Connection, row: _Row, item: Incoming, done: Done) -> None:
    ending = endings.of_done(done, cancel_requested=row.cancel_requested_at is not None)
    if _is_for_the_pods_to_say(row, ending):
        return
    row.note(endings.results(row.id, done.checkpoint, done.mlflow_run_id))
    if ending.state is State.SUCCEEDED:
        row.progress = 1.0
    if _move(conn, row, ending.state, item.at, ending):
        row.state = ending.state
        log.info("job ended: %s", ending.reason, extra={"job_id": row.id, "trace_id": row.trace_id})


def _is_for_the_pods_to_say(row: _Row, ending: Ending) -> bool:
    """The cluster sent that signal, or took a pod away that trained with this one: why, and whether another attempt is
    due, is seen from the pods."""
    if row.execution == Execution.LOCAL or ending.state is State.SUCCEEDED:
        return False
    return ending.reason is Reason.CANCELLED_BY_SIGNAL or (row.resources or {}).get("replicas", 1) > 1


def _move(conn: sa.Connection, row: _Row, then: State, at: float, ending: Ending | None = None) -> bool:
    return move(
        conn,
        job_id=row.id,
        project_id=row.project_id,
        attempt=row.attempt,
        now=row.state,
        then=then,
        reason=ending.reason if ending else None,
        message=ending.message if ending else "",
        evidence=ending.evidence if ending else None,
        at=at,
    )


def _save(conn: sa.Connection, rows: dict[str, _Row]) -> None:
    changed = [row for row in rows.values() if row.changed]
    told = [
        {"job": row.id, "at_attempt": row.attempt} | {f"new_{n}": getattr(row, n) for n in _SAVED} for row in changed
    ]
    _SAVE.run(conn, told)
