"""What a job's run used of its machine: CPU, memory, disk and GPUs over time."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from trainyard.api.access import JobViewer, ThePlatform
from trainyard.api.failures import responses

router = APIRouter(prefix="/v1/jobs", tags=["observe"], responses=responses(400, 401, 403, 421, 422, 503))


class UsageLimits(BaseModel):
    """The most there is for it; empty: nobody knows."""

    cpus: float | None
    memory_bytes: int | None


class UsageOut(BaseModel):
    """Sampled from outside, by what runs it; of the trainer and all processes it started."""

    every: float = Field(description="Seconds between two samples; it grows with the length of a run")
    at: list[float]
    series: dict[str, list[float | None]] = Field(
        description="cpu_percent (100: one CPU), memory_bytes (RSS), disk_read_bytes_s, disk_written_bytes_s, and "
        "gpu0_percent and gpu0_memory_bytes for each GPU; a value for each time"
    )
    limits: UsageLimits
    note: str = Field(description="Why there is nothing; empty where there is")


@router.get("/{job_id}/usage", responses=responses(404))
def usage(
    job_id: Annotated[str, Path(max_length=60)],
    platform: ThePlatform,
    _user: JobViewer,
    after: Annotated[float, Query(ge=0, le=10**11, description="Only later samples")] = 0,
) -> UsageOut:
    """Of all its attempts, one after the other."""
    found = platform.usage.of_job(job_id.replace("\0", "\ufffd"), after)
    return UsageOut.model_validate(found, from_attributes=True)
