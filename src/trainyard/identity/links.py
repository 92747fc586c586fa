"""Queries on one-time links. Every function works inside its caller's transaction."""

import time

import sqlalchemy as sa

from trainyard.db.tables import login_links
from trainyard.identity import secret

SECONDS = 15 * 60.0


def add(conn: sa.Connection, user_id: str, may_set_password: bool) -> tuple[str, float]:
    """The code and when it ends; only its hash is kept."""
    now, code = time.time(), secret.fresh()
    conn.execute(login_links.delete().where(login_links.c.expires_at <= now))
    row = {"hash": secret.hashed(code), "user_id": user_id, "expires_at": now + SECONDS}
    conn.execute(login_links.insert().values(**row, may_set_password=may_set_password))
    return code, now + SECONDS


def use(conn: sa.Connection, code: str) -> tuple[str, bool] | None:
    """Whose it is, and whether it lets them set a password; then it is gone. None: there is none, or no longer."""
    kept = login_links.c.hash == secret.hashed(code)
    columns = (login_links.c.user_id, login_links.c.may_set_password, login_links.c.expires_at)
    row = conn.execute(sa.select(*columns).where(kept)).one_or_none()
    if row is None or conn.execute(login_links.delete().where(kept)).rowcount != 1:
        return None  # of two at once, one deletes it
    return (row.user_id, row.may_set_password) if row.expires_at > time.time() else None


def drop(conn: sa.Connection, user_id: str) -> None:
    conn.execute(login_links.delete().where(login_links.c.user_id == user_id))
