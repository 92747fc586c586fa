"""Noting what is to be told in the very transaction in which a job ends: neither is there without the other."""

import secrets

import sqlalchemy as sa

from trainyard.contract.vocabulary import State
from trainyard.db.tables import deliveries, webhooks


def note_end(conn: sa.Connection, project_id: str, job_id: str, state: State, at: float) -> None:
    """For each webhook of the project that wants to hear of this end."""
    found = conn.execute(sa.select(webhooks.c.id, webhooks.c.states).where(webhooks.c.project_id == project_id))
    for webhook_id, states in found.all():
        if state in states:
            put(conn, webhook_id, job_id, at)


def put(conn: sa.Connection, webhook_id: str, job_id: str | None, at: float) -> str:
    """The delivery's id. It is due at once."""
    made = f"dl-{secrets.token_hex(12)}"
    row = {"id": made, "webhook_id": webhook_id, "job_id": job_id, "created_at": at, "tries": 0, "next_at": at}
    conn.execute(deliveries.insert().values(**row, error=""))
    return made
