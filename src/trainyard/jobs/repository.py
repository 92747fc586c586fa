"""Queries on jobs and leases. The state itself is written by jobs/transition.py only."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution, Reason, State, Task
from trainyard.db.tables import jobs, leases
from trainyard.errors import NotFound
from trainyard.jobs.model import Job

_COLUMNS = [jobs.c[field.name] for field in fields(Job)]
WAITING_STATES = (State.PENDING, State.QUEUED)


def _job(row: Any) -> Job:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    values["execution"] = Execution(values["execution"])
    values["task"] = Task(values["task"])
    values["resources"] = Resources.model_validate(values["resources"])
    values["reason"] = Reason(values["reason"]) if values["reason"] else None
    return Job(**values)


def insert(conn: sa.Connection, values: dict[str, Any]) -> None:
    conn.execute(jobs.insert().values(**values))


def find(conn: sa.Connection, job_id: str) -> Job | None:
    row = conn.execute(sa.select(*_COLUMNS).where(jobs.c.id == job_id)).one_or_none()
    return _job(row) if row is not None else None


def get(conn: sa.Connection, job_id: str) -> Job:
    job = find(conn, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id[:60]}.", hint="`trainyard jobs` lists them.")
    return job


def by_idempotency_key(conn: sa.Connection, project_id: str, key: str) -> Job | None:
    query = sa.select(*_COLUMNS).where(jobs.c.project_id == project_id, jobs.c.idempotency_key == key)
    row = conn.execute(query).one_or_none()
    return _job(row) if row is not None else None


def load(conn: sa.Connection, ids: Sequence[str]) -> list[Job]:
    """In the order of the ids; those that are not there are left out."""
    found = {row.id: _job(row) for row in conn.execute(sa.select(*_COLUMNS).where(jobs.c.id.in_(ids)))}
    return [found[job_id] for job_id in ids if job_id in found]


def count_by_state(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> dict[State, int]:
    rows = conn.execute(sa.select(jobs.c.state, sa.func.count()).where(*conditions).group_by(jobs.c.state))
    return {State(state): count for state, count in rows}


def unclosed(conn: sa.Connection) -> list[Job]:
    """Every job that still needs looking after, the most urgent first."""
    query = (
        sa.select(*_COLUMNS)
        .where(jobs.c.closed_at.is_(None))
        .order_by(jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id)
    )
    return [_job(row) for row in conn.execute(query)]


def with_logs(conn: sa.Connection, node: str, since: float) -> list[Job]:
    """The jobs of this installation whose logs may still grow, or ended after that moment."""
    recent = sa.or_(jobs.c.closed_at.is_(None), jobs.c.closed_at > since)
    return [_job(row) for row in conn.execute(sa.select(*_COLUMNS).where(jobs.c.node == node, recent))]


def set_fields(conn: sa.Connection, job_id: str, *, claim: int | None = None, **values: Any) -> bool:
    """Change anything but the state; with `claim`, only while no later claimant took the job over."""
    assert "state" not in values and "attempt" not in values, "states are written by transition.move"
    query = jobs.update().where(jobs.c.id == job_id)
    if claim is not None:
        query = query.where(jobs.c.claim == claim)
    return conn.execute(query.values(**values)).rowcount == 1


def explain_wait(conn: sa.Connection, job_id: str, why: str) -> bool:
    """Say why a queued job waits; False where it does not wait any more."""
    query = jobs.update().where(jobs.c.id == job_id, jobs.c.state == State.QUEUED, jobs.c.claim == 0)
    return conn.execute(query.values(message=why)).rowcount == 1


def claim(conn: sa.Connection, job: Job, node: str) -> bool:
    """Take a queued job for launching; False where somebody else was first or it is no longer queued."""
    query = jobs.update().where(
        jobs.c.id == job.id,
        jobs.c.claim == job.claim,
        jobs.c.state == State.QUEUED,
        jobs.c.cancel_requested_at.is_(None),
    )
    return conn.execute(query.values(claim=job.claim + 1, node=node)).rowcount == 1


# -- leases: slots and GPUs -------------------------------------------------------------------------------------------


def leased(conn: sa.Connection, prefix: str) -> dict[str, str]:
    """Resource → the job that holds it."""
    query = sa.select(leases.c.resource, leases.c.job_id).where(leases.c.resource.startswith(prefix, autoescape=True))
    return {row.resource: row.job_id for row in conn.execute(query)}


def lease(conn: sa.Connection, job: Job, resources: Iterable[str], at: float) -> None:
    """Raises IntegrityError where one of them is held."""
    for resource in resources:
        conn.execute(leases.insert().values(resource=resource, job_id=job.id, attempt=job.attempt, taken_at=at))


def free_leases(conn: sa.Connection, job_id: str) -> None:
    conn.execute(leases.delete().where(leases.c.job_id == job_id))


def leases_of(conn: sa.Connection, job_id: str) -> list[str]:
    return list(conn.execute(sa.select(leases.c.resource).where(leases.c.job_id == job_id)).scalars())
