"""Queries on the checks of datasets: the queue, who is at it, what came out. Every function works inside its caller's
transaction; those that write are refused (False) where somebody else has taken the check since.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trainyard.datasets.model import CheckState, Standing
from trainyard.db.tables import dataset_checks as checks
from trainyard.db.tables import datasets, jobs
from trainyard.errors import InvalidInput

SILENT_SECONDS = 300.0  # another backend's check that says nothing for so long is taken over
_SHOWN = ("state", "done", "pictures", "errors", "warnings", "refusals")
_UNTOUCHED: dict[str, Any] = {"done": 0, "pictures": 0, "errors": 0, "warnings": 0, "refusals": [], "report": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to check a dataset, until somebody else takes it."""

    dataset_id: str
    project_id: str
    sha256: str
    number: int


def queue(conn: sa.Connection, dataset_id: str) -> None:
    """Have it checked from the beginning: a new one, or again. An older backend leaves datasets without a row here, and
    rows without their dataset."""
    values = {"state": CheckState.WAITING, "queued_at": time.time(), **_UNTOUCHED}
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(checks).values(dataset_id=dataset_id, claim=0, **values)
    again = {"claim": checks.c.claim + 1, **values}
    conn.execute(insert.on_conflict_do_update(index_elements=["dataset_id"], set_=again))


def _queue_forgotten(conn: sa.Connection) -> None:
    """Those that an older backend, which knows of no checks, has added beside us."""
    query = sa.select(datasets.c.id).outerjoin(checks, checks.c.dataset_id == datasets.c.id)
    for dataset_id in conn.execute(query.where(checks.c.dataset_id.is_(None))).scalars().all():
        queue(conn, dataset_id)


def queue_interrupted(conn: sa.Connection, node: str) -> None:
    """What this installation was at when its backend ended."""
    query = checks.update().where(checks.c.state == CheckState.CHECKING, checks.c.node == node)
    conn.execute(query.values(state=CheckState.WAITING))


def take(conn: sa.Connection, node: str) -> Claim | None:
    """The one that waits for longest, as ours; None where none does."""
    _queue_forgotten(conn)
    now = time.time()
    free = sa.or_(
        sa.and_(checks.c.state == CheckState.WAITING, checks.c.queued_at <= now),
        sa.and_(checks.c.state == CheckState.CHECKING, checks.c.seen_at < now - SILENT_SECONDS),
    )
    query = (
        sa.select(checks.c.dataset_id, checks.c.claim, datasets.c.project_id, datasets.c.sha256)
        .join(datasets, datasets.c.id == checks.c.dataset_id)
        .where(free)
        .order_by(checks.c.queued_at)
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    taken = checks.update().where(checks.c.dataset_id == row.dataset_id, checks.c.claim == row.claim, free)
    number = row.claim + 1
    done = conn.execute(taken.values(state=CheckState.CHECKING, claim=number, node=node, seen_at=now, **_UNTOUCHED))
    return Claim(row.dataset_id, row.project_id, row.sha256, number) if done.rowcount else None


def tell(conn: sa.Connection, claim: Claim, **values: Any) -> bool:
    """How far it is, or what came out. False where it is not the claimant's any more, or the dataset is gone."""
    query = checks.update().where(checks.c.dataset_id == claim.dataset_id, checks.c.claim == claim.number)
    return conn.execute(query.values(seen_at=time.time(), **values)).rowcount > 0


def holds(conn: sa.Connection, claim: Claim) -> bool:
    query = sa.select(checks.c.claim).where(checks.c.dataset_id == claim.dataset_id)
    return conn.execute(query).scalar_one_or_none() == claim.number


def put_back(conn: sa.Connection, claim: Claim, seconds: float) -> None:
    """To be checked by whoever comes first after so many seconds: until then it is in nobody's way."""
    tell(conn, claim, state=CheckState.WAITING, queued_at=time.time() + seconds, **_UNTOUCHED)


def forget(conn: sa.Connection, dataset_id: str) -> None:
    conn.execute(checks.delete().where(checks.c.dataset_id == dataset_id))


def standings(conn: sa.Connection, dataset_ids: Sequence[str] | None = None) -> dict[str, Standing]:
    """By dataset; of all where none are named."""
    counted = sa.select(jobs.c.dataset_id, sa.func.count()).group_by(jobs.c.dataset_id)
    query = sa.select(checks.c.dataset_id, *(checks.c[name] for name in _SHOWN))
    if dataset_ids is not None:
        query = query.where(checks.c.dataset_id.in_(dataset_ids))
        counted = counted.where(jobs.c.dataset_id.in_(dataset_ids))
    used: dict[str, int] = {row[0]: row[1] for row in conn.execute(counted)}
    found: dict[str, Standing] = {}
    for row in conn.execute(query):
        values = {name: getattr(row, name) for name in _SHOWN[1:]}
        found[row.dataset_id] = Standing(CheckState(row.state), **values, jobs=used.get(row.dataset_id, 0))
    return found


def report(conn: sa.Connection, dataset_id: str) -> dict[str, Any]:
    found = conn.execute(sa.select(checks.c.report).where(checks.c.dataset_id == dataset_id)).scalar_one_or_none()
    return found or {}


def require_ready(conn: sa.Connection, dataset_id: str) -> None:
    """Raises InvalidInput where no training on it can succeed. One that is still being checked may be trained on."""
    query = sa.select(checks.c.refusals).where(checks.c.dataset_id == dataset_id)
    why: list[str] = conn.execute(query).scalar_one_or_none() or []
    if why:
        raise InvalidInput(
            f"The dataset {dataset_id} is not ready because: {' '.join(why)}",
            hint=f"`trainyard datasets check {dataset_id}` names the files; mend them and upload it again.",
            field="dataset_id",
        )
