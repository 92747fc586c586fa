"""Datasets: upload, list, show, download, remove."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from trainyard.api.access import DatasetAdmin, DatasetViewer, ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.shapes import DatasetList, DatasetOut, SampleList, SampleOut
from trainyard.contract.keys import DATASET_ID_PATTERN, PROJECT_ID_PATTERN
from trainyard.datasets.model import Standing
from trainyard.datasets.spool import spool
from trainyard.identity.rights import Role
from trainyard.jobs.requests import Plain

router = APIRouter(
    prefix="/v1/datasets", tags=["datasets"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503)
)
DatasetId = Annotated[str, Path(max_length=64)]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201, responses={200: {"model": DatasetOut}, **responses(409)}, openapi_extra=BODY)
async def upload(
    request: Request,
    response: Response,
    platform: ThePlatform,
    user: User,
    name: Annotated[str, Query(max_length=200, pattern=Plain)] = "",
    dataset_id: Annotated[str | None, Query(pattern=DATASET_ID_PATTERN)] = None,
    project_id: Annotated[str, Query(pattern=PROJECT_ID_PATTERN)] = "default",
) -> DatasetOut:
    """The zip is the body, as it is. It is checked before anything is kept; it never is in memory. 200: known."""
    user.require(Role.MEMBER, project_id)
    settings = platform.settings
    path = await spool(request.stream(), settings.spool_dir, settings.max_upload_mb * 2**20)
    try:
        add = partial(platform.datasets.add, project_id, name or None, path, dataset_id)
        dataset, new = await asyncio.get_running_loop().run_in_executor(platform.uploads, add)
    finally:
        path.unlink(missing_ok=True)
    response.status_code = 201 if new else 200
    return DatasetOut.of(dataset, await asyncio.to_thread(platform.datasets.standing, dataset.id))


@router.get("")
def list_datasets(
    platform: ThePlatform, user: User, project_id: Annotated[str | None, Query(max_length=64)] = None
) -> DatasetList:
    standings = platform.datasets.standings()
    return DatasetList(
        items=[
            DatasetOut.of(dataset, standings.get(dataset.id, Standing()))
            for dataset in platform.datasets.list(project_id)
            if user.may(Role.VIEWER, dataset.project_id)
        ]
    )


@router.get("/{dataset_id}", responses=responses(404))
def show(dataset_id: DatasetId, platform: ThePlatform, _user: DatasetViewer) -> DatasetOut:
    dataset = platform.datasets.show(dataset_id.replace("\0", "\ufffd"))
    return DatasetOut.of(dataset, platform.datasets.standing(dataset.id))


@router.get(
    "/{dataset_id}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **responses(404)},
)
def download(dataset_id: DatasetId, platform: ThePlatform, _user: DatasetViewer) -> StreamingResponse:
    """The zip as trainers get it: as it was uploaded, and with labels added where it was COCO."""
    dataset = platform.datasets.show(dataset_id.replace("\0", "\ufffd"))
    headers = {"Content-Disposition": f'attachment; filename="{dataset.id}.zip"'}
    return StreamingResponse(platform.datasets.download(dataset.id), media_type="application/zip", headers=headers)


@router.delete("/{dataset_id}", status_code=204, responses=responses(404, 409))
def remove(dataset_id: DatasetId, platform: ThePlatform, _user: DatasetAdmin) -> Response:
    """Refused while a job that has not ended uses it."""
    platform.datasets.remove(dataset_id.replace("\0", "\ufffd"))
    return Response(status_code=204)


samples = APIRouter(
    prefix="/v1/samples", tags=["datasets"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503)
)


@samples.get("")
def list_samples(platform: ThePlatform, _user: User) -> SampleList:
    """Datasets that need no upload."""
    return SampleList(
        items=[SampleOut(id=known.id, title=known.title, trainer=known.trainer) for known in platform.samples.all()]
    )


@samples.post("/{sample_id}", status_code=201, responses=responses(404, 409))
def load_sample(
    sample_id: Annotated[str, Path(pattern=DATASET_ID_PATTERN)],
    platform: ThePlatform,
    user: User,
    project_id: Annotated[str, Query(pattern=PROJECT_ID_PATTERN)] = "default",
) -> DatasetOut:
    """Make a sample and keep it as a dataset. May first make its trainer's environment; `preparing` events tell."""
    user.require(Role.MEMBER, project_id)
    dataset = platform.samples.load(sample_id, project_id)
    return DatasetOut.of(dataset, platform.datasets.standing(dataset.id))
