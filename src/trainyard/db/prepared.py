"""Statements of the hot path: compiled once a dialect, then handed to the driver with nothing in between.

SQLAlchemy spends more on binding a row than SQLite on storing it; for the few statements that run with every callback
this matters, for no others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """One INSERT or UPDATE for many rows. JSON columns take text (db/engine.py's `dumps`)."""

    def __init__(self, *by_dialect: UpdateBase) -> None:
        """One statement for every dialect, or SQLite's and PostgreSQL's."""
        self._statements = {"sqlite": by_dialect[0], "postgresql": by_dialect[-1]}
        self._compiled: dict[str, tuple[str, list[str] | None]] = {}

    def run(self, conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute for every row; all rows have the same keys."""
        if not rows:
            return
        name = conn.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._compile(conn, list(rows[0]))
        sql, order = self._compiled[name]
        conn.exec_driver_sql(
            sql, list(map(dict, rows)) if order is None else [tuple(map(row.get, order)) for row in rows]
        )

    def _compile(self, conn: sa.Connection, keys: list[str]) -> tuple[str, list[str] | None]:
        statement = self._statements[conn.dialect.name]
        columns = keys if statement.is_insert else None
        compiled = statement.compile(dialect=conn.dialect, column_keys=columns, for_executemany=True)
        return str(compiled), getattr(compiled, "positiontup", None)
