"""Everything the backend consists of, put together once at start-up and taken apart at the end."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import sqlalchemy as sa

from trainyard.api.shipping_logs import start_shipper
from trainyard.callbacks.service import CallbackService
from trainyard.callbacks.token import Tokens
from trainyard.datasets.browse import Pictures
from trainyard.datasets.checking import DatasetChecks
from trainyard.datasets.imports import Imports
from trainyard.datasets.samples import Samples
from trainyard.datasets.service import DatasetService
from trainyard.datasets.uploads import ResumableUploads
from trainyard.db.engine import Database
from trainyard.db.migrate import upgrade
from trainyard.db.tables import projects
from trainyard.events.stream import Hub
from trainyard.executors.codestore import CodeStore
from trainyard.executors.registry import Executors
from trainyard.identity import users
from trainyard.identity.service import Identity
from trainyard.jobs.archive import Archive
from trainyard.jobs.checkpoints import Checkpoints
from trainyard.jobs.decide import Limits
from trainyard.jobs.keeping import CodeKeeper
from trainyard.jobs.launch import Launcher
from trainyard.jobs.presence import Presence
from trainyard.jobs.reconcile import Parts, Reconciler
from trainyard.jobs.service import JobService
from trainyard.jobs.shipping import Shipping
from trainyard.jobs.trainers import Catalog
from trainyard.jobs.usage import UsageSampler
from trainyard.logs.loki import Shipper
from trainyard.predictions.service import PredictionService
from trainyard.settings import Settings, keep_secret
from trainyard.storage.store import Store
from trainyard.webhooks.sender import Sender
from trainyard.webhooks.service import WebhookService
from trainyard.weights.service import WeightsService

UPLOADS_AT_ONCE = 2  # one may take minutes: a pool of their own, or they would hold up every stream and log


@dataclass(slots=True)
class Platform:
    settings: Settings
    database: Database
    identity: Identity
    store: Store
    catalog: Catalog
    executors: Executors
    launcher: Launcher
    jobs: JobService
    codes: CodeStore
    keeper: CodeKeeper
    checkpoints: Checkpoints
    callbacks: CallbackService
    datasets: DatasetService
    checks: DatasetChecks
    browser: Pictures
    resumable: ResumableUploads
    imports: Imports
    importing: ThreadPoolExecutor
    uploads: ThreadPoolExecutor
    samples: Samples
    weights: WeightsService
    predictions: PredictionService
    reconciler: Reconciler
    usage: UsageSampler
    webhooks: WebhookService
    sender: Sender
    hub: Hub
    started_at: float
    shipper: Shipper | None = None

    async def close(self) -> None:
        """Let go of everything; runs go on."""
        await self.hub.close()
        await self.sender.close()
        self.reconciler.close()
        await asyncio.to_thread(self.usage.close)
        self.keeper.close()
        if self.shipper is not None:
            await asyncio.to_thread(self.shipper.close)
        self.executors.close()
        await asyncio.to_thread(self.predictions.close)
        self.imports.close()
        for pool in (self.importing, self.uploads):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        await asyncio.to_thread(self.checks.close)
        await asyncio.to_thread(self.browser.close)
        self.identity.close()
        self.database.close()


def build(settings: Settings) -> Platform:
    """Open the database (bringing it up to date) and start looking after jobs. Call it inside the event loop."""
    database = _opened(settings)
    node = keep_secret(settings.data_dir / "node_id", "node-")[:24]
    store = Store.from_settings(settings)
    catalog = Catalog(settings.trainers_dir)
    codes = CodeStore(store)
    executors = Executors(settings, codes)
    presence = Presence(settings.data_dir / "last_look")
    tokens = Tokens(settings.jwt_key, settings.token_hours * 3600, presence)
    keeper = CodeKeeper(codes)
    launcher = Launcher(database, tokens, settings, keeper.keep)
    limits = _limits(settings, presence)
    reconciler = Reconciler(Parts(database, executors.get, launcher, Archive(store), limits, presence, node))
    executors.watch(lambda _job_id: reconciler.wake())
    webhooks = WebhookService(database, settings)
    checks = _checks(settings, store, database, node)
    datasets = DatasetService(store, database, changed=checks.wake)
    limit = settings.max_upload_mb * 2**20
    checkpoints = Checkpoints(store, database)
    shipping = Shipping(settings, codes)
    platform = Platform(
        settings=settings,
        database=database,
        identity=Identity(database, settings.admin_token),
        store=store,
        catalog=catalog,
        executors=executors,
        launcher=launcher,
        jobs=JobService(
            database, catalog, checkpoints, settings.execution_mode, executors.get, reconciler.wake, shipping
        ),
        codes=codes,
        keeper=keeper,
        checkpoints=checkpoints,
        callbacks=CallbackService(database, tokens),
        datasets=datasets,
        checks=checks,
        browser=Pictures(store, datasets, checks, settings.checks_dir, settings.max_picture_pixels),
        resumable=ResumableUploads(datasets, settings.spool_dir, limit),
        imports=Imports(store, datasets, settings.spool_dir, limit),
        importing=ThreadPoolExecutor(1, "import"),  # a request an object: hours, in which uploads go on
        uploads=ThreadPoolExecutor(UPLOADS_AT_ONCE, "upload"),
        samples=Samples(settings, database, catalog, datasets),
        weights=WeightsService(store, database),
        predictions=PredictionService(settings, database, catalog, store),
        reconciler=reconciler,
        usage=UsageSampler(database, executors.get, node, settings.usage_seconds),
        webhooks=webhooks,
        sender=Sender(database, webhooks, settings),
        hub=Hub(database),
        started_at=limits.since,
    )
    reconciler.start()
    checks.start()
    platform.usage.start()
    platform.shipper = start_shipper(settings, database, executors, node)
    return platform


def _checks(settings: Settings, store: Store, database: Database, node: str) -> DatasetChecks:
    at_once, pixels = settings.dataset_checks, settings.max_picture_pixels
    return DatasetChecks(store, database, settings.checks_dir, node, at_once=at_once, max_pixels=pixels)


def _limits(settings: Settings, presence: Presence) -> Limits:
    return Limits(
        silence=settings.silence_seconds,
        stuck=settings.stuck_seconds,
        launch=settings.launch_seconds,
        run=settings.max_job_hours * 3600,
        relaunches=settings.max_relaunches,
        since=presence.since,
    )


def _opened(settings: Settings) -> Database:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.make_secrets()
    database = Database(settings.database)
    upgrade(database)
    database.write(_default_project)
    database.write(users.ensure_built_in)
    return database


def _default_project(conn: sa.Connection) -> None:
    if conn.execute(sa.select(projects.c.id).limit(1)).one_or_none() is None:
        conn.execute(projects.insert().values(id="default", name="Default", created_at=time.time()))
