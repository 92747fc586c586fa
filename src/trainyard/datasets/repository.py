"""Queries on datasets. Every function works inside its caller's transaction."""

from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from trainyard.contract.vocabulary import State, Task
from trainyard.datasets.model import Dataset
from trainyard.db.tables import datasets, jobs, projects

_COLUMNS = [datasets.c[field.name] for field in fields(Dataset)]
_ENDED = [state for state in State if state.is_terminal]


def _dataset(row: sa.Row[Any]) -> Dataset:
    values: dict[str, Any] = dict(row._mapping)  # pyright: ignore[reportPrivateUsage] - public, says SQLAlchemy
    values["tasks"] = [Task(task) for task in values["tasks"]]
    return Dataset(**values)


def insert(conn: sa.Connection, dataset: Dataset) -> None:
    conn.execute(datasets.insert().values(**asdict(dataset)))


def find(conn: sa.Connection, dataset_id: str) -> Dataset | None:
    row = conn.execute(sa.select(*_COLUMNS).where(datasets.c.id == dataset_id)).one_or_none()
    return _dataset(row) if row is not None else None


def listed(conn: sa.Connection, project_id: str | None) -> list[Dataset]:
    """Newest first; of every project where none is named."""
    query = sa.select(*_COLUMNS).order_by(datasets.c.created_at.desc(), datasets.c.id)
    if project_id is not None:
        query = query.where(datasets.c.project_id == project_id)
    return [_dataset(row) for row in conn.execute(query)]


def with_content(conn: sa.Connection, project_id: str, sha256: str) -> Dataset | None:
    """The oldest of the project with this very content."""
    query = sa.select(*_COLUMNS).where(datasets.c.project_id == project_id, datasets.c.sha256 == sha256)
    row = conn.execute(query.order_by(datasets.c.created_at).limit(1)).one_or_none()
    return _dataset(row) if row is not None else None


def newest_version(conn: sa.Connection, project_id: str, name: str) -> int:
    """0 where the project has no dataset of this name."""
    query = sa.select(sa.func.max(datasets.c.version))
    found = conn.execute(query.where(datasets.c.project_id == project_id, datasets.c.name == name)).scalar_one()
    return found or 0


def delete(conn: sa.Connection, dataset_id: str) -> bool:
    """False where it was gone already."""
    return conn.execute(datasets.delete().where(datasets.c.id == dataset_id)).rowcount > 0


def jobs_using(conn: sa.Connection, dataset_id: str) -> list[str]:
    """The jobs that have not ended and were given this dataset; a few of them, if there are many."""
    query = sa.select(jobs.c.id).where(jobs.c.dataset_id == dataset_id, jobs.c.state.not_in(_ENDED))
    return list(conn.execute(query.order_by(jobs.c.id).limit(4)).scalars())


def project_exists(conn: sa.Connection, project_id: str) -> bool:
    return conn.execute(sa.select(projects.c.id).where(projects.c.id == project_id)).one_or_none() is not None
