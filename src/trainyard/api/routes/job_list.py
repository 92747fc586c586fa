"""Many jobs at once: the list, what to filter it by, the same as CSV, and cancelling several."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from trainyard.api.access import ThePlatform, User
from trainyard.api.csv_export import as_csv
from trainyard.api.failures import responses
from trainyard.api.full_jobs import full
from trainyard.api.shapes import JobPage
from trainyard.contract.vocabulary import Execution, State
from trainyard.errors import TrainyardError
from trainyard.identity.rights import Role
from trainyard.jobs import listing, repository
from trainyard.jobs.listing import Best, Filters, Order, Sort

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(400, 401, 403, 421, 422, 503))
CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
MOST_OFFSET = 10_000_000
POSITION = r"^[0-9]{1,12}\.[0-9]{1,9}_[a-z0-9-]{1,40}$"


def _some_of(words: type[State] | type[Execution]) -> str:
    one = f"({'|'.join(words)})"
    return f"^{one}(,{one})*$"


def _filters(
    user: User,
    state: Annotated[
        str | None, Query(description="One or several, separated by commas", pattern=_some_of(State), max_length=100)
    ] = None,
    framework: Annotated[str | None, Query(description="One or several", max_length=600)] = None,
    dataset_id: Annotated[str | None, Query(description="One or several", max_length=2_000)] = None,
    execution: Annotated[
        str | None, Query(description="One or several", pattern=_some_of(Execution), max_length=60)
    ] = None,
    project_id: Annotated[str | None, Query(max_length=64)] = None,
    parent_id: Annotated[str | None, Query(description="Retries and continuations of this job", max_length=60)] = None,
    tag: Annotated[str | None, Query(max_length=60)] = None,
    search: Annotated[str | None, Query(description="In the name, id or model", max_length=200)] = None,
    before: Annotated[
        str | None, Query(description="`next` of the page before: only older jobs", pattern=POSITION)
    ] = None,
) -> Filters:
    return Filters(
        states=_listed(state),
        frameworks=_listed(framework),
        dataset_ids=_listed(dataset_id),
        executions=_listed(execution),
        project_id=_plain(project_id),
        projects=user.projects,
        parent_id=_plain(parent_id),
        tag=_plain(tag),
        search=_plain(search),
        before=_position(before),
    )


def _order(
    sort: Annotated[Sort, Query(description="`metric` needs `metric`, and is `created` without")] = Sort.CREATED,
    order: Annotated[Literal["asc", "desc"], Query(description="What has no value comes last in both")] = "desc",
    metric: Annotated[str | None, Query(description="The one to sort by", max_length=200)] = None,
    best: Annotated[Best, Query(description="Which of the metric's values counts")] = Best.LAST,
) -> Order:
    return Order(sort, order == "desc", _plain(metric), best)


Chosen = Annotated[Filters, Depends(_filters)]
Sorted = Annotated[Order, Depends(_order)]


def _plain(text: str | None) -> str | None:
    """A NUL matches nothing, and PostgreSQL refuses it."""
    return None if text is None else text.replace("\0", "\ufffd")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple((_plain(text) or "").split(",")) if text is not None else ()


def _position(before: str | None) -> tuple[float, str] | None:
    if before is None:
        return None
    at, _, job_id = before.partition("_")
    return float(at), job_id


@router.get("")
def list_jobs(
    platform: ThePlatform,
    _user: User,
    chosen: Chosen,
    order: Sorted,
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET, description="So many are passed over")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """Newest first, unless `sort` says otherwise. Page by `offset`, or, where jobs come meanwhile, by `before`."""
    with platform.database.read() as conn:
        ids = listing.find_ids(conn, chosen, order, limit=limit + 1, offset=offset)
        found = repository.load(conn, ids[:limit])
        total = listing.count(conn, chosen)
    last = found[-1] if len(ids) > limit and order == Order() else None
    return JobPage(
        items=full(platform, found), total=total, next=f"{last.created_at!r}_{last.id}" if last is not None else None
    )


class JobFacets(BaseModel):
    """What there is to filter by: each value, and how many jobs have it."""

    states: dict[State, int]
    frameworks: dict[str, int]
    datasets: dict[str, int] = Field(description="By dataset id")
    executions: dict[Execution, int]
    tags: dict[str, int]
    metrics: list[str] = Field(description="Names of metrics that the newest jobs have")


@router.get("/facets")
def facets(
    platform: ThePlatform, user: User, project_id: Annotated[str | None, Query(max_length=64)] = None
) -> JobFacets:
    with platform.database.read() as conn:
        found = listing.facets(conn, Filters(project_id=_plain(project_id), projects=user.projects))
    return JobFacets.model_validate(found, from_attributes=True)


@router.get("/export", response_class=StreamingResponse, responses={**CSV})
def export(platform: ThePlatform, _user: User, chosen: Chosen, order: Sorted) -> StreamingResponse:
    """All jobs of the list as CSV, one column for each metric's last value; Excel opens it as it is."""
    name = time.strftime("trainyard-jobs-%Y%m%d-%H%M%S.csv", time.gmtime())
    return StreamingResponse(
        as_csv(platform.database, chosen, order),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class CancelJobs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[str, StringConstraints(min_length=1, max_length=60)]] = Field(max_length=200)


class Cancelled(BaseModel):
    id: str
    ok: bool = Field(description="It was asked to stop, or had ended before")
    message: str


class CancelledJobs(BaseModel):
    items: list[Cancelled]


@router.post("/cancel", responses=responses(413, 415))
def cancel_jobs(request: CancelJobs, platform: ThePlatform, user: User) -> CancelledJobs:
    """Ask each of them to stop; one that can't be asked keeps no other from it. Repeating it is harmless."""

    def one(job_id: str) -> Cancelled:
        try:
            wanted = job_id.replace("\0", "\ufffd")
            user.require(Role.MEMBER, platform.jobs.get(wanted).project_id, f"job {wanted}")
            job = platform.jobs.cancel(wanted, by=user.name)
        except TrainyardError as error:
            return Cancelled(id=job_id, ok=False, message=str(error))
        told = f"It had ended: {job.state}." if job.state.is_terminal else "It was asked to stop."
        return Cancelled(id=job_id, ok=True, message="Cancelled." if job.state is State.CANCELLED else told)

    return CancelledJobs(items=[one(job_id) for job_id in dict.fromkeys(request.ids)])
