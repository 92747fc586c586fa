"""What a caller may do. One place decides: a role in the project that a thing belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa

from trainyard.errors import Forbidden, NotFound


class Role(StrEnum):
    """In a project; each may what those before it may."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return _RANKS.index(self)

    def covers(self, needed: "Role") -> bool:
        return self.rank >= needed.rank


_RANKS = list(Role)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller, as far as this credential reaches."""

    user_id: str
    name: str
    administrator: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    everywhere: Role | None = None  # in every project: an administrator's
    via: Literal["session", "token"] = "token"
    credential: str = ""  # the session's hash, the token's id; empty: the installation's own token
    may_hand_out: bool = False  # users, passwords, links and tokens: never by an API token, which would outlive itself

    @property
    def projects(self) -> frozenset[str] | None:
        """Those it sees; None: all."""
        return None if self.everywhere is not None else frozenset(self.roles)

    def role_in(self, project_id: str) -> Role | None:
        return self.everywhere or self.roles.get(project_id)

    def may(self, role: Role, project_id: str) -> bool:
        have = self.role_in(project_id)
        return have is not None and have.covers(role)

    def require(self, role: Role, project_id: str, what: str = "") -> None:
        """Raises NotFound where the project is not the caller's: then `what` is as good as not there. Raises Forbidden
        naming the role where theirs is too low."""
        have = self.role_in(project_id)
        if have is None:
            raise NotFound(f"There is no {what or f'project {project_id[:64]}'}, or it is not in a project of yours.")
        if not have.covers(role):
            raise Forbidden(
                f"This needs the role {role} in project {project_id[:64]}; yours is {have}.",
                hint="An admin of the project can change your role.",
            )

    def require_somewhere(self, role: Role) -> None:
        """For what belongs to no project yet. Raises Forbidden."""
        if not any(have.covers(role) for have in (self.everywhere, *self.roles.values()) if have is not None):
            raise Forbidden(f"This needs the role {role} in a project.", hint="Its admin can change your role.")

    def require_administrator(self) -> None:
        if not self.administrator:
            raise Forbidden(
                "This needs an administrator of this installation.", hint="Sign in as one, or ask one to do it."
            )

    def require_hand_out(self) -> None:
        if not self.may_hand_out:
            raise Forbidden(
                "An API token makes no users, passwords, links or tokens.", hint="Sign in on the page to do it."
            )

    def visible(self, project_id: "sa.ColumnElement[str]") -> list["sa.ColumnElement[bool]"]:
        """Conditions for a query: rows of the caller's projects only; none where they may see all."""
        return [] if self.projects is None else [project_id.in_(sorted(self.projects))]


def narrowed(principal: Principal, project_id: str | None, role: Role | None) -> Principal:
    """As far as a token for one project, or of at most one role, reaches."""
    if project_id is None and role is None:
        return principal

    def at_most(have: Role) -> Role:
        return have if role is None or role.covers(have) else role

    everywhere, roles = principal.everywhere, dict(principal.roles)
    if project_id is not None:
        have = principal.role_in(project_id)
        everywhere, roles = None, {project_id: have} if have is not None else {}
    return Principal(
        user_id=principal.user_id,
        name=principal.name,
        roles={name: at_most(have) for name, have in roles.items()},
        everywhere=at_most(everywhere) if everywhere is not None else None,
        via=principal.via,
        credential=principal.credential,
    )
