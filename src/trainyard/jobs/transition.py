"""The only writer of a state: compare-and-set on (state, attempt), the event in the same transaction."""

import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from trainyard.contract.vocabulary import Reason, State
from trainyard.db.tables import jobs
from trainyard.events import log as events
from trainyard.jobs.states import may_follow
from trainyard.webhooks import outbox


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended: where to, why in one word, why in a sentence, and what shows it."""

    state: State
    reason: Reason
    message: str
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])


def relaunch(
    conn: sa.Connection, *, job_id: str, project_id: str, attempt: int, now: State, why: str, resume_from: str | None
) -> bool:
    """Back to the queue as the next attempt: from here on the old one's calls are refused. False where the job is not
    (any more) in this state and attempt, or is to be cancelled."""
    message = events.storable(why)
    values: dict[str, Any] = {"state": State.QUEUED, "attempt": attempt + 1, "message": message}
    values |= {"queued_at": time.time(), "launched_at": None, "started_at": None, "claim": 0, "seq": 0, "seen_at": None}
    values |= {"stuck_since": None, "resume_from": resume_from}
    still = (jobs.c.id == job_id, jobs.c.state == now, jobs.c.attempt == attempt, jobs.c.cancel_requested_at.is_(None))
    changed = conn.execute(jobs.update().where(*still).values(**values)).rowcount
    if changed == 1:
        data = {"from": now, "to": State.QUEUED, "attempt": attempt + 1, "resume_from": resume_from}
        events.append(
            conn,
            project_id=project_id,
            job_id=job_id,
            attempt=attempt + 1,
            type="state",
            message=message,
            data=data,
        )
    return changed == 1


def move(
    conn: sa.Connection,
    *,
    job_id: str,
    project_id: str,
    attempt: int,
    now: State,
    then: State,
    reason: Reason | None = None,
    message: str = "",
    evidence: dict[str, Any] | None = None,
    at: float | None = None,
) -> bool:
    """Move a job from `now` to `then`, if it still is there; False (and no effect) where it is not.

    A repeated or late write of an end is such a no-op. A move the table doesn't allow is a bug and raises.
    """
    if now.is_terminal:
        return False
    if not may_follow(now, then):
        raise ValueError(f"{job_id}: {now} can't become {then}")
    at = time.time() if at is None else at
    message = events.storable(message)  # it may be a trainer's last words
    values: dict[str, Any] = {"state": then, "message": message}
    if then is State.QUEUED:
        values["queued_at"] = at
    if then is State.RUNNING:
        values |= {"started_at": at, "seen_at": at}
    if then.is_terminal:
        values |= {
            "finished_at": at,
            "reason": reason,
            "evidence": events.storable(evidence or {}),
            "stuck_since": None,
        }
    changed = conn.execute(
        jobs.update().where(jobs.c.id == job_id, jobs.c.state == now, jobs.c.attempt == attempt).values(**values)
    ).rowcount
    if changed != 1:
        return False
    events.append(
        conn,
        project_id=project_id,
        job_id=job_id,
        attempt=attempt,
        type="state",
        message=message,
        data={"from": now, "to": then, **({"reason": reason} if reason else {})},
    )
    if then.is_terminal:
        outbox.note_end(conn, project_id, job_id, then, at)
    return True
