"""The list of jobs as CSV, made while it is sent: a page of rows in memory, never all of them."""

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

from trainyard.db.engine import Database
from trainyard.events import metrics
from trainyard.jobs import listing, repository
from trainyard.jobs.listing import Filters, Order
from trainyard.jobs.model import Job

PAGE = 200
MOST_JOBS = 1_000_000
BOM = "\ufeff"  # without it Excel takes UTF-8 for an old code page
FIELDS = (
    "id",
    "name",
    "state",
    "reason",
    "framework",
    "task",
    "model",
    "execution",
    "dataset_id",
    "project_id",
    "epoch",
    "epochs",
    "attempt",
    "parent_id",
    "message",
)
TIMES = ("created_at", "started_at", "finished_at")


def as_csv(database: Database, chosen: Filters, order: Order) -> Iterator[str]:
    """Blocking. Which jobs is settled at the beginning; each is shown as it is when its row is made."""
    with database.read() as conn:
        ids = listing.find_ids(conn, chosen, order, limit=MOST_JOBS)
        names = listing.metric_names(conn, chosen)
    yield BOM + _lines([[*FIELDS, "tags", *TIMES, "seconds", *(safe(name) for name in names)]])
    for start in range(0, len(ids), PAGE):
        with database.read() as conn:
            page = repository.load(conn, ids[start : start + PAGE])
            found = metrics.summaries(conn, [job.id for job in page])
        yield _lines([_row(job, found[job.id], names) for job in page])


def safe(value: object) -> object:
    """A cell that a spreadsheet takes for text: what begins like a formula would be calculated."""
    if isinstance(value, str) and value.lstrip().startswith(("=", "+", "-", "@")):
        return f"'{value}"
    if isinstance(value, str) and value.startswith(("\t", "\r", "\n")):
        return f"'{value}"
    return value


def _row(job: Job, found: dict[str, dict[str, Any]], names: list[str]) -> list[object]:
    seconds = None if job.started_at is None else round((job.finished_at or time.time()) - job.started_at, 3)
    cells: list[object] = [getattr(job, name) for name in FIELDS]
    cells += [" ".join(job.tags), *(_clock(getattr(job, name)) for name in TIMES), seconds]
    # a number is no formula, whatever it begins with; infinities are spelled out
    return [safe(cell) for cell in cells] + [found.get(name, {}).get("last") for name in names]


def _clock(at: float | None) -> str | None:
    return None if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def _lines(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
