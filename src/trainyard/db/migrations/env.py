"""Alembic's entry: always on the connection it is given (db/migrate.py)."""

from alembic import context

from trainyard.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
