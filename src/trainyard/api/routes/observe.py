"""Watching a job: its metrics, its log, what happened and why; and the live stream of everything."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import StringConstraints

from trainyard.api.access import JobViewer, ThePlatform, User, while_allowed
from trainyard.api.failures import responses
from trainyard.api.joblog import JobLog
from trainyard.api.platform import Platform
from trainyard.api.shapes import Curves, EventOut, EventPage, ExplanationOut
from trainyard.contract.manifest import Parameter
from trainyard.errors import InvalidInput, TrainyardError
from trainyard.events import log as events
from trainyard.events import metrics
from trainyard.identity.rights import Role
from trainyard.jobs import repository
from trainyard.jobs.explain import explain, wants_log
from trainyard.jobs.model import Job

router = APIRouter(prefix="/v1", tags=["observe"], responses=responses(400, 401, 403, 421, 422, 503))
JobId = Annotated[str, Path(max_length=60)]
EventType = Annotated[str, StringConstraints(max_length=110, pattern=r"^[A-Za-z0-9_.\-]+$")]
STREAM = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
MAX_POINTS = 100_000
LAST_WORDS = 4_096  # bytes of a log that are looked through for an explanation
NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


@router.get("/jobs/{job_id}/metrics", responses=responses(404))
def curves(
    job_id: JobId,
    platform: ThePlatform,
    _user: JobViewer,
    name: Annotated[list[str] | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS, description="Points a series, the newest")] = 10_000,
) -> Curves:
    """Every series of a job, or those named."""
    with platform.database.read() as conn:
        repository.get(conn, job_id.replace("\0", "\ufffd"))
        wanted = [item.replace("\0", "\ufffd") for item in name or []]
        return Curves.model_validate({"curves": metrics.curves(conn, job_id, wanted, limit)})


@router.get("/jobs/{job_id}/explanation", responses=responses(404))
def explanation(job_id: JobId, platform: ThePlatform, _user: JobViewer) -> ExplanationOut:
    """Why a job is as it is: what happened, the lines that show it, what to do and, where it helps, what to start."""
    with platform.database.read() as conn:
        job = repository.get(conn, job_id.replace("\0", "\ufffd"))
        found = metrics.summaries(conn, [job.id])[job.id]
    lost = {name: summary["last"] for name, summary in found.items() if summary["last"] in NO_NUMBERS}
    log = _last_words(platform, job) if wants_log(job) else ""
    return ExplanationOut.of(job.id, explain(job, _parameters(platform, job), lost, log))


def _last_words(platform: Platform, job: Job) -> str:
    """Empty where the log is away: the rest is explained all the same."""
    with suppress(TrainyardError):
        return JobLog(platform, job.id).read(0, 1, tail=LAST_WORDS).text
    return ""


def _parameters(platform: Platform, job: Job) -> dict[str, Parameter]:
    """What its trainer declares; none where that is gone or broken by now."""
    with suppress(TrainyardError):
        return platform.catalog.manifest(job.framework).params
    return {}


@router.get("/jobs/{job_id}/events", responses=responses(404))
def job_events(
    job_id: JobId,
    platform: ThePlatform,
    _user: JobViewer,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    type: Annotated[list[EventType] | None, Query(description="Only these types", max_length=50)] = None,
    without: Annotated[list[EventType] | None, Query(description="All types but these", max_length=50)] = None,
    newest: Annotated[bool, Query(description="The newest so many instead of the first, still in order")] = False,
) -> EventPage:
    """What happened to a job, in order; give the last id as `after` for more."""
    with platform.database.read() as conn:
        repository.get(conn, job_id.replace("\0", "\ufffd"))
        found = events.of_job(
            conn, job_id, after=after, only=type or (), without=without or (), newest=newest, limit=limit
        )
        return EventPage(items=[EventOut.of(entry) for entry in found])


@router.get("/events", response_class=StreamingResponse, responses={**STREAM})
async def stream(
    request: Request,
    platform: ThePlatform,
    user: User,
    job_id: Annotated[str | None, Query(max_length=60)] = None,
    project_id: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="For clients that can't send headers")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
) -> StreamingResponse:
    """Server-sent events: from now on, or from where Last-Event-ID left off, without a gap. Of the caller's projects;
    it ends when these change, and whoever still may see some comes back."""
    last = _last_id(last_event_id, after)
    nul = "\ufffd"
    frames = platform.hub.stream(
        last,
        job_id.replace("\0", nul) if job_id else None,
        project_id.replace("\0", nul) if project_id else None,
        user.projects,
    )
    frames = while_allowed(frames, request, lambda now: now.projects == user.projects)
    return StreamingResponse(frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _last_id(header: str | None, after: int | None) -> int | None:
    if header is None:
        return after
    if not (header.isascii() and header.isdigit()) or int(header) > 2**53:
        raise InvalidInput("Last-Event-ID is not an id of this stream.", field="Last-Event-ID")
    return int(header)


@router.get("/jobs/{job_id}/log", response_class=Response, responses={**TEXT, **responses(404)})
async def log_range(
    job_id: JobId,
    platform: ThePlatform,
    _user: JobViewer,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=8 * 2**20, description="Bytes")] = 2**20,
    tail: Annotated[int | None, Query(ge=1, le=8 * 2**20, description="Bytes from the end instead")] = None,
) -> Response:
    """Part of a job's log. X-Next-Offset is where to go on; X-Log-Complete says whether more may come."""
    log = await asyncio.to_thread(JobLog.open, platform, job_id.replace("\0", "\ufffd"))
    part = await asyncio.to_thread(log.read, offset, limit, tail)
    headers = {"X-Next-Offset": str(part.next_offset), "X-Log-Complete": "true" if part.complete else "false"}
    return Response(part.text, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/jobs/{job_id}/log/stream", response_class=StreamingResponse, responses={**STREAM, **responses(404)})
async def log_stream(
    request: Request,
    job_id: JobId,
    platform: ThePlatform,
    _user: JobViewer,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
) -> StreamingResponse:
    """The log as it grows: each event's id is the offset after it, its data the text as a JSON string."""
    log = await asyncio.to_thread(JobLog.open, platform, job_id.replace("\0", "\ufffd"))
    start = _last_id(last_event_id, offset) or 0

    async def frames() -> AsyncGenerator[bytes]:
        async for piece in log.follow(start):
            if await request.is_disconnected():
                return
            yield piece

    job = await asyncio.to_thread(platform.jobs.get, job_id.replace("\0", "\ufffd"))
    allowed = while_allowed(frames(), request, lambda now: now.may(Role.VIEWER, job.project_id))
    return StreamingResponse(allowed, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
