"""Metrics: points for charts, and a summary of each series so that lists never read points."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trainyard.db.prepared import Prepared
from trainyard.db.tables import points, series
from trainyard.events.log import spell

REMEMBERED = 50_000


def _upsert_points(insert: Any) -> Any:
    new = {"value": insert.excluded.value, "at": insert.excluded.at}
    return insert.on_conflict_do_update(index_elements=["series_id", "step"], set_=new)


_UPSERT_POINTS = Prepared(_upsert_points(sqlite.insert(points)), _upsert_points(postgresql.insert(points)))
_INSERT_SERIES = Prepared(
    sqlite.insert(series).on_conflict_do_nothing(index_elements=["job_id", "name"]),
    postgresql.insert(series).on_conflict_do_nothing(index_elements=["job_id", "name"]),
)


@dataclass(frozen=True, slots=True)
class Point:
    job_id: str
    name: str
    step: int
    value: float
    at: float


class SeriesIds:
    """(job, name) → series id. Used by the writer's thread only; ids never change, so it needs no locking."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def of(self, conn: sa.Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        missing = [pair for pair in wanted if pair not in self._known]
        if missing:
            if len(self._known) > REMEMBERED:
                self._known.clear()
                missing = list(wanted)
            self._known |= self._make(conn, missing)
        return {pair: self._known[pair] for pair in wanted}

    def forget(self) -> None:
        """After a rollback: a series made in it does not exist, and its number may become another's."""
        self._known.clear()

    @staticmethod
    def _make(conn: sa.Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        _INSERT_SERIES.run(conn, [{"job_id": job_id, "name": name} for job_id, name in pairs])
        jobs = {job_id for job_id, _ in pairs}
        rows = conn.execute(sa.select(series.c.job_id, series.c.name, series.c.id).where(series.c.job_id.in_(jobs)))
        found = {(job_id, name): number for job_id, name, number in rows}
        return {pair: found[pair] for pair in pairs}


def record(conn: sa.Connection, ids: SeriesIds, new: Sequence[Point]) -> None:
    """Store points; a point that is here already (same job, name, step) takes the new value."""
    if not new:
        return
    numbers = ids.of(conn, {(point.job_id, point.name) for point in new})
    latest = {(numbers[point.job_id, point.name], point.step): point for point in new}
    rows = [
        {"series_id": number, "step": step, "value": None if math.isnan(point.value) else point.value, "at": point.at}
        for (number, step), point in latest.items()
    ]
    _UPSERT_POINTS.run(conn, rows)
    _SUMMARISE.run(conn, [_summary(number, points_) for number, points_ in _by_series(latest).items()])


def _by_series(latest: dict[tuple[int, int], Point]) -> dict[int, list[tuple[int, float]]]:
    grouped: dict[int, list[tuple[int, float]]] = {}
    for (number, step), point in latest.items():
        grouped.setdefault(number, []).append((step, point.value))
    return grouped


def _summary(number: int, values: Iterable[tuple[int, float]]) -> dict[str, Any]:
    ordered = sorted(values)
    finite = [(value, step) for step, value in ordered if not math.isnan(value)]
    low, high = min(finite, default=(None, None)), max(finite, key=lambda pair: pair[0], default=(None, None))
    step, last = ordered[-1]
    return {
        "number": number,
        "new_last": None if math.isnan(last) else last,
        "new_step": step,
        "low": low[0],
        "low_step": low[1],
        "high": high[0],
        "high_step": high[1],
    }


def _param(name: str, kind: Any = sa.Float) -> Any:
    return sa.bindparam(name, type_=kind)


def _extreme(better: Any, column: Any, new: str) -> Any:
    return sa.case((better, _param(new, column.type)), else_=column)


_newer = sa.or_(series.c.last_step.is_(None), _param("new_step", sa.BigInteger) >= series.c.last_step)
# NULL (all NaN) is neither lower nor higher than a number, and harmless where there is none yet
_lower = sa.or_(series.c.min.is_(None), _param("low") < series.c.min)
_higher = sa.or_(series.c.max.is_(None), _param("high") > series.c.max)
_SUMMARISE = Prepared(
    series.update()
    .where(series.c.id == _param("number", sa.BigInteger))
    .values(
        last=_extreme(_newer, series.c.last, "new_last"),
        last_step=_extreme(_newer, series.c.last_step, "new_step"),
        min=_extreme(_lower, series.c.min, "low"),
        min_step=_extreme(_lower, series.c.min_step, "low_step"),
        max=_extreme(_higher, series.c.max, "high"),
        max_step=_extreme(_higher, series.c.max_step, "high_step"),
    )
)


# -- reading --------------------------------------------------------------------------------------------------------


def summaries(conn: sa.Connection, job_ids: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """job → metric → {last, last_step, min, min_step, max, max_step}; NaN is spelled out."""
    found: dict[str, dict[str, dict[str, Any]]] = {job_id: {} for job_id in job_ids}
    for row in conn.execute(sa.select(series).where(series.c.job_id.in_(job_ids)).order_by(series.c.name)):
        found[row.job_id][row.name] = {
            "last": _number(row.last),
            "last_step": row.last_step,
            "min": _number(row.min),
            "min_step": row.min_step,
            "max": _number(row.max),
            "max_step": row.max_step,
        }
    return found


def curves(conn: sa.Connection, job_id: str, names: Sequence[str], limit: int) -> dict[str, dict[str, list[Any]]]:
    """metric → {steps, values}, at most `limit` points each, the newest where there are more; no names: all."""
    query = sa.select(series.c.id, series.c.name).where(series.c.job_id == job_id).order_by(series.c.name)
    if names:
        query = query.where(series.c.name.in_(names))
    result: dict[str, dict[str, list[Any]]] = {}
    for number, name in conn.execute(query).all():
        newest = (
            sa.select(points.c.step, points.c.value)
            .where(points.c.series_id == number)
            .order_by(points.c.step.desc())
            .limit(limit)
        )
        rows = conn.execute(newest).all()[::-1]
        result[name] = {"steps": [row.step for row in rows], "values": [_number(row.value) for row in rows]}
    return result


def _number(value: float | None) -> float | str:
    return "NaN" if value is None else spell(value)
