"""Bringing a database to this version's tables. Several backends starting at once do it once.

`python -m trainyard.db.migrate` does just that: a deployment's step before its backends.
"""

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from trainyard.db.engine import Database
from trainyard.errors import TrainyardError
from trainyard.settings import load_settings

MIGRATE_LOCK = 7_213_002


def config() -> Config:
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return result


def upgrade(database: Database, revision: str = "head") -> None:
    """Blocking; a no-op on a database that is up to date."""
    with database.engine.connect() as plain:
        conn = plain.execution_options(immediate=True)
        with conn.begin():
            if conn.dialect.name == "postgresql":
                conn.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATE_LOCK)))
            settings = config()
            settings.attributes["connection"] = conn
            command.upgrade(settings, revision)


def main() -> int:
    """Blocking; the exit code. Says in a line what it could not do."""
    try:
        database = Database(load_settings().database)
        try:
            upgrade(database)
        finally:
            database.close()
    except (TrainyardError, OperationalError) as error:
        sys.stderr.write(f"trainyard migrations: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
