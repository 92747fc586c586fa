"""One after another: within a backend by a lock, among several on PostgreSQL by one of the database's."""

import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from trainyard.db.engine import Database

SAME_TIME = 64


class Turns:
    """For what is named, whatever the names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks = [threading.Lock() for _ in range(SAME_TIME)]

    @contextmanager
    def of(self, name: str) -> Generator[None]:
        """Blocks while somebody has this turn, in whichever backend. A backend that ends lets go of all of its own."""
        with self._locks[hash(name) % SAME_TIME]:
            if self._database.is_sqlite:  # its file has one backend
                yield
                return
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            with self._database.engine.connect() as conn:
                conn.execution_options(isolation_level="AUTOCOMMIT")  # no transaction is open meanwhile
                conn.detach()  # not the pool's: however this ends, the server lets go when it is closed
                conn.execute(sa.select(sa.func.pg_advisory_lock(number)))
                yield
