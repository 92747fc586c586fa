"""Who a request is from: every route but the two health probes and the callbacks asks here."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from trainyard.api.platform import Platform
from trainyard.errors import Unauthorized

_bearer = HTTPBearer(auto_error=False, description="The token that `trainyard up` generated, or a user's own")


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    name: str


def platform_of(request: Request) -> Platform:
    return request.app.state.platform


def require_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Raises Unauthorized. A job's callback token is no user's token."""
    if credentials is None:
        raise Unauthorized("This needs a token.", hint="Send `Authorization: Bearer …`; the CLI does it by itself.")
    expected = platform_of(request).settings.admin_token
    if not secrets.compare_digest(credentials.credentials.encode(), expected.encode()):
        raise Unauthorized("This token is not valid here.", hint="It is in secrets/token of the data folder.")
    return Principal("admin")


ThePlatform = Annotated[Platform, Depends(platform_of)]
User = Annotated[Principal, Depends(require_user)]
