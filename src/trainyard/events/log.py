"""Appending to the event log and reading it back. Append inside the transaction of the change it tells of."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trainyard.db.prepared import Prepared
from trainyard.db.tables import events

DEEPEST = 20  # levels of a trainer's data that are kept

_KEY = ["job_id", "attempt", "seq"]
_INSERT_NEW = Prepared(
    sqlite.insert(events).on_conflict_do_nothing(index_elements=_KEY),
    postgresql.insert(events).on_conflict_do_nothing(index_elements=_KEY),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it is stored."""

    id: int
    project_id: str
    job_id: str | None
    at: float
    type: str
    attempt: int | None
    message: str
    data: dict[str, Any]


def append(
    conn: sa.Connection,
    *,
    project_id: str,
    type: str,
    job_id: str | None = None,
    attempt: int | None = None,
    message: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Tell of one change of ours (callbacks come through `append_callbacks`)."""
    conn.execute(
        events.insert().values(
            project_id=project_id,
            job_id=job_id,
            at=time.time(),
            type=type,
            attempt=attempt,
            message=message,
            data=data or {},
        )
    )


def append_callbacks(conn: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store callbacks, their data as JSON text; one that is here already, by (job, attempt, seq), is passed over."""
    _INSERT_NEW.run(conn, rows)


_COLUMNS = [events.c[field.name] for field in fields(Entry)]


def after(
    conn: sa.Connection,
    last_id: int,
    *,
    limit: int,
    job_id: str | None = None,
    project_id: str | None = None,
    projects: frozenset[str] | None = None,
) -> list[Entry]:
    """What happened after `last_id`, in order; in `projects` only, whatever else is asked for (None: in any)."""
    query = sa.select(*_COLUMNS).where(events.c.id > last_id).order_by(events.c.id).limit(limit)
    if job_id is not None:
        query = query.where(events.c.job_id == job_id)
    if project_id is not None:
        query = query.where(events.c.project_id == project_id)
    if projects is not None:
        query = query.where(events.c.project_id.in_(sorted(projects)))
    return [Entry(*row) for row in conn.execute(query)]


def of_job(
    conn: sa.Connection,
    job_id: str,
    *,
    limit: int,
    after: int = 0,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    newest: bool = False,
    ours: bool = False,
) -> list[Entry]:
    """A job's events after an id, in order; of some types only, or without some; the first so many, or the newest.

    `ours`: without callbacks, which may be of any type and say anything.
    """
    query = sa.select(*_COLUMNS).where(events.c.job_id == job_id, events.c.id > after)
    if only:
        query = query.where(events.c.type.in_(only))
    if without:
        query = query.where(events.c.type.not_in(without))
    if ours:
        query = query.where(events.c.seq.is_(None))
    rows = conn.execute(query.order_by(events.c.id.desc() if newest else events.c.id).limit(limit)).all()
    return [Entry(*row) for row in (reversed(rows) if newest else rows)]


def newest_of_each(conn: sa.Connection, job_id: str, type: str, field: str) -> list[Entry]:
    """Of a job's events of one type the newest for each value of this field of their data."""
    value = events.c.data[field].as_string()
    ids = (
        sa.select(sa.func.max(events.c.id))
        .where(events.c.job_id == job_id, events.c.type == type, value.is_not(None))
        .group_by(value)
    )
    return [Entry(*row) for row in conn.execute(sa.select(*_COLUMNS).where(events.c.id.in_(ids)))]


def newest_id(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.coalesce(sa.func.max(events.c.id), 0))).scalar_one()


def storable(value: Any, depth: int = 0) -> Any:
    """A trainer's JSON as every database takes it: no NaN (JSON has none), no NUL (PostgreSQL has none)."""
    match value:
        case float() if not math.isfinite(value):
            return spell(value)
        case str():
            return value.replace("\0", "")
        case dict() | list() if depth >= DEEPEST:
            return "…"
        case dict():
            named = cast("dict[str, Any]", value)
            return {storable(key): storable(item, depth + 1) for key, item in named.items()}
        case list():
            return [storable(item, depth + 1) for item in cast("list[Any]", value)]
        case _:
            return value


def spell(value: float) -> float | str:
    """A number for JSON: what JSON lacks is spelled out."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
