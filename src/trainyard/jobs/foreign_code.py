"""Jobs whose checkpoints may be anything: they ran what somebody sent, and a checkpoint is a pickle, so a program.

On a cluster such code runs without rights. Whatever opens its checkpoints here runs as the backend's user, who can read
the installation's secrets: only an administrator may have that done.
"""

import sqlalchemy as sa

from trainyard.db.engine import Database
from trainyard.errors import Forbidden, TrainyardError
from trainyard.executors.bundle import bundle_folder
from trainyard.jobs import repository
from trainyard.jobs.model import Job
from trainyard.jobs.trainers import Catalog


def require_own_code(database: Database, catalog: Catalog, job_id: str) -> None:
    """Raises Forbidden unless it ran this installation's trainers only, and so did those it took its weights from;
    NotFound. Blocks: may read a trainer's folder."""
    with database.read() as conn:
        line = _line(conn, repository.get(conn, job_id))
    foreign = next((job for job in line if _is_foreign(catalog, job)), None)
    if foreign is None:
        return
    what = "an image of its own" if foreign.resources.image is not None else "code that was sent with it"
    came = "" if foreign.id == job_id else f"{job_id} began with what {foreign.id} had learnt. "
    raise Forbidden(
        f"{came}{foreign.id} ran {what}. Its checkpoints can run anything when they are opened here, as the backend's "
        "own user: this needs an administrator of this installation.",
        hint="Ask one, or train with the trainer as it is installed here.",
    )


def _line(conn: sa.Connection, job: Job) -> list[Job]:
    """The job, and those that it comes from by way of checkpoints."""
    line = [job]
    while line[-1].resume_from is not None and line[-1].parent_id is not None:
        parent = repository.find(conn, line[-1].parent_id)
        if parent is None:
            break
        line.append(parent)
    return line


def _is_foreign(catalog: Catalog, job: Job) -> bool:
    """`dev-`: its code was sent, or it is another one of such a job. Else the backend took the trainer as it lay here,
    whose folder may have been changed since."""
    if job.resources.image is not None:
        return True
    return job.code_hash is not None and job.id.startswith("dev-") and job.code_hash != _installed(catalog, job)


def _installed(catalog: Catalog, job: Job) -> str | None:
    try:
        return bundle_folder(catalog.find(job.framework).folder).hash
    except (TrainyardError, OSError):
        return None
