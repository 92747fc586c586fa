"""The code that jobs run on a cluster: sent by whoever has it, shown to whoever compares two runs."""

import asyncio
from pathlib import Path as File
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from trainyard.api.access import ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.api.shapes import CodeOut
from trainyard.contract.keys import CODE_HASH_PATTERN
from trainyard.datasets.spool import spool
from trainyard.db.tables import jobs
from trainyard.errors import InvalidInput, NotFound, TooLarge
from trainyard.executors.bundle import LARGEST_ARCHIVE, LARGEST_FILE, Bundle
from trainyard.identity.rights import Principal, Role
from trainyard.jobs import repository
from trainyard.jobs.surroundings import surroundings_of

router = APIRouter(prefix="/v1/code", tags=["code"], responses=responses(400, 401, 403, 421, 422, 503))
Hash = Annotated[
    str, Path(pattern=CODE_HASH_PATTERN, description="SHA-256 over path, mode and bytes of each file, sorted by path")
]
OfJob = Annotated[
    str | None, Query(max_length=60, description="A job of yours that ran it; only a local one must be named")
]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
    }
}
TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.put("/{hash}", responses=responses(413, 415), openapi_extra=BODY)
async def send(hash: Hash, request: Request, platform: ThePlatform, user: User) -> CodeOut:
    """A zip of the files, checked before it is kept. The same code may be sent again: it is kept once."""
    user.require_somewhere(Role.MEMBER)
    path = await spool(request.stream(), platform.settings.spool_dir, LARGEST_ARCHIVE)
    try:
        bundle = await asyncio.get_running_loop().run_in_executor(platform.uploads, _take, platform, hash, path)
    finally:
        path.unlink(missing_ok=True)
    return CodeOut.of(bundle)


def _take(platform: Platform, hash: str, path: File) -> Bundle:
    return platform.codes.take_archive(hash, path.read_bytes())


def _require_seen(platform: Platform, user: Principal, hash: str, job_id: str | None) -> None:
    """Code is seen by whoever sees a job that ran it. Raises NotFound."""
    if user.everywhere is not None:
        return
    with platform.database.read() as conn:
        if job_id is None:
            ran = sa.select(jobs.c.id).where(jobs.c.code_hash == hash, *user.visible(jobs.c.project_id)).limit(1)
            seen = conn.execute(ran).one_or_none() is not None
        else:
            wanted = job_id.replace("\0", "\ufffd")
            job = repository.find(conn, wanted)
            mine = job is not None and user.may(Role.VIEWER, job.project_id)
            seen = mine and surroundings_of(conn, wanted).code_hash == hash
    if not seen:
        raise NotFound(f"There is no code {hash}, or no job of yours ran it.")


@router.get("/{hash}", responses=responses(404))
def show(hash: Hash, platform: ThePlatform, user: User, job_id: OfJob = None) -> CodeOut:
    """Which files it is."""
    _require_seen(platform, user, hash, job_id)
    return CodeOut.of(platform.codes.get(hash))


@router.get("/{hash}/file", response_class=Response, responses={**TEXT, **responses(404, 413)})
def file(
    hash: Hash,
    platform: ThePlatform,
    user: User,
    path: Annotated[str, Query(min_length=1, max_length=4_096, description="As the list of files has it")],
    job_id: OfJob = None,
) -> Response:
    """The text of one of its files."""
    _require_seen(platform, user, hash, job_id)
    found = next((one for one in platform.codes.get(hash).files if one.path == path), None)
    if found is None:
        raise NotFound(f"There is no {path[:200]!r} in this code.", hint=f"GET /v1/code/{hash} lists its files.")
    if len(found.data) > LARGEST_FILE:
        raise TooLarge(f"{path[:200]} is larger than {LARGEST_FILE >> 20} MiB: too much to be shown.")
    try:
        text = found.data.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{path[:200]} is no text.", field="path") from None
    return Response(text, media_type="text/plain; charset=utf-8")
