"""Is it alive, is it ready, and how is everything."""

import asyncio
import shutil
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

import trainyard
from trainyard.api.access import ThePlatform, User
from trainyard.api.failures import responses
from trainyard.api.platform import Platform
from trainyard.api.shapes import Health, PlatformStatus, Ready
from trainyard.contract.vocabulary import Execution
from trainyard.db.tables import jobs, leases
from trainyard.jobs import repository
from trainyard.tracking import mlflow

router = APIRouter(prefix="/v1", tags=["health"], responses=responses(400, 421))


@router.get("/health/live")
async def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/health/ready", responses={503: {"model": Ready}})
async def ready(response: Response, platform: ThePlatform) -> Ready:
    """Jobs can be submitted: database and store answer. MLflow may come later."""
    found = await asyncio.to_thread(_readiness, platform)
    response.status_code = 200 if found.status == "ok" else 503
    return found


def _readiness(platform: Platform) -> Ready:
    try:
        platform.database.write(lambda conn: conn.execute(sa.select(1)).scalar_one())
        database = True
    except Exception:  # noqa: BLE001 - any failure of the database means not ready
        database = False
    storage = platform.store.healthy()
    return Ready(status="ok" if database and storage else "unavailable", database=database, storage=storage)


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _user: User) -> dict[str, Any]:
    """This API's own description."""
    return request.app.openapi()


@router.get("/status", responses=responses(401))
def status(platform: ThePlatform, user: User) -> PlatformStatus:
    """Services, slots, jobs and disk at a glance; addresses inside are for administrators."""
    settings, inside = platform.settings, user.administrator
    capacity = platform.executors.get(Execution.LOCAL).capacity
    with platform.database.read() as conn:
        counts = repository.count_by_state(conn, *user.visible(jobs.c.project_id))
        held = list(conn.execute(sa.select(leases.c.resource)).scalars())
    return PlatformStatus(
        version=trainyard.__version__,
        started_at=platform.started_at,
        ready=_readiness(platform),
        mlflow=mlflow.healthy(settings.tracking_url),
        execution=settings.execution_mode,
        jobs=counts,
        slots=capacity.slots if capacity else 0,
        slots_in_use=sum("/slot/" in name for name in held),
        gpus=len(capacity.gpus) if capacity else 0,
        gpus_in_use=sum("/gpu/" in name for name in held),
        disk_free_bytes=shutil.disk_usage(settings.data_dir).free,
        backend_url=settings.backend_url if inside else settings.public_url,
        s3_url=settings.s3_url if inside else "",
        mlflow_url=settings.tracking_url if inside else "",
    )
