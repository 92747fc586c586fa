"""Queries on sessions: what a browser's cookie stands for. Every function works inside its caller's transaction."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from trainyard.db.tables import sessions
from trainyard.identity import secret

IDLE_SECONDS = 14 * 86_400.0  # unused for so long, it ends
LONGEST_SECONDS = 90 * 86_400.0  # used or not, it ends


@dataclass(frozen=True, slots=True)
class Session:
    hash: str
    user_id: str
    seen_at: float
    password_until: float | None


def add(conn: sa.Connection, user_id: str, password_until: float | None = None) -> str:
    """The secret for the cookie; only its hash is kept."""
    now, cookie = time.time(), secret.fresh()
    conn.execute(sessions.delete().where(sa.not_(_alive(now))))
    row = {"hash": secret.hashed(cookie), "user_id": user_id, "created_at": now, "seen_at": now}
    conn.execute(sessions.insert().values(**row, password_until=password_until))
    return cookie


def find(conn: sa.Connection, hash: str) -> Session | None:
    """None too where it is over."""
    columns = (sessions.c.hash, sessions.c.user_id, sessions.c.seen_at, sessions.c.password_until)
    row = conn.execute(sa.select(*columns).where(sessions.c.hash == hash, _alive(time.time()))).one_or_none()
    return Session(*row) if row is not None else None


def seen(conn: sa.Connection, hash: str) -> None:
    conn.execute(sessions.update().where(sessions.c.hash == hash).values(seen_at=time.time()))


def end(conn: sa.Connection, hash: str) -> None:
    conn.execute(sessions.delete().where(sessions.c.hash == hash))


def end_all(conn: sa.Connection, user_id: str, but: str = "") -> None:
    """Of a user, except for the one with that hash."""
    conn.execute(sessions.delete().where(sessions.c.user_id == user_id, sessions.c.hash != but))


def password_was_set(conn: sa.Connection, user_id: str) -> None:
    """From now on the next one needs the old one too."""
    conn.execute(sessions.update().where(sessions.c.user_id == user_id).values(password_until=None))


def _alive(now: float) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.seen_at > now - IDLE_SECONDS, sessions.c.created_at > now - LONGEST_SECONDS)
