"""Projects and trainers: what there is to train with."""

import time
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from trainyard.api.access import Administrator, ProjectViewer, ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.api.shapes import ProjectList, ProjectOut, TrainerList, TrainerOut
from trainyard.contract.keys import PROJECT_ID_PATTERN
from trainyard.db.tables import projects
from trainyard.errors import Conflict, NotFound
from trainyard.executors.local.envs import find_environment
from trainyard.jobs.requests import Plain
from trainyard.jobs.trainers import Trainer

router = APIRouter(prefix="/v1", responses=responses(400, 401, 403, 413, 415, 421, 422, 503))


class NewProject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=PROJECT_ID_PATTERN)
    name: str = Field(min_length=1, max_length=200, pattern=Plain)


@router.get("/projects", tags=["projects"])
def list_projects(platform: ThePlatform, user: User) -> ProjectList:
    query = sa.select(projects).where(*user.visible(projects.c.id))
    with platform.database.read() as conn:
        rows = conn.execute(query.order_by(projects.c.created_at)).mappings()
        return ProjectList(items=[ProjectOut.model_validate(dict(row)) for row in rows])


@router.post("/projects", status_code=201, tags=["projects"], responses=responses(409))
def add_project(request: NewProject, platform: ThePlatform, _user: Administrator) -> ProjectOut:
    row = {"id": request.id, "name": request.name, "created_at": time.time()}

    def store(conn: sa.Connection) -> None:
        if conn.execute(sa.select(projects.c.id).where(projects.c.id == request.id)).one_or_none() is not None:
            raise Conflict(f"There is a project {request.id} already.", field="id")
        conn.execute(projects.insert().values(**row))

    platform.database.write(store)
    return ProjectOut.model_validate(row)


@router.get("/projects/{project_id}", tags=["projects"], responses=responses(404))
def show_project(
    project_id: Annotated[str, Path(max_length=64)], platform: ThePlatform, _user: ProjectViewer
) -> ProjectOut:
    wanted = project_id.replace("\0", "\ufffd")
    with platform.database.read() as conn:
        row = conn.execute(sa.select(projects).where(projects.c.id == wanted)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no project {project_id}.", hint="GET /v1/projects lists them.")
    return ProjectOut.model_validate(dict(row))


@router.get("/trainers", tags=["trainers"])
def list_trainers(platform: ThePlatform, _user: User) -> TrainerList:
    """Every trainer folder; one whose trainer.toml can't be read is listed with the reason."""
    return TrainerList(items=[_out(platform, trainer) for trainer in platform.catalog.all()])


@router.get("/trainers/{framework}", tags=["trainers"], responses=responses(404))
def show_trainer(framework: Annotated[str, Path(max_length=60)], platform: ThePlatform, _user: User) -> TrainerOut:
    return _out(platform, platform.catalog.find(framework))


def _out(platform: Platform, trainer: Trainer) -> TrainerOut:
    ready = find_environment(platform.settings, trainer.framework).is_ready
    return TrainerOut(
        framework=trainer.framework,
        usable=trainer.manifest is not None,
        problem=trainer.problem,
        environment="ready" if ready else "missing",
        manifest=trainer.manifest,
    )
