"""Imports what the backend imports, so that just that is in the image as bytecode: all of it would be 20 MB more."""

import pkgutil
from importlib import import_module

import botocore.session

import trainyard

LEFT_OUT = ("trainyard.cli", "trainyard.stack", "trainyard.conformance", "trainyard.db.migrations")
LATE = (
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
)

for module in pkgutil.walk_packages(trainyard.__path__, "trainyard."):
    if not module.name.startswith(LEFT_OUT) and not module.name.endswith("__main__"):
        import_module(module.name)
for name in LATE:
    import_module(name)
botocore.session.Session().create_client("s3", region_name="auto")
