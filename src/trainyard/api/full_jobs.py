"""Jobs as routes answer with them: the row, its metrics, and what its trainer calls the best."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from trainyard.api.platform import Platform
from trainyard.api.shapes import JobOut, JobWithMetrics
from trainyard.errors import TrainyardError
from trainyard.events import metrics
from trainyard.jobs.model import Job


def brief(platform: Platform, job: Job) -> JobOut:
    return JobOut.of(job, _base(platform))


def full(platform: Platform, jobs: Sequence[Job]) -> list[JobWithMetrics]:
    """Reads the metrics of all of them at once, and each trainer's declaration."""
    with platform.database.read() as conn:
        found = metrics.summaries(conn, [job.id for job in jobs])
    base, best = _base(platform), {job.framework: _best(platform, job.framework) for job in jobs}
    shown: list[JobWithMetrics] = []
    for job in jobs:
        name, mode = best[job.framework].get(job.task.value, (None, None))
        more = {"metrics": found[job.id], "best_metric": name, "best_mode": mode}
        shown.append(JobWithMetrics.model_validate(JobOut.of(job, base).model_dump() | more))
    return shown


def _base(platform: Platform) -> str:
    return platform.settings.public_url or platform.settings.backend_url


def _best(platform: Platform, framework: str) -> dict[str, tuple[str, Literal["max", "min"]]]:
    """By task; empty where its trainer is gone or broken by now."""
    with suppress(TrainyardError):
        tasks = platform.catalog.manifest(framework).tasks
        return {task.value: (support.best_metric, support.best_goal) for task, support in tasks.items()}
    return {}
