"""Everything the backend consists of, put together once at start-up and taken apart at the end."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa

from trainyard.api.shipping_logs import start_shipper
from trainyard.callbacks.service import CallbackService
from trainyard.callbacks.token import Tokens
from trainyard.datasets.samples import Samples
from trainyard.datasets.service import DatasetService
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import projects
from trainyard.events.stream import Hub
from trainyard.executors.codestore import CodeStore
from trainyard.executors.registry import Executors
from trainyard.jobs.archive import Archive
from trainyard.jobs.checkpoints import Checkpoints
from trainyard.jobs.decide import Limits
from trainyard.jobs.launch import Launcher
from trainyard.jobs.presence import Presence
from trainyard.jobs.reconcile import Parts, Reconciler
from trainyard.jobs.service import JobService
from trainyard.jobs.shipping import Shipping
from trainyard.jobs.trainers import Catalog
from trainyard.logs.loki import Shipper
from trainyard.predictions.service import PredictionService
from trainyard.settings import Settings, keep_secret
from trainyard.storage.store import Store
from trainyard.weights.service import WeightsService

UPLOADS_AT_ONCE = 2  # one may take minutes: a pool of their own, or they would hold up every stream and log


@dataclass(slots=True)
class Platform:
    settings: Settings
    database: Database
    store: Store
    catalog: Catalog
    executors: Executors
    launcher: Launcher
    jobs: JobService
    codes: CodeStore
    checkpoints: Checkpoints
    callbacks: CallbackService
    datasets: DatasetService
    uploads: ThreadPoolExecutor
    samples: Samples
    weights: WeightsService
    predictions: PredictionService
    reconciler: Reconciler
    hub: Hub
    started_at: float
    shipper: Shipper | None = None

    async def close(self) -> None:
        """Let go of everything; runs go on."""
        await self.hub.close()
        self.reconciler.close()
        if self.shipper is not None:
            await asyncio.to_thread(self.shipper.close)
        self.executors.close()
        await asyncio.to_thread(self.predictions.close)
        await asyncio.to_thread(self.uploads.shutdown, cancel_futures=True)
        self.database.close()


def build(settings: Settings) -> Platform:
    """Open the database (bringing it up to date) and start looking after jobs. Call it inside the event loop."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.make_secrets()
    database = Database(settings.database)
    upgrade(database)
    database.write(_default_project)
    node = keep_secret(settings.data_dir / "node_id", "node-")[:24]
    store = Store.from_settings(settings)
    catalog = Catalog(settings.trainers_dir)
    codes = CodeStore(store)
    executors = Executors(settings, codes)
    presence = Presence(settings.data_dir / "last_look")
    tokens = Tokens(settings.jwt_key, settings.token_hours * 3600, presence)
    launcher = Launcher(database, tokens, settings)
    limits = Limits(
        silence=settings.silence_seconds,
        stuck=settings.stuck_seconds,
        launch=settings.launch_seconds,
        run=settings.max_job_hours * 3600,
        relaunches=settings.max_relaunches,
        since=presence.since,
    )
    reconciler = Reconciler(Parts(database, executors.get, launcher, Archive(store), limits, presence, node))
    executors.watch(lambda _job_id: reconciler.wake())
    datasets = DatasetService(store, database)
    checkpoints = Checkpoints(store, database)
    platform = Platform(
        settings=settings,
        database=database,
        store=store,
        catalog=catalog,
        executors=executors,
        launcher=launcher,
        jobs=JobService(
            database,
            catalog,
            checkpoints,
            settings.execution_mode,
            executors.get,
            reconciler.wake,
            Shipping(settings, codes),
        ),
        codes=codes,
        checkpoints=checkpoints,
        callbacks=CallbackService(database, tokens),
        datasets=datasets,
        uploads=ThreadPoolExecutor(UPLOADS_AT_ONCE, "upload"),
        samples=Samples(settings, database, catalog, datasets),
        weights=WeightsService(store, database),
        predictions=PredictionService(settings, database, catalog, store),
        reconciler=reconciler,
        hub=Hub(database),
        started_at=limits.since,
    )
    reconciler.start()
    platform.shipper = start_shipper(settings, database, executors, node)
    return platform


def _default_project(conn: sa.Connection) -> None:
    if conn.execute(sa.select(projects.c.id).limit(1)).one_or_none() is None:
        conn.execute(projects.insert().values(id="default", name="Default", created_at=time.time()))
