"""Who a request is from, and what its route needs of them. Every route names one of the annotations below.

    user: User              somebody signed in; lists show `user.visible(table.c.project_id)` only
    user: JobMember         … who is a member of the project of the job in the path
    user: Administrator     … of this installation
    user: Person            … with a session or the installation's own token, no API token: hands out access

Where the project is in the query or the body: `user.require(Role.MEMBER, project_id)` in the route.
"""

import time
from collections.abc import AsyncGenerator, Callable
from typing import Annotated

import anyio.to_thread
import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import SQLAlchemyError

from trainyard.api.platform import Platform
from trainyard.db.tables import datasets, jobs, projects
from trainyard.errors import NotFound, TrainyardError, Unauthorized
from trainyard.identity.rights import Principal, Role

AGAIN_SECONDS = 30.0  # another backend may have changed a reader's rights; our own changes count at once

_bearer = HTTPBearer(auto_error=False, description="The token that `trainyard up` generated, or a user's own")


def platform_of(request: Request) -> Platform:
    return request.app.state.platform


def cookie_name(port: int) -> str:
    """Browsers send cookies to every port of a host: two installations on one machine must not share theirs."""
    return f"trainyard-{port}"


def require_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Raises Unauthorized. A job's callback token is no user's token; with an Authorization no cookie is looked at."""
    platform = platform_of(request)
    if credentials is not None:
        return platform.identity.by_token(credentials.credentials)
    session = request.cookies.get(cookie_name(platform.settings.port))
    if session is None or "authorization" in request.headers:
        raise Unauthorized(
            "This needs a session or a token.",
            hint="Sign in, or send `Authorization: Bearer …`; the CLI does it by itself.",
        )
    return platform.identity.by_session(session)


ThePlatform = Annotated[Platform, Depends(platform_of)]
User = Annotated[Principal, Depends(require_user)]


def _administrator(user: User) -> Principal:
    user.require_administrator()
    return user


def _person(user: User) -> Principal:
    user.require_hand_out()
    return user


def _handing_out(user: User) -> Principal:
    user.require_administrator()
    user.require_hand_out()
    return user


def of(role: Role, parameter: str, table: sa.Table) -> Callable[..., Principal]:
    """Whoever has this role in the project of the row that the path's `parameter` names."""
    column = table.c.id if table is projects else table.c.project_id
    noun = table.name.removesuffix("s")

    def check(request: Request, platform: ThePlatform, user: User) -> Principal:
        if user.everywhere is not None and user.everywhere.covers(role):
            return user  # the route itself says where it is not there
        wanted = str(request.path_params[parameter]).replace("\0", "\ufffd")
        with platform.database.read() as conn:
            project_id = conn.execute(sa.select(column).where(table.c.id == wanted)).scalar_one_or_none()
        if project_id is None:
            raise NotFound(f"There is no {noun} {wanted[:64]}, or it is not in a project of yours.")
        user.require(role, project_id, f"{noun} {wanted[:64]}")
        return user

    return check


Administrator = Annotated[Principal, Depends(_administrator)]
Person = Annotated[Principal, Depends(_person)]
HandingOut = Annotated[Principal, Depends(_handing_out)]  # an administrator, and a Person
JobViewer = Annotated[Principal, Depends(of(Role.VIEWER, "job_id", jobs))]
JobMember = Annotated[Principal, Depends(of(Role.MEMBER, "job_id", jobs))]
DatasetViewer = Annotated[Principal, Depends(of(Role.VIEWER, "dataset_id", datasets))]
DatasetMember = Annotated[Principal, Depends(of(Role.MEMBER, "dataset_id", datasets))]
DatasetAdmin = Annotated[Principal, Depends(of(Role.ADMIN, "dataset_id", datasets))]
ProjectViewer = Annotated[Principal, Depends(of(Role.VIEWER, "project_id", projects))]
ProjectAdmin = Annotated[Principal, Depends(of(Role.ADMIN, "project_id", projects))]


async def while_allowed(
    frames: AsyncGenerator[bytes], request: Request, allowed: Callable[[Principal], bool]
) -> AsyncGenerator[bytes]:
    """The frames of a stream until its reader's rights are not what `allowed` wants any more; then it ends."""
    platform = platform_of(request)
    changes, again = platform.identity.changes, time.monotonic() + AGAIN_SECONDS
    async for frame in frames:
        if changes != platform.identity.changes or time.monotonic() > again:
            changes, again = platform.identity.changes, time.monotonic() + AGAIN_SECONDS
            if not await anyio.to_thread.run_sync(_still, request, allowed):
                return
        yield frame


def _still(request: Request, allowed: Callable[[Principal], bool]) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = HTTPAuthorizationCredentials(scheme=scheme, credentials=token) if token else None
    try:
        return allowed(require_user(request, given))
    except (TrainyardError, SQLAlchemyError):
        return False
