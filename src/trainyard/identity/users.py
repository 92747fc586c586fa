"""Queries on users. Every function works inside its caller's transaction."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from trainyard.db.tables import users
from trainyard.errors import Conflict, NotFound

BUILT_IN = "admin"  # id and name of the user whom the installation's token stands for
NAME_PATTERN = r"^[a-z0-9][a-z0-9._@-]{0,59}$"


@dataclass(frozen=True, slots=True)
class UserRow:
    id: str
    name: str
    administrator: bool
    password: str | None = field(repr=False)
    created_at: float
    disabled_at: float | None
    seen_at: float | None


_COLUMNS = [users.c[one.name] for one in fields(UserRow)]


def ensure_built_in(conn: sa.Connection) -> None:
    if conn.execute(sa.select(users.c.id).where(users.c.id == BUILT_IN)).one_or_none() is None:
        row = {"id": BUILT_IN, "name": BUILT_IN, "administrator": True, "created_at": time.time()}
        conn.execute(users.insert().values(**row))


def everyone(conn: sa.Connection) -> Sequence[UserRow]:
    return [UserRow(*row) for row in conn.execute(sa.select(*_COLUMNS).order_by(users.c.name))]


def find(conn: sa.Connection, *, name: str | None = None, user_id: str | None = None) -> UserRow | None:
    """A name in any case, with any character in it: people type it."""
    if name is not None:
        condition = users.c.name == name.strip().lower().replace("\0", "\ufffd")
    else:
        condition = users.c.id == (user_id or "").replace("\0", "\ufffd")
    row = conn.execute(sa.select(*_COLUMNS).where(condition)).one_or_none()
    return UserRow(*row) if row is not None else None


def get(conn: sa.Connection, *, name: str | None = None, user_id: str | None = None) -> UserRow:
    found = find(conn, name=name, user_id=user_id)
    if found is None:
        raise NotFound(f"There is no user {(name or user_id or '')[:60]}.", hint="`trainyard users list` shows them.")
    return found


def add(conn: sa.Connection, name: str, password: str | None, administrator: bool) -> UserRow:
    """`password` is hashed already. Raises Conflict where the name is taken."""
    if find(conn, name=name) is not None:
        raise Conflict(f"There is a user {name} already.", field="name")
    row = UserRow(f"user-{secrets.token_hex(6)}", name, administrator, password, time.time(), None, None)
    conn.execute(users.insert().values(**{one.name: getattr(row, one.name) for one in fields(UserRow)}))
    return row


def change(conn: sa.Connection, user_id: str, **values: Any) -> None:
    conn.execute(users.update().where(users.c.id == user_id).values(**values))
