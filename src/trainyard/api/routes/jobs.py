"""Jobs: submit, list, show, change, cancel, retry, resume, attach."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query, Response

from trainyard.api.access import ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.api.shapes import Attachment, JobOut, JobPage, JobWithMetrics
from trainyard.contract.vocabulary import State
from trainyard.db.tables import jobs as table
from trainyard.errors import Conflict
from trainyard.events import metrics
from trainyard.jobs import repository
from trainyard.jobs.model import Job
from trainyard.jobs.requests import ChangeJob, ResumeJob, RetryJob, SubmitJob

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(400, 401, 413, 415, 421, 422, 503))
JobId = Annotated[str, Path(max_length=60)]
ONE_STATE = f"({'|'.join(State)})"
STATES = f"^{ONE_STATE}(,{ONE_STATE})*$"
POSITION = r"^[0-9]{1,12}\.[0-9]{1,9}_[a-z0-9-]{1,40}$"
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key answers with the same job, however often it is sent",
    ),
]


def _out(platform: Platform, job: Job) -> JobOut:
    return JobOut.of(job, platform.settings.public_url or platform.settings.backend_url)


def _full(platform: Platform, jobs: list[Job]) -> list[JobWithMetrics]:
    with platform.database.read() as conn:
        found = metrics.summaries(conn, [job.id for job in jobs])
    base = platform.settings.public_url or platform.settings.backend_url
    return [
        JobWithMetrics.model_validate(JobOut.of(job, base).model_dump() | {"metrics": found[job.id]}) for job in jobs
    ]


@router.post("", status_code=201, responses={200: {"model": JobOut}, **responses(409, 501)})
def submit(
    request: SubmitJob, response: Response, platform: ThePlatform, _user: User, idempotency_key: Key = None
) -> JobOut:
    """Start a training. 201 with the new job; 200 with the known one where the Idempotency-Key was used before."""
    job, created = platform.jobs.submit(request, idempotency_key=idempotency_key)
    response.status_code = 201 if created else 200
    return _out(platform, job)


@router.get("")
def list_jobs(
    platform: ThePlatform,
    _user: User,
    state: Annotated[
        str | None, Query(description="One or several, separated by commas", pattern=STATES, max_length=100)
    ] = None,
    framework: Annotated[str | None, Query(max_length=60)] = None,
    dataset_id: Annotated[str | None, Query(max_length=64)] = None,
    project_id: Annotated[str | None, Query(max_length=64)] = None,
    parent_id: Annotated[str | None, Query(description="Retries and continuations of this job", max_length=60)] = None,
    tag: Annotated[str | None, Query(max_length=60)] = None,
    search: Annotated[str | None, Query(description="In the name, id or model", max_length=200)] = None,
    before: Annotated[str | None, Query(description="`next` of the page before", pattern=POSITION)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """Newest first."""
    conditions = [
        column == _plain(value)
        for column, value in (
            (table.c.framework, framework),
            (table.c.dataset_id, dataset_id),
            (table.c.project_id, project_id),
            (table.c.parent_id, parent_id),
        )
        if value is not None
    ]
    if state:
        conditions.append(table.c.state.in_(state.split(",")))
    if tag:
        conditions.append(sa.cast(table.c.tags, sa.Text).contains(f'"{_plain(tag)}"', autoescape=True))
    if search:
        columns = (table.c.name, table.c.id, table.c.model)
        conditions.append(sa.or_(*(column.icontains(_plain(search), autoescape=True) for column in columns)))
    with platform.database.read() as conn:
        found = repository.page(conn, conditions=conditions, before=_position(before), limit=limit + 1)
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return JobPage(items=_full(platform, shown), next=f"{last.created_at!r}_{last.id}" if last else None)


def _plain(text: str) -> str:
    """A NUL matches nothing, and PostgreSQL refuses it."""
    return text.replace("\0", "\ufffd")


def _position(before: str | None) -> tuple[float, str] | None:
    if before is None:
        return None
    at, _, job_id = before.partition("_")
    return float(at), job_id


@router.get("/{job_id}", responses=responses(404))
def show(job_id: JobId, platform: ThePlatform, _user: User) -> JobWithMetrics:
    return _full(platform, [platform.jobs.get(_plain(job_id))])[0]


@router.patch("/{job_id}", responses=responses(404))
def change(job_id: JobId, request: ChangeJob, platform: ThePlatform, _user: User) -> JobOut:
    """Name, tags, notes, and the priority among those that wait."""
    return _out(platform, platform.jobs.change(_plain(job_id), request))


@router.post("/{job_id}/cancel", responses=responses(404))
def cancel(job_id: JobId, platform: ThePlatform, _user: User) -> JobOut:
    """Ask it to stop. A job that has ended stays as it ended."""
    return _out(platform, platform.jobs.cancel(_plain(job_id)))


@router.post("/{job_id}/retry", status_code=201, responses={200: {"model": JobOut}, **responses(404, 409, 501)})
def retry(
    job_id: JobId,
    response: Response,
    platform: ThePlatform,
    _user: User,
    request: RetryJob | None = None,
    idempotency_key: Key = None,
) -> JobOut:
    """The same again as a new job, with this one as its parent; `params` may name parameters that are to differ."""
    job, created = platform.jobs.retry(_plain(job_id), request or RetryJob(), idempotency_key=idempotency_key)
    response.status_code = 201 if created else 200
    return _out(platform, job)


@router.post("/{job_id}/resume", status_code=201, responses={200: {"model": JobOut}, **responses(404, 409, 501)})
def resume(
    job_id: JobId,
    request: ResumeJob,
    response: Response,
    platform: ThePlatform,
    _user: User,
    idempotency_key: Key = None,
) -> JobOut:
    """Go on from one of its checkpoints as a new job, with this one as its parent; its message says what that means.

    An interrupted job goes on to its planned epochs. One that had them all needs `epochs`: a fresh schedule of so many.
    """
    job, created = platform.jobs.resume(_plain(job_id), request, idempotency_key=idempotency_key)
    response.status_code = 201 if created else 200
    return _out(platform, job)


@router.post("/{job_id}/attach", responses=responses(404, 409))
def attach(job_id: JobId, platform: ThePlatform, _user: User) -> Attachment:
    """What the terminal of an attached job starts, once it has its turn; ask again until `ready`."""
    job = platform.jobs.get(_plain(job_id))
    if not job.attached:
        raise Conflict(f"{job_id} is run by the backend, not by a terminal.")
    if job.state.is_terminal or job.cancel_requested_at is not None:
        raise Conflict(f"{job_id} has ended: {job.message}")
    if job.launched_at is None:
        return Attachment(ready=False, message=job.message)
    start = platform.launcher.attachment(job, platform.executors.get(job.execution))
    return Attachment(ready=True, message="", argv=start.argv, cwd=str(start.cwd), env=dict(start.env))
