"""A job's checkpoints: which there are, and the files."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from trainyard.api.access import JobViewer, ThePlatform
from trainyard.api.failures import responses
from trainyard.api.shapes import CheckpointList, CheckpointOut
from trainyard.contract.keys import CHECKPOINT_KIND_PATTERN

router = APIRouter(
    prefix="/v1/jobs/{job_id}/checkpoints", tags=["jobs"], responses=responses(400, 401, 403, 404, 421, 503)
)
JobId = Annotated[str, Path(max_length=60)]
Kind = Annotated[str, Path(pattern=CHECKPOINT_KIND_PATTERN, description="best, last or epoch-7")]
FILE = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("", responses=responses(422))
def list_checkpoints(job_id: JobId, platform: ThePlatform, _user: JobViewer) -> CheckpointList:
    """What lies in the store now: best, last, then those of single epochs."""
    found = platform.checkpoints.of(job_id.replace("\0", "\ufffd"))
    return CheckpointList(items=[CheckpointOut.of(checkpoint) for checkpoint in found])


@router.get("/{kind}", response_class=StreamingResponse, responses={**FILE, **responses(422)})
def download(job_id: JobId, kind: Kind, platform: ThePlatform, _user: JobViewer) -> StreamingResponse:
    """The file, for your own scripts."""
    file = platform.checkpoints.download(job_id.replace("\0", "\ufffd"), kind)
    headers = {
        "Content-Disposition": f'attachment; filename="{job_id}-{kind}.pt"',
        "Content-Length": str(file.object.size),
    }
    return StreamingResponse(file, media_type="application/octet-stream", headers=headers)
