"""The trainer calls back. Bodies are read and checked here by hand: the hottest path of the backend."""

import re
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from trainyard.api import failures
from trainyard.api.access import platform_of
from trainyard.api.failures import in_words, responses
from trainyard.callbacks.service import Call
from trainyard.contract.callbacks import Answer, Done, Event, Heartbeat
from trainyard.errors import InvalidInput, TrainyardError, Unauthorized

MODELS: dict[str, type[Call]] = {"heartbeat": Heartbeat, "event": Event, "done": Done}
CALLBACK = re.compile(rf"/v1/jobs/(?P<job_id>[^/]{{1,60}})/(?P<kind>{'|'.join(MODELS)})")
router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["callbacks"])
JobId = Annotated[str, Path(max_length=60)]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references: FastAPI collects definitions only of bodies that it reads itself."""
    match schema:
        case {"$ref": str(name)}:
            return _inlined(definitions[name.rsplit("/", 1)[-1]], definitions)
        case dict():
            named = cast("dict[str, Any]", schema)
            return {key: _inlined(value, definitions) for key, value in named.items() if key != "$defs"}
        case list():
            return [_inlined(value, definitions) for value in cast("list[Any]", schema)]
        case _:
            return schema


def _documented(model: type[Call]) -> dict[str, Any]:
    whole = model.model_json_schema()
    schema = _inlined(whole, whole.get("$defs", {}))
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"HTTPBearer": []}],
    }


async def _take(request: Request, job_id: str, model: type[Call]) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("A callback needs the job's token.")
    body = await request.body()
    try:
        call = model.model_validate_json(body)
    except ValidationError as error:
        problem = in_words(error.errors(include_url=False, include_input=False))
        raise InvalidInput(problem.message, field=problem.field) from None
    answer = await platform_of(request).callbacks.take(job_id, token, call)
    return Response(answer.model_dump_json(), media_type="application/json")


class Shortcut:
    """Answers callbacks before FastAPI's routing and dependency machinery, which costs more than all the rest.

    The routes below describe them, and answer the same way where this layer is left out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = CALLBACK.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await _take(request, found["job_id"], MODELS[found["kind"]])
        except TrainyardError as error:
            response = failures.of(error)
        except HTTPException as error:  # the body was over the limit
            response = failures.of_http(error)
        await response(scope, receive, send)


FAILURES = responses(400, 401, 403, 404, 413, 415, 421, 422, 503)


@router.post("/heartbeat", response_model=Answer, responses=FAILURES, openapi_extra=_documented(Heartbeat))
async def heartbeat(request: Request, job_id: JobId) -> Response:
    """It lives: each epoch with its metrics, and on a timer."""
    return await _take(request, job_id, Heartbeat)


@router.post("/event", response_model=Answer, responses=FAILURES, openapi_extra=_documented(Event))
async def event(request: Request, job_id: JobId) -> Response:
    """Something happened."""
    return await _take(request, job_id, Event)


@router.post("/done", response_model=Answer, responses=FAILURES, openapi_extra=_documented(Done))
async def done(request: Request, job_id: JobId) -> Response:
    """It ended, and how. Repeating it changes nothing."""
    return await _take(request, job_id, Done)
