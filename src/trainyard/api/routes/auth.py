"""Signing in and out, and who one is."""

import asyncio
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import Person, ThePlatform, User, cookie_name
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.db.tables import projects
from trainyard.identity.rights import Principal, Role
from trainyard.identity.sessions import LONGEST_SECONDS

router = APIRouter(prefix="/v1", tags=["identity"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
# what it holds is judged where it is used: a message that named a field's limits would tell nobody anything
Given = Annotated[str, Field(min_length=1, max_length=200)]


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    password: Given = Field(repr=False)


class UseLink(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Given = Field(description="What follows #code= in the link", repr=False)


class MakeLink(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, Field(max_length=60)] | None = Field(None, description="Whose; null: one's own")


class SetPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Given | None = Field(
        None, description="Needed where there is one, but after an administrator's link", repr=False
    )
    new: str = Field(min_length=10, max_length=200, description="At most 200 bytes", repr=False)


class Link(BaseModel):
    url: str = Field(description="Opens the page signed in; once")
    expires_at: float


class MyProject(BaseModel):
    id: str
    name: str
    role: Role


class Me(BaseModel):
    """Who the caller is, as far as this session or token reaches."""

    id: str
    name: str
    administrator: bool
    has_password: bool
    via: Literal["session", "token"]
    projects: list[MyProject]


def _me(platform: Platform, principal: Principal) -> Me:
    query = sa.select(projects.c.id, projects.c.name).order_by(projects.c.created_at)
    with platform.database.read() as conn:
        found = conn.execute(query.where(*principal.visible(projects.c.id))).all()
    mine = [(row, role) for row in found if (role := principal.role_in(row.id)) is not None]
    return Me(
        id=principal.user_id,
        name=principal.name,
        administrator=principal.administrator,
        has_password=platform.identity.user(principal.user_id).password is not None,
        via=principal.via,
        projects=[MyProject(id=row.id, name=row.name, role=role) for row, role in mine],
    )


def _begun(platform: Platform, request: Request, response: Response, cookie: str) -> None:
    settings = platform.settings
    secure = request.url.scheme == "https" or settings.public_url.lower().startswith("https:")
    response.set_cookie(
        cookie_name(settings.port),
        cookie,
        max_age=int(LONGEST_SECONDS),  # the backend ends it sooner where nobody uses it
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


@router.post("/auth/sign-in", responses=responses(429))
async def sign_in(body: SignIn, request: Request, response: Response, platform: ThePlatform) -> Me:
    """With name and password. Sets the cookie of a new session."""
    cookie = await platform.identity.sign_in(body.name, body.password, address_of(request))
    _begun(platform, request, response, cookie)
    return await asyncio.to_thread(lambda: _me(platform, platform.identity.by_session(cookie)))


@router.post("/auth/link")
def use_link(body: UseLink, request: Request, response: Response, platform: ThePlatform) -> Me:
    """With the code of a one-time link. Sets the cookie of a new session."""
    cookie = platform.identity.by_link(body.code)
    _begun(platform, request, response, cookie)
    return _me(platform, platform.identity.by_session(cookie))


@router.post("/auth/links", status_code=201, responses=responses(404))
def make_link(platform: ThePlatform, user: Person, body: MakeLink | None = None) -> Link:
    """A link that signs in once, within 15 minutes: oneself, or, for an administrator, anybody."""
    code, expires_at = platform.identity.make_link(user, body.user if body else None)
    base = (platform.settings.public_url or platform.settings.backend_url).rstrip("/")
    return Link(url=f"{base}/sign-in#code={code}", expires_at=expires_at)


@router.post("/auth/sign-out", status_code=204)
def sign_out(response: Response, platform: ThePlatform, user: User) -> None:
    """Ends this session; a token stays as it is."""
    platform.identity.sign_out(user)
    response.delete_cookie(cookie_name(platform.settings.port), path="/", httponly=True, samesite="strict")


@router.get("/me")
def me(platform: ThePlatform, user: User) -> Me:
    return _me(platform, user)


@router.post("/me/password", status_code=204, responses=responses(429))
async def set_password(body: SetPassword, request: Request, platform: ThePlatform, user: Person) -> None:
    """One's own; ends one's other sessions."""
    await platform.identity.set_own_password(user, body.old, body.new, address_of(request))
