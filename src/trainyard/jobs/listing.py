"""The list of jobs: filtered, sorted, counted and paged by the database. What is not shown is not read."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from trainyard.contract.vocabulary import State
from trainyard.db.tables import jobs, series

RECENT = 500  # jobs whose metrics are offered: those of years ago would make the list of names long, and slow


class Sort(StrEnum):
    CREATED = "created"
    STARTED = "started"
    FINISHED = "finished"
    DURATION = "duration"
    NAME = "name"
    STATE = "state"
    FRAMEWORK = "framework"
    MODEL = "model"
    DATASET = "dataset"
    METRIC = "metric"


class Best(StrEnum):
    """Which value of a metric counts."""

    LAST = "last"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which jobs; empty: all of them."""

    states: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    dataset_ids: tuple[str, ...] = ()
    executions: tuple[str, ...] = ()
    project_id: str | None = None
    projects: frozenset[str] | None = None  # only of these, whatever else is asked for; None: of any
    parent_id: str | None = None
    tag: str | None = None
    search: str | None = None
    before: tuple[float, str] | None = None  # older than the job of this (created_at, id)


@dataclass(frozen=True, slots=True)
class Order:
    """Newest first, unless told otherwise. What has no value for it comes last in both directions."""

    by: Sort = Sort.CREATED
    descending: bool = True
    metric: str | None = None
    best: Best = Best.LAST


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to filter by, and how many jobs have it."""

    states: dict[str, int]
    frameworks: dict[str, int]
    datasets: dict[str, int]
    executions: dict[str, int]
    tags: dict[str, int]
    metrics: list[str]


def find_ids(conn: sa.Connection, filters: Filters, order: Order, *, limit: int, offset: int = 0) -> list[str]:
    """Only ids are sorted: a job's row may hold pages of evidence."""
    query = sa.select(jobs.c.id).where(*_conditions(filters))
    if order.by is Sort.METRIC and order.metric is not None:
        of_job = sa.and_(series.c.job_id == jobs.c.id, series.c.name == order.metric)
        query = query.select_from(jobs.outerjoin(series, of_job))
    query = query.order_by(*_ordering(order)).limit(limit).offset(offset)
    return list(conn.execute(query).scalars())


def count(conn: sa.Connection, filters: Filters) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(jobs).where(*_conditions(filters))).scalar_one()


def metric_names(conn: sa.Connection, filters: Filters, newest_only: int | None = None) -> list[str]:
    """Of all of them, or of so many."""
    newest = sa.select(jobs.c.id).where(*_conditions(filters))
    if newest_only is not None:
        newest = newest.order_by(jobs.c.created_at.desc()).limit(newest_only)
    query = sa.select(series.c.name).where(series.c.job_id.in_(newest)).distinct().order_by(series.c.name)
    return list(conn.execute(query).scalars())


def facets(conn: sa.Connection, filters: Filters) -> Facets:
    where = _conditions(filters)
    columns = (jobs.c.state, jobs.c.framework, jobs.c.dataset_id, jobs.c.execution)
    counts: tuple[Counter[str], ...] = tuple(Counter() for _ in columns)
    # one pass over an index that holds all four; adding up the combinations is nothing beside it
    for *values, number in conn.execute(sa.select(*columns, sa.func.count()).where(*where).group_by(*columns)):
        for counted, value in zip(counts, values, strict=True):
            if value is not None:
                counted[str(value)] += number
    states, frameworks, datasets, executions = (dict(sorted(counted.items())) for counted in counts)
    return Facets(states, frameworks, datasets, executions, _tags(conn, where), metric_names(conn, filters, RECENT))


def _tags(conn: sa.Connection, where: Sequence[sa.ColumnElement[bool]]) -> dict[str, int]:
    split = sa.func.json_array_elements_text if conn.dialect.name == "postgresql" else sa.func.json_each
    tag = split(jobs.c.tags).table_valued("value", name="tag")
    query = sa.select(tag.c.value, sa.func.count()).select_from(jobs).join(tag, sa.true())
    rows = conn.execute(query.where(*where).group_by(tag.c.value).order_by(tag.c.value))
    return {str(value): number for value, number in rows}


# -- conditions and order -------------------------------------------------------------------------------------------


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    several = (
        (jobs.c.state, filters.states),
        (jobs.c.framework, filters.frameworks),
        (jobs.c.dataset_id, filters.dataset_ids),
        (jobs.c.execution, filters.executions),
    )
    found: list[sa.ColumnElement[bool]] = [column.in_(values) for column, values in several if values]
    for column, value in ((jobs.c.project_id, filters.project_id), (jobs.c.parent_id, filters.parent_id)):
        if value is not None:
            found.append(column == value)
    if filters.projects is not None:
        found.append(jobs.c.project_id.in_(sorted(filters.projects)))
    if filters.tag:
        found.append(sa.cast(jobs.c.tags, sa.Text).contains(f'"{filters.tag}"', autoescape=True))
    if filters.search:
        columns = (jobs.c.name, jobs.c.id, jobs.c.model)
        found.append(sa.or_(*(column.icontains(filters.search, autoescape=True) for column in columns)))
    if filters.before is not None:
        at, job_id = filters.before
        found.append(sa.or_(jobs.c.created_at < at, sa.and_(jobs.c.created_at == at, jobs.c.id < job_id)))
    return found


def _ordering(order: Order) -> list[sa.ColumnElement[Any]]:
    newest_first: list[sa.ColumnElement[Any]] = [jobs.c.created_at.desc(), jobs.c.id.desc()]
    by = _sorted_by(order)
    if by is None:
        return newest_first if order.descending else [jobs.c.created_at, jobs.c.id]
    return [(by.desc() if order.descending else by.asc()).nulls_last(), *newest_first]


def _sorted_by(order: Order) -> sa.ColumnElement[Any] | None:
    """None: by when they were made."""
    match order.by:
        case Sort.STARTED:
            return jobs.c.started_at
        case Sort.FINISHED:
            return jobs.c.finished_at
        case Sort.DURATION:
            return sa.func.coalesce(jobs.c.finished_at, time.time()) - jobs.c.started_at
        case Sort.NAME:
            return sa.func.lower(jobs.c.name)
        case Sort.STATE:
            return sa.case({state.value: number for number, state in enumerate(State)}, value=jobs.c.state)
        case Sort.FRAMEWORK:
            return jobs.c.framework
        case Sort.MODEL:
            return jobs.c.model
        case Sort.DATASET:
            return jobs.c.dataset_id
        case Sort.METRIC if order.metric is not None:
            return series.c[order.best.value]
        case _:
            return None
