"""Every failure as one shape of answer: {"error": {code, message, hint, field}}."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from trainyard.errors import TooManyTries, TrainyardError

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    code: str
    message: str
    hint: str = ""
    field: str | None = None
    details: dict[str, int | str] | None = Field(default=None, description="For machines; left out if none")


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures a route documents."""
    return {status: {"model": Failure} for status in statuses}


def answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    said = problem.model_dump(exclude={"details"} if problem.details is None else None)
    return JSONResponse({"error": said}, status_code=status, headers=headers)


def of(error: TrainyardError) -> JSONResponse:
    """What we said on purpose."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    if isinstance(error, TooManyTries):
        headers = {"Retry-After": str(error.retry_after)}
    if error.status >= 500:
        log.warning("answered %s: %s", error.status, error)
    problem = Problem(code=error.code, message=error.message, hint=error.hint, field=error.field, details=error.details)
    return answer(error.status, problem, headers)


def of_http(error: HTTPException) -> JSONResponse:
    """What the framework says: no such route, a body too large."""
    return answer(error.status_code, Problem(code="http", message=str(error.detail)), dict(error.headers or {}))


async def _expected(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TrainyardError)
    return of(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return answer(422, in_words(error.errors()))


def in_words(errors: Sequence[Any]) -> Problem:
    """The first thing wrong with a request, by the field's name."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    what = first["msg"].removeprefix("Value error, ")  # pydantic's name for what our own checks say
    return Problem(code="invalid_input", message=f"{where or 'The body'}: {what}", field=where or None)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return of_http(error)


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", exc_info=error)
    problem = Problem(code="internal", message="The backend failed at this.", hint="Its log holds the traceback.")
    return answer(500, problem)


def install(app: FastAPI) -> None:
    app.add_exception_handler(TrainyardError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
