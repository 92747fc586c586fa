"""Validation pictures as a job saw them, epoch by epoch: what its trainer told in `sample` events, and the pictures."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import ValidationError

from trainyard.api.access import JobViewer, ThePlatform
from trainyard.api.failures import responses
from trainyard.api.shapes import SampleEpoch, SamplePicture, SamplesOfJob, SampleTold
from trainyard.contract.keys import sample_key
from trainyard.errors import NotFound
from trainyard.events import log as events
from trainyard.jobs import repository

router = APIRouter(
    prefix="/v1/jobs/{job_id}/samples", tags=["observe"], responses=responses(400, 401, 403, 404, 421, 503)
)
JobId = Annotated[str, Path(max_length=60)]
MOST_PICTURES = 2_000
MOST_BYTES = 2**20
JPEG = {200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("", responses=responses(422))
def samples_of_job(job_id: JobId, platform: ThePlatform, _user: JobViewer) -> SamplesOfJob:
    """By epoch, oldest first: truth, findings and picture; of very long jobs the newest 2,000 pictures."""
    job_id = job_id.replace("\0", "\ufffd")
    with platform.database.read() as conn:
        repository.get(conn, job_id)
        entries = events.of_job(conn, job_id, only=["sample"], newest=True, limit=MOST_PICTURES)
    base = f"{platform.settings.public_url or platform.settings.backend_url}/v1/jobs/{job_id}/samples"
    epochs: dict[int, dict[int, SamplePicture]] = {}
    for told in _told(entries):
        # the address is made of numbers: the key that the trainer sent leads nowhere
        epochs.setdefault(told.epoch, {})[told.index] = SamplePicture(
            index=told.index,
            url=f"{base}/{told.epoch}/{told.index}.jpg",
            plain_url=f"{base}/0/{told.index}.jpg" if told.plain else None,
            truth=told.truth,
            found=told.found,
        )
    return SamplesOfJob(
        epochs=[
            SampleEpoch(epoch=epoch, items=[items[index] for index in sorted(items)])
            for epoch, items in sorted(epochs.items())
        ]
    )


def _told(entries: Iterable[events.Entry]) -> Iterable[SampleTold]:
    """What is not told as the contract says is left out: a trainer may be anybody's."""
    for entry in entries:
        try:
            yield SampleTold.model_validate(entry.data)
        except ValidationError:
            continue


@router.get("/{epoch}/{index}.jpg", response_class=Response, responses={**JPEG, **responses(422)})
def picture(
    job_id: JobId,
    epoch: Annotated[int, Path(ge=0, le=10**9, description="0: as they are, nothing drawn on them")],
    index: Annotated[int, Path(ge=0, le=10**6)],
    platform: ThePlatform,
    _user: JobViewer,
) -> Response:
    """One picture as a JPEG."""
    job = platform.jobs.get(job_id.replace("\0", "\ufffd"))
    file = platform.store.open_read(sample_key(job.id, epoch, index))
    if file.object.size > MOST_BYTES:
        file.close()
        raise NotFound(f"{file.object.key} is larger than 1 MiB: that is no sample picture.")
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(b"".join(file), media_type="image/jpeg", headers=headers)
