"""What a run ran with: noted when it is launched (code, dataset), and told by its trainer (the event `environment`)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Execution
from trainyard.db.tables import datasets
from trainyard.errors import TrainyardError
from trainyard.events import log as events
from trainyard.events.log import Entry
from trainyard.executors.bundle import Bundle
from trainyard.executors.kubernetes.program import collect
from trainyard.images.names import with_tag
from trainyard.images.record import read_built
from trainyard.jobs import repository
from trainyard.jobs.model import Job
from trainyard.settings import Settings

log = logging.getLogger(__name__)
TOLD = "environment"  # the event's type
NOTED = "launched"  # the event of ours that bears the notes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of a job's newest attempt; empty is what was neither noted nor told."""

    job_id: str
    execution: Execution
    attempt: int
    code_hash: str | None
    image: str | None
    dataset_id: str | None
    dataset_sha256: str | None
    gpus: int | None
    resources: Resources
    environment: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Code:
    """What a run starts with now: its hash (None where nobody can tell), and itself where it is kept nowhere yet."""

    hash: str | None
    bundle: Bundle | None = field(default=None, repr=False)


def code_of(settings: Settings, job: Job) -> Code:
    """Reads files, never raises."""
    if job.code_hash is not None:
        return Code(job.code_hash)
    try:
        if job.execution is Execution.IMAGE:
            return Code(_code_in_image(settings, job))
        script = Path(job.script) if job.script else None
        bundle = collect(settings.trainers_dir / f"trainer-{job.framework}", script)[0]
        return Code(bundle.hash, bundle)
    except (TrainyardError, OSError) as error:
        log.warning("the code's hash is not known: %s", error, extra={"job_id": job.id, "trace_id": job.trace_id})
        return Code(None)


def _code_in_image(settings: Settings, job: Job) -> str | None:
    """Where the image is the one that was delivered last."""
    built = read_built(settings, job.framework)
    known = built is not None and job.image is not None and with_tag(job.image) in (built.pinned, built.tag)
    return built.code_hash if built is not None and known else None


def notes(conn: sa.Connection, job: Job, code_hash: str | None) -> dict[str, Any]:
    """What is kept with the launch: trainers' folders change, and a dataset may be another one under its old id."""
    sha256 = conn.execute(sa.select(datasets.c.sha256).where(datasets.c.id == job.dataset_id)).scalar_one_or_none()
    known = {"code_hash": code_hash, "dataset_sha256": sha256}
    return {name: value for name, value in known.items() if value is not None}


def surroundings_of(conn: sa.Connection, job_id: str) -> Surroundings:
    """Raises NotFound for a job that isn't there."""
    job = repository.get(conn, job_id)
    noted = _newest(conn, job, NOTED, ours=True)
    told = _newest(conn, job, TOLD)
    data: Mapping[str, Any] = noted.data if noted else {}
    return Surroundings(
        job_id=job.id,
        execution=job.execution,
        attempt=job.attempt,
        code_hash=job.code_hash or data.get("code_hash"),
        image=job.image,
        dataset_id=job.dataset_id,
        dataset_sha256=data.get("dataset_sha256"),
        gpus=job.gpus,
        resources=job.resources,
        environment=told.data if told else None,
    )


def _newest(conn: sa.Connection, job: Job, type: str, *, ours: bool = False) -> Entry | None:
    """Of this attempt: an earlier one may have run elsewhere."""
    found = events.of_job(conn, job.id, only=[type], newest=True, limit=1, ours=ours)
    return found[0] if found and found[0].attempt == job.attempt else None
