"""Uploads in pieces, which go on after a broken connection; and datasets made of what is in the store already."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.api.shapes import DatasetOut
from trainyard.contract.keys import DATASET_ID_PATTERN, PROJECT_ID_PATTERN
from trainyard.datasets.imports import IMPORTS
from trainyard.datasets.uploads import PIECE_BYTES, Begun
from trainyard.identity.rights import Principal, Role
from trainyard.jobs.requests import Plain

router = APIRouter(prefix="/v1", tags=["datasets"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
IN_IMPORTS = rf"^{IMPORTS}[^\x00-\x1f\x7f]*$"
BELOW_IMPORTS = rf"^{IMPORTS}[^\x00-\x1f\x7f]+$"
PIECE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class BeginUpload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=200, pattern=Plain, description="Empty: the file's name")
    bytes: int = Field(ge=1, le=2**50, strict=True)
    project_id: str = Field("default", pattern=PROJECT_ID_PATTERN)
    dataset_id: str | None = Field(None, pattern=DATASET_ID_PATTERN)
    file_name: str = Field("", max_length=255, pattern=Plain)


class Upload(BaseModel):
    id: str
    name: str
    project_id: str
    user_id: str = Field(description="Who began it")
    offset: int = Field(description="So many bytes are here: go on there")
    bytes: int
    expires_at: float = Field(description="When it is dropped unless something more of it comes")

    @classmethod
    def of(cls, begun: Begun) -> "Upload":
        return cls(**{name: getattr(begun, name) for name in cls.model_fields})


class UploadList(BaseModel):
    items: list[Upload]


class RegisterPrefix(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(max_length=900, pattern=BELOW_IMPORTS, description=f"Below {IMPORTS} in the store")
    name: str = Field("", max_length=200, pattern=Plain, description="Empty: the prefix's last part")
    project_id: str = Field("default", pattern=PROJECT_ID_PATTERN)


class Prefixes(BaseModel):
    prefixes: list[str] = Field(description="One level below the one that was asked for, with a / at the end")
    pictures: int = Field(description="Below the one that was asked for")
    complete: bool = Field(description="False: there is more than was looked at")


def _found(upload_id: str, platform: Platform, user: Principal) -> Begun:
    """Raises NotFound also where it is of a project that is none of the user's."""
    begun = platform.resumable.show(upload_id)
    user.require(Role.MEMBER, begun.project_id, f"upload {upload_id}")
    return begun


@router.post("/uploads", status_code=201, responses=responses(409))
def begin(wanted: BeginUpload, platform: ThePlatform, user: User) -> Upload:
    """Then send it in pieces of at most 8 MiB with PATCH, and finish it. Where nothing comes for an hour it is dropped;
    where everything has come, a day later."""
    user.require(Role.MEMBER, wanted.project_id)
    return Upload.of(platform.resumable.begin(user_id=user.user_id, **wanted.model_dump()))


@router.get("/uploads")
def list_uploads(platform: ThePlatform, user: User) -> UploadList:
    """What is on its way in the projects that the caller may drop it in, whoever began it."""
    return UploadList(
        items=[Upload.of(begun) for begun in platform.resumable.open_ones() if user.may(Role.MEMBER, begun.project_id)]
    )


@router.get("/uploads/{upload_id}", responses=responses(404))
def how_far(upload_id: UploadId, platform: ThePlatform, user: User) -> Upload:
    return Upload.of(_found(upload_id, platform, user))


@router.patch("/uploads/{upload_id}", responses=responses(404, 409), openapi_extra=PIECE)
async def piece(
    upload_id: UploadId,
    request: Request,
    platform: ThePlatform,
    user: User,
    upload_offset: Annotated[int, Header(ge=0, le=2**50)],
) -> Upload:
    """Kept as a whole or not at all. 409 wrong_offset carries the right one: `details.offset`."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > PIECE_BYTES:
            break
    await asyncio.to_thread(_found, upload_id, platform, user)
    return Upload.of(await asyncio.to_thread(platform.resumable.append, upload_id, upload_offset, bytes(data)))


@router.post(
    "/uploads/{upload_id}/finish", status_code=201, responses={200: {"model": DatasetOut}, **responses(404, 409)}
)
async def finish(upload_id: UploadId, response: Response, platform: ThePlatform, user: User) -> DatasetOut:
    """Check the zip and keep it as a dataset: 201, or 200 where the very same is known. May be repeated."""
    await asyncio.to_thread(_found, upload_id, platform, user)
    work = partial(platform.resumable.finish, upload_id)
    dataset, new = await asyncio.get_running_loop().run_in_executor(platform.uploads, work)
    response.status_code = 201 if new else 200
    return DatasetOut.of(dataset, await asyncio.to_thread(platform.datasets.standing, dataset.id))


@router.delete("/uploads/{upload_id}", status_code=204, responses=responses(404))
def drop(upload_id: UploadId, platform: ThePlatform, user: User) -> Response:
    _found(upload_id, platform, user)
    platform.resumable.drop(upload_id)
    return Response(status_code=204)


@router.get("/store/prefixes")
def prefixes(
    platform: ThePlatform,
    user: User,
    prefix: Annotated[str, Query(max_length=900, pattern=IN_IMPORTS)] = IMPORTS,
    project_id: Annotated[str, Query(pattern=PROJECT_ID_PATTERN)] = "default",
) -> Prefixes:
    """What lies in the import area of the store, for whoever may make datasets of it."""
    user.require(Role.MEMBER, project_id)
    return Prefixes(**platform.imports.look(prefix))


@router.post("/datasets/register", status_code=201, responses={200: {"model": DatasetOut}, **responses(404, 409)})
async def register(wanted: RegisterPrefix, response: Response, platform: ThePlatform, user: User) -> DatasetOut:
    """Pictures that are in the store already, as a dataset of their own. One zip below the prefix is taken as it is."""
    user.require(Role.MEMBER, wanted.project_id)
    work = partial(platform.imports.register, wanted.prefix, wanted.name, wanted.project_id)
    dataset, new = await asyncio.get_running_loop().run_in_executor(platform.importing, work)
    response.status_code = 201 if new else 200
    return DatasetOut.of(dataset, await asyncio.to_thread(platform.datasets.standing, dataset.id))
