"""One's own API tokens, for scripts and other machines."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import Person, ThePlatform, User
from trainyard.api.failures import responses
from trainyard.contract.keys import PROJECT_ID_PATTERN
from trainyard.identity.rights import Role
from trainyard.identity.tokens import ApiToken
from trainyard.jobs.requests import Plain

router = APIRouter(prefix="/v1/tokens", tags=["identity"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))


class NewToken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, pattern=Plain, description="What it is for")
    project_id: Annotated[str, Field(pattern=PROJECT_ID_PATTERN)] | None = Field(None, description="null: all of yours")
    role: Role | None = Field(None, description="At most this one; null: yours")
    days: Annotated[int, Field(ge=1, le=3650)] | None = Field(None, description="null: until it is revoked")


class TokenOut(BaseModel):
    id: str
    name: str
    prefix: str = Field(description="How it begins")
    project_id: str | None
    role: Role | None
    created_at: float
    last_used_at: float | None = Field(description="To the minute")
    expires_at: float | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOut":
        return cls(**{name: getattr(token, name) for name in cls.model_fields})


class MadeToken(TokenOut):
    token: str = Field(description="The token itself, shown this once")


class TokenList(BaseModel):
    items: list[TokenOut]


@router.get("")
def list_tokens(platform: ThePlatform, user: User) -> TokenList:
    return TokenList(items=[TokenOut.of(token) for token in platform.identity.tokens_of(user.user_id)])


@router.post("", status_code=201, responses=responses(404, 409))
def add_token(body: NewToken, platform: ThePlatform, user: Person) -> MadeToken:
    """It may never more than you may: what is taken from you is taken from it."""
    made, text = platform.identity.add_token(user, body.name, body.project_id, body.role, body.days)
    return MadeToken(**TokenOut.of(made).model_dump(), token=text)


@router.delete("/{token_id}", status_code=204, responses=responses(404))
def revoke_token(token_id: Annotated[str, Path(max_length=40)], platform: ThePlatform, user: Person) -> None:
    """At once, in streams that are open too."""
    platform.identity.revoke_token(user, token_id)
