"""Queries on who is in which project. Every function works inside its caller's transaction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trainyard.db.tables import members, projects, users
from trainyard.errors import NotFound
from trainyard.identity.rights import Role


@dataclass(frozen=True, slots=True)
class Member:
    user_id: str
    name: str
    role: Role
    since: float


def roles_of(conn: sa.Connection, user_id: str) -> dict[str, Role]:
    query = sa.select(members.c.project_id, members.c.role).where(members.c.user_id == user_id)
    return {row.project_id: Role(row.role) for row in conn.execute(query)}


def of_project(conn: sa.Connection, project_id: str) -> Sequence[Member]:
    query = (
        sa.select(users.c.id, users.c.name, members.c.role, members.c.since)
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.project_id == project_id)
        .order_by(users.c.name)
    )
    return [Member(user_id, name, Role(role), since) for user_id, name, role, since in conn.execute(query)]


def put(conn: sa.Connection, project_id: str, user_id: str, role: Role) -> float:
    """Since when they are in it: a change of the role is no new beginning."""
    require_project(conn, project_id)
    there = sa.and_(members.c.project_id == project_id, members.c.user_id == user_id)
    since = conn.execute(sa.select(members.c.since).where(there)).scalar_one_or_none()
    if since is not None:
        conn.execute(members.update().where(there).values(role=role))
        return since
    now = time.time()
    conn.execute(members.insert().values(project_id=project_id, user_id=user_id, role=role, since=now))
    return now


def remove(conn: sa.Connection, project_id: str, user_id: str) -> None:
    """Raises NotFound where they are not in it."""
    there = sa.and_(members.c.project_id == project_id, members.c.user_id == user_id)
    if conn.execute(members.delete().where(there)).rowcount != 1:
        raise NotFound(f"They are not in project {project_id[:64]}.")


def require_project(conn: sa.Connection, project_id: str) -> None:
    """Raises NotFound."""
    if conn.execute(sa.select(projects.c.id).where(projects.c.id == project_id)).one_or_none() is None:
        raise NotFound(f"There is no project {project_id[:64]}.", hint="GET /v1/projects lists them.")
