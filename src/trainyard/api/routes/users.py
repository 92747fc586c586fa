"""Users of this installation: for administrators only."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import HandingOut, ThePlatform
from trainyard.api.failures import responses
from trainyard.identity.users import NAME_PATTERN, UserRow

router = APIRouter(prefix="/v1/users", tags=["identity"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
Password = Annotated[str, Field(min_length=10, max_length=200, description="At most 200 bytes")]


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME_PATTERN)
    password: Password | None = Field(
        None, description="Without one they sign in by a link, and may set one", repr=False
    )
    administrator: bool = False


class ChangeUser(BaseModel):
    """What is null stays."""

    model_config = ConfigDict(extra="forbid")

    disabled: bool | None = None
    password: Password | None = Field(None, repr=False)
    administrator: bool | None = None


class UserOut(BaseModel):
    id: str
    name: str
    administrator: bool
    disabled: bool
    has_password: bool
    created_at: float
    seen_at: float | None = Field(description="To the minute, while signed in")

    @classmethod
    def of(cls, row: UserRow) -> "UserOut":
        return cls(
            id=row.id,
            name=row.name,
            administrator=row.administrator,
            disabled=row.disabled_at is not None,
            has_password=row.password is not None,
            created_at=row.created_at,
            seen_at=row.seen_at,
        )


class UserList(BaseModel):
    items: list[UserOut]


@router.get("")
def list_users(platform: ThePlatform, _user: HandingOut) -> UserList:
    return UserList(items=[UserOut.of(row) for row in platform.identity.everyone()])


@router.post("", status_code=201, responses=responses(409, 429))
async def add_user(body: NewUser, platform: ThePlatform, _user: HandingOut) -> UserOut:
    """In no project yet; PUT /v1/projects/{project_id}/members/{name} puts them into one."""
    return UserOut.of(await platform.identity.add_user(body.name, body.password, body.administrator))


@router.patch("/{user_id}", responses=responses(404, 429))
async def change_user(
    user_id: Annotated[str, Path(max_length=40)], body: ChangeUser, platform: ThePlatform, user: HandingOut
) -> UserOut:
    """Disabling ends all their sessions and holds up their tokens at once; a new password ends all their sessions."""
    changed = await platform.identity.change_user(
        user, user_id, disabled=body.disabled, password=body.password, administrator=body.administrator
    )
    return UserOut.of(changed)
