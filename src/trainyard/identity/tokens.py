"""Queries on API tokens. Every function works inside its caller's transaction."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from trainyard.db.tables import api_tokens
from trainyard.errors import Conflict, NotFound
from trainyard.identity import secret
from trainyard.identity.rights import Role

PREFIX = "ty_"
MOST = 100


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: str
    user_id: str
    name: str
    prefix: str
    project_id: str | None
    role: Role | None
    created_at: float
    last_used_at: float | None
    expires_at: float | None


_COLUMNS = [api_tokens.c[field.name] for field in fields(ApiToken)]


def _token(row: sa.Row[Any]) -> ApiToken:
    values: dict[str, Any] = dict(row._mapping)  # pyright: ignore[reportPrivateUsage] - public, says SQLAlchemy
    values["role"] = Role(values["role"]) if values["role"] else None
    return ApiToken(**values)


def add(
    conn: sa.Connection, user_id: str, name: str, project_id: str | None, role: Role | None, days: int | None
) -> tuple[ApiToken, str]:
    """The token's row and the token itself, which nobody can look up afterwards. Raises Conflict at too many."""
    count = sa.select(sa.func.count()).select_from(api_tokens).where(api_tokens.c.user_id == user_id)
    if conn.execute(count).scalar_one() >= MOST:
        raise Conflict(f"You have {MOST} tokens already.", hint="Revoke those that nobody uses.")
    text, now = PREFIX + secret.fresh(), time.time()
    expires_at = now + days * 86_400 if days is not None else None
    row = ApiToken(f"token-{secrets.token_hex(6)}", user_id, name, text[:8], project_id, role, now, None, expires_at)
    values = {field.name: getattr(row, field.name) for field in fields(ApiToken)}
    conn.execute(api_tokens.insert().values(**values, hash=secret.hashed(text)))
    return row, text


def find(conn: sa.Connection, text: str) -> ApiToken | None:
    """None too where it is over."""
    still = sa.or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > time.time())
    row = conn.execute(sa.select(*_COLUMNS).where(api_tokens.c.hash == secret.hashed(text), still)).one_or_none()
    return _token(row) if row is not None else None


def of_user(conn: sa.Connection, user_id: str) -> Sequence[ApiToken]:
    query = sa.select(*_COLUMNS).where(api_tokens.c.user_id == user_id).order_by(api_tokens.c.created_at)
    return [_token(row) for row in conn.execute(query)]


def used(conn: sa.Connection, token_id: str) -> None:
    conn.execute(api_tokens.update().where(api_tokens.c.id == token_id).values(last_used_at=time.time()))


def revoke(conn: sa.Connection, user_id: str, token_id: str) -> None:
    """Raises NotFound where it is not theirs, or gone."""
    wanted = token_id.replace("\0", "\ufffd")
    found = conn.execute(api_tokens.delete().where(api_tokens.c.id == wanted, api_tokens.c.user_id == user_id))
    if found.rowcount != 1:
        raise NotFound(f"You have no token {token_id[:60]}.", hint="`trainyard tokens list` shows them.")
