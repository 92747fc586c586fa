"""What a job's run found around it: code, image, dataset, packages, variables."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from trainyard.api.access import JobViewer, ThePlatform
from trainyard.api.failures import responses
from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution
from trainyard.jobs.surroundings import Surroundings, surroundings_of

router = APIRouter(prefix="/v1/jobs", tags=["observe"], responses=responses(400, 401, 403, 421, 422, 503))


class SurroundingsOut(BaseModel):
    """Of its newest attempt. Empty: neither noted at its launch nor told by its trainer."""

    job_id: str
    execution: Execution
    attempt: int
    code_hash: str | None = Field(description="Of the code it was started with, as bundles are hashed")
    image: str | None
    dataset_id: str | None
    dataset_sha256: str | None = Field(description="Of the dataset as it was when the run was launched")
    gpus: int | None
    resources: Resources = Field(description="What was asked of a cluster")
    environment: dict[str, Any] | None = Field(
        description="The data of its trainer's event `environment`: python, packages, variables … No secrets"
    )

    @classmethod
    def of(cls, found: Surroundings) -> "SurroundingsOut":
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


@router.get("/{job_id}/surroundings", responses=responses(404))
def surroundings(
    job_id: Annotated[str, Path(max_length=60)], platform: ThePlatform, _user: JobViewer
) -> SurroundingsOut:
    """What its run was started with and found around it; parts that nobody told are empty."""
    with platform.database.read() as conn:
        return SurroundingsOut.of(surroundings_of(conn, job_id.replace("\0", "\ufffd")))
