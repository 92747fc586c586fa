"""The pictures of a checked dataset as one SQLite file: written while it is checked, then read a page at a time."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1  # another one: the dataset is checked anew
BATCH = 500
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE pictures (
    number INTEGER PRIMARY KEY, name TEXT, split TEXT, width INTEGER, height INTEGER, labels TEXT, problems TEXT,
    start INTEGER, packed INTEGER, bytes INTEGER, method INTEGER
);
CREATE TABLE labels (label TEXT, number INTEGER, PRIMARY KEY (label, number)) WITHOUT ROWID;
CREATE TABLE problems (code TEXT, number INTEGER, PRIMARY KEY (code, number)) WITHOUT ROWID;
"""
_FILTERS = {
    "split": "split = :split",
    "label": "number IN (SELECT number FROM labels WHERE label = :label)",
    "problem": "number IN (SELECT number FROM problems WHERE code = :problem)",
    "search": "name LIKE :search ESCAPE '\\'",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture's bytes lie in the zip."""

    start: int
    packed: int
    bytes: int
    method: int


@dataclass(frozen=True, slots=True)
class Row:
    """A picture. A label has a box (left, top, right, bottom as shares) where it is known."""

    index: int
    name: str
    split: str
    width: int | None
    height: int | None
    labels: list[tuple[str, list[float] | None]]
    problems: list[str]
    place: Place


class IndexWriter:
    """To a new file. Close it, or what was added last is missing."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        self._database.executemany(
            "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(row.index, row.name, row.split, row.width, row.height),
                    *(json.dumps(row.labels, ensure_ascii=False), json.dumps(row.problems)),
                    *(row.place.start, row.place.packed, row.place.bytes, row.place.method),
                )
                for row in rows
            ],
        )
        labels = {(label, row.index) for row in rows for label, _ in row.labels}
        problems = {(code, row.index) for row in rows for code in (*row.problems, *(["any"] if row.problems else []))}
        self._database.executemany("INSERT INTO labels VALUES (?, ?)", sorted(labels))
        self._database.executemany("INSERT INTO problems VALUES (?, ?)", sorted(problems))

    def close(self, about: Mapping[str, str]) -> None:
        self._flush()
        told = {**about, "format": str(FORMAT)}
        self._database.executemany("INSERT INTO about VALUES (?, ?)", told.items())
        self._database.execute("CREATE INDEX by_split ON pictures (split, number)")
        self._database.execute("COMMIT")
        self._database.close()


class IndexReader:
    """Opens the file for each question: it may be removed at any time. Raises sqlite3.Error where it is no index."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _open(self) -> "closing[sqlite3.Connection]":
        return closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro&immutable=1", uri=True))

    def fits(self, sha256: str) -> bool:
        """Whether it is the index of this content, as we write it now."""
        try:
            with self._open() as database:
                about = dict(database.execute("SELECT key, value FROM about").fetchall())
        except sqlite3.Error:
            return False
        return about == {"format": str(FORMAT), "sha256": sha256}

    def page(self, filters: Mapping[str, str], offset: int, limit: int) -> tuple[int, list[Row]]:
        """How many fit, and so many of them; the filters are split, label, problem and search."""
        given = dict(filters)
        if "search" in given:
            text = given["search"].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            given["search"] = f"%{text}%"
        where = " AND ".join(_FILTERS[name] for name in given) or "1"
        with self._open() as database:
            total = database.execute(f"SELECT count(*) FROM pictures WHERE {where}", given).fetchone()[0]  # noqa: S608
            rows = database.execute(
                f"SELECT * FROM pictures WHERE {where} ORDER BY number LIMIT :limit OFFSET :offset",  # noqa: S608
                given | {"limit": limit, "offset": offset},
            )
            return total, list(_rows(rows))

    def one(self, number: int) -> Row | None:
        with self._open() as database:
            return next(_rows(database.execute("SELECT * FROM pictures WHERE number = ?", (number,))), None)


def _rows(found: Iterable[Any]) -> Iterator[Row]:
    for number, name, split, width, height, labels, problems, *place in found:
        yield Row(number, name, split, width, height, json.loads(labels), json.loads(problems), Place(*place))
