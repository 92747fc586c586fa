"""A database whose answers get lost: what was written is stored, and whoever waits hears that the connection broke.

A backend imports this first. While there is a file `commits.lost` in its folder, that happens to the share of its
commits that stands in it, after its seed.
"""

import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from trainyard.db.engine import Database

MARK = Path("commits.lost")
_begin = Database._begin_write  # pyright: ignore[reportPrivateUsage]
_dice: dict[str, random.Random] = {}


@contextmanager
def _begin_and_lose(self: Database) -> Generator[sa.Connection]:
    with _begin(self) as conn:
        yield conn
    if not MARK.exists():
        return
    seed, _, share = MARK.read_text().partition(" ")
    if _dice.setdefault(seed, random.Random(seed)).random() < float(share or "0"):
        broken = ConnectionError("server closed the connection unexpectedly")
        raise exc.OperationalError("COMMIT", {}, broken, connection_invalidated=True)


Database._begin_write = _begin_and_lose  # pyright: ignore[reportPrivateUsage]
