"""Pretrained weights in the store: upload, list, remove."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from trainyard.api.access import Administrator, ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.shapes import WeightsList, WeightsOut
from trainyard.contract.keys import WEIGHTS_NAME_PATTERN
from trainyard.datasets.spool import spool

router = APIRouter(prefix="/v1/weights", tags=["weights"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
Name = Annotated[
    str, Path(pattern=WEIGHTS_NAME_PATTERN, description="model.pt, model.safetensors, model.zip …; -- stands for a /")
]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
    }
}


@router.get("")
def list_weights(platform: ThePlatform, _user: User) -> WeightsList:
    """What trainers find here before they ask a hub."""
    return WeightsList(items=[WeightsOut.of(one) for one in platform.weights.list()])


@router.put("/{name}", status_code=201, responses={200: {"model": WeightsOut}, **responses(409)}, openapi_extra=BODY)
async def add(
    name: Name,
    request: Request,
    response: Response,
    platform: ThePlatform,
    _user: Administrator,
    replace: Annotated[bool, Query(description="Take the place of weights of this name")] = False,
) -> WeightsOut:
    """The file is the body, as it is; it never is in memory. 200 where it replaced another one."""
    settings = platform.settings
    path = await spool(request.stream(), settings.spool_dir, settings.max_upload_mb * 2**20)
    try:
        keep = partial(platform.weights.add, name, path, replace=replace)
        weights, new = await asyncio.get_running_loop().run_in_executor(platform.uploads, keep)
    finally:
        path.unlink(missing_ok=True)
    response.status_code = 201 if new else 200
    return WeightsOut.of(weights)


@router.delete("/{name}", status_code=204, responses=responses(404))
def remove(name: Name, platform: ThePlatform, _user: Administrator) -> Response:
    """For jobs that start later; those that run have their copy."""
    platform.weights.remove(name)
    return Response(status_code=204)
