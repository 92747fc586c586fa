"""The ASGI application: routes, guard and failures around one Platform."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import trainyard
from trainyard.api import failures
from trainyard.api.guard import Guard
from trainyard.api.page import Pages
from trainyard.api.platform import build
from trainyard.api.routes import (
    auth,
    callbacks,
    catalog,
    checkpoints,
    checkup,
    code,
    dataset_checks,
    datasets,
    health,
    job_list,
    jobs,
    members,
    observe,
    predict,
    samples,
    surroundings,
    tokens,
    uploads,
    usage,
    users,
    webhooks,
    weights,
)
from trainyard.datasets.uploads import PIECE_BYTES
from trainyard.executors.bundle import LARGEST_ARCHIVE
from trainyard.settings import Settings

DESCRIPTION = "Train vision models: the same job on your machine, in Kubernetes and in production."
UNLIMITED = 2**62  # spooled to a file: that counts, and knows the setting


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.platform = build(settings)
        try:
            yield
        finally:
            await app.state.platform.close()

    app = FastAPI(
        title="trainyard",
        version=trainyard.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # the docs page loads scripts from elsewhere; /v1/openapi.json is all a client needs
        redoc_url=None,
        openapi_url=None,
    )
    failures.install(app)
    told = (job_list, usage, webhooks, jobs, checkpoints, predict, samples, surroundings, observe)
    identity = (auth, users, members, tokens)
    data = (uploads, datasets, dataset_checks, weights, code)
    for module in (health, checkup, *identity, catalog, *data, callbacks, *told):
        app.include_router(module.router)
    app.include_router(datasets.samples)
    app.add_middleware(Pages)
    app.add_middleware(callbacks.Shortcut)
    hosts = [settings.host, settings.backend_url, settings.public_url, *settings.allowed_hosts.split(",")]
    app.add_middleware(
        Guard,
        hosts=[host for host in hosts if host and host != "0.0.0.0"],  # noqa: S104 - left out, not listened on
        public_url=settings.public_url,
        origins=settings.allowed_origins.split(","),
        max_bytes=settings.max_request_mb * 2**20,
        larger={
            "/v1/datasets": UNLIMITED,
            "/v1/uploads/[^/]+": PIECE_BYTES,
            "/v1/weights/[^/]+": UNLIMITED,
            "/v1/code/[^/]+": LARGEST_ARCHIVE,
            "/v1/jobs/[^/]+/predict": settings.max_predict_mb * 2**20,
        },
    )
    return app
