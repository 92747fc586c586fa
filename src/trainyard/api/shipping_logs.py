"""Which logs go to Loki, where an installation has one: those of its jobs, as long as they lie on this machine."""

import time
from collections.abc import Iterator
from functools import partial

from trainyard.db.engine import Database
from trainyard.errors import TrainyardError
from trainyard.executors.base import RunId
from trainyard.executors.registry import Executors
from trainyard.jobs import repository
from trainyard.logs.loki import JobLog, Shipper
from trainyard.settings import Settings

CAUGHT_UP_SECONDS = 86_400.0  # what ended longer ago is not looked at any more


def start_shipper(settings: Settings, database: Database, executors: Executors, node: str) -> Shipper | None:
    """None where no Loki is set."""
    if settings.loki_url is None or not settings.loki_url.get_secret_value():
        return None
    shipper = Shipper(
        settings.loki_url.get_secret_value(), settings.loki_token, partial(_logs, database, executors, node)
    )
    shipper.start()
    return shipper


def _logs(database: Database, executors: Executors, node: str) -> Iterator[JobLog]:
    with database.read() as conn:
        jobs = repository.with_logs(conn, node, time.time() - CAUGHT_UP_SECONDS)
    for job in jobs:
        try:
            executor = executors.get(job.execution)
        except TrainyardError:
            continue  # a tier that can't be had any more
        for attempt in range(1, job.attempt + 1):
            path = executor.log_path(RunId(job.id, attempt, job.trace_id))
            if path is not None and path.exists():
                ended = job.closed_at is not None or attempt < job.attempt
                yield JobLog(job.id, job.framework, job.execution, job.trace_id, path, ended)
