"""Opening the database: SQLite out of the box, PostgreSQL by URL, the same behaviour on both."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event

from trainyard.db.writer import Writer
from trainyard.errors import Conflict, InvalidSetting

T = TypeVar("T")


def dumps(value: object) -> str:
    """JSON as every database of ours stores it; refuses NaN, which JSON lacks."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


class Database:
    """Reads through a pool, writes through one writer. Close it at the end of the process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock: FileLock | None = None
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self._lock = lock_file(url)
        self.engine = _sqlite(url) if self.is_sqlite else _postgres(url)
        self.writer = Writer(self._begin_write)

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A consistent look at the database. Never write through it."""
        with self.engine.connect() as conn:
            yield conn

    def write(self, function: Callable[[sa.Connection], T]) -> T:
        """Execute in the writer's next transaction; returns after the commit. Blocking."""
        return self.writer.run(function)

    @contextmanager
    def _begin_write(self) -> Generator[sa.Connection]:
        with self.engine.connect() as plain:
            conn = plain.execution_options(immediate=True)
            with conn.begin():
                yield conn

    def close(self) -> None:
        self.writer.close()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()


def lock_file(url: str) -> FileLock:
    """On SQLite one backend owns the file: a second would dispatch the same jobs."""
    path = sa.make_url(url).database
    if not path or path == ":memory:":
        raise InvalidSetting("TRAINYARD_DATABASE_URL names no file.", hint="Use sqlite:////folder/trainyard.db.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict(
            f"Another backend is using {path}.",
            hint="Stop it (`trainyard down`), or use PostgreSQL (TRAINYARD_DATABASE_URL) to run several.",
        ) from None
    return lock


def _sqlite(url: str) -> sa.Engine:
    engine = sa.create_engine(
        url, json_serializer=dumps, connect_args={"check_same_thread": False, "isolation_level": None}, pool_size=16
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000", "foreign_keys=ON"):
            dbapi.execute(f"PRAGMA {pragma}")
        dbapi.execute("PRAGMA wal_autocheckpoint=4000")

    @event.listens_for(engine, "begin")
    def _begin(conn: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # a deferred transaction that reads and then writes fails at once under contention, whatever the timeout
        immediate = conn.get_execution_options().get("immediate", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgres(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "postgresql":
        raise InvalidSetting(
            f"TRAINYARD_DATABASE_URL begins with {parsed.drivername}.", hint="Use sqlite:///… or postgresql://…"
        )
    return sa.create_engine(parsed, json_serializer=dumps, pool_size=16, max_overflow=16, pool_pre_ping=True)
