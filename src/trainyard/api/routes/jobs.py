"""Jobs: submit, show, change, cancel, retry, resume, attach."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from trainyard.api.access import Administrator, JobMember, JobViewer, ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.full_jobs import brief, full
from trainyard.api.platform import Platform
from trainyard.api.shapes import Attachment, JobOut, JobWithMetrics
from trainyard.contract.vocabulary import Execution
from trainyard.errors import Conflict
from trainyard.identity.rights import Principal, Role
from trainyard.jobs.foreign_code import require_own_code
from trainyard.jobs.requests import ChangeJob, ResumeJob, RetryJob, SubmitJob

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
JobId = Annotated[str, Path(max_length=60)]
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


@router.post("", status_code=201, responses={200: {"model": JobOut}, **responses(409, 501)})
def submit(
    request: SubmitJob, response: Response, platform: ThePlatform, user: User, idempotency_key: Key = None
) -> JobOut:
    """Start a training. 201 with the new job; 200 with the known one where the Idempotency-Key was used before."""
    user.require(Role.MEMBER, request.project_id)
    tier = request.execution or platform.settings.execution_mode
    if request.attached or (request.script is not None and (tier is Execution.LOCAL or request.code is None)):
        user.require_administrator()  # it may name any path of the backend's machine, and runs as its user
    job, created = platform.jobs.submit(request, idempotency_key=idempotency_key, by=user.name)
    response.status_code = 201 if created else 200
    return brief(platform, job)


def _plain(text: str) -> str:
    """A NUL matches nothing, and PostgreSQL refuses it."""
    return text.replace("\0", "\ufffd")


def _require_code_for(platform: Platform, user: Principal, job_id: str, wanted: Execution | None) -> None:
    """Who lets a job go on as this backend's user. Raises Forbidden, NotFound."""
    if user.administrator:
        return
    if (wanted or platform.jobs.get(job_id).execution) is Execution.LOCAL:
        require_own_code(platform.database, platform.catalog, job_id)


@router.get("/{job_id}", responses=responses(404))
def show(job_id: JobId, platform: ThePlatform, _user: JobViewer) -> JobWithMetrics:
    return full(platform, [platform.jobs.get(_plain(job_id))])[0]


@router.patch("/{job_id}", responses=responses(404))
def change(job_id: JobId, request: ChangeJob, platform: ThePlatform, user: JobMember) -> JobOut:
    """Name, tags, notes, and the priority among those that wait."""
    return brief(platform, platform.jobs.change(_plain(job_id), request, by=user.name))


@router.post("/{job_id}/cancel", responses=responses(404))
def cancel(job_id: JobId, platform: ThePlatform, user: JobMember) -> JobOut:
    """Ask it to stop. A job that has ended stays as it ended."""
    return brief(platform, platform.jobs.cancel(_plain(job_id), by=user.name))


@router.post("/{job_id}/retry", status_code=201, responses={200: {"model": JobOut}, **responses(404, 409, 501)})
def retry(
    job_id: JobId,
    response: Response,
    platform: ThePlatform,
    user: JobMember,
    request: RetryJob | None = None,
    idempotency_key: Key = None,
) -> JobOut:
    """The same again as a new job, with this one as its parent; `params` may name parameters that are to differ."""
    wanted = request or RetryJob()
    _require_code_for(platform, user, _plain(job_id), wanted.execution)
    job, created = platform.jobs.retry(_plain(job_id), wanted, idempotency_key=idempotency_key, by=user.name)
    response.status_code = 201 if created else 200
    return brief(platform, job)


@router.post("/{job_id}/resume", status_code=201, responses={200: {"model": JobOut}, **responses(404, 409, 501)})
def resume(
    job_id: JobId,
    request: ResumeJob,
    response: Response,
    platform: ThePlatform,
    user: JobMember,
    idempotency_key: Key = None,
) -> JobOut:
    """Go on from one of its checkpoints as a new job, with this one as its parent; its message says what that means.

    An interrupted job goes on to its planned epochs. One that had them all needs `epochs`: a fresh schedule of so many.
    What ran code of its own, sent with it, goes on locally for an administrator only.
    """
    _require_code_for(platform, user, _plain(job_id), request.execution)
    job, created = platform.jobs.resume(_plain(job_id), request, idempotency_key=idempotency_key, by=user.name)
    response.status_code = 201 if created else 200
    return brief(platform, job)


@router.post("/{job_id}/attach", responses=responses(404, 409))
def attach(job_id: JobId, platform: ThePlatform, _user: Administrator) -> Attachment:
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
