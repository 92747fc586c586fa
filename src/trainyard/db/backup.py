"""A copy of the SQLite database while it is in use, and a way back to it. PostgreSQL brings its own tools."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from trainyard.db.engine import lock_file
from trainyard.db.migrate import config
from trainyard.errors import Conflict, InvalidInput, NotAvailable, NotFound

PAGES = 1000  # copied in one go; whoever writes waits no longer than that takes


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that a whole database stands in, and what is in it."""

    path: Path
    bytes: int
    jobs: int


def back_up(url: str, target: Path) -> Copy:
    """Copy the database as it is in one moment. Blocking: seconds a gigabyte; the backend may go on. Nothing is there
    under that name before all of it is. Raises InvalidInput, NotAvailable, NotFound."""
    source = _file(url)
    if not source.exists():
        raise NotFound(f"There is no database {source}.", hint="`trainyard up` makes one.")
    if target.exists():
        raise InvalidInput(f"{target} is there already.", hint="Name another file: a backup replaces nothing.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _draft(target) as draft:
        _copy(source, draft)
        jobs = _checked(draft)
        draft.replace(target)
    return Copy(target, target.stat().st_size, jobs)


def restore(url: str, source: Path) -> tuple[Copy, Path | None]:
    """Put a backup in the database's place; what was there is kept beside it, and its name returned. Blocking.

    Nothing is touched unless the backup is whole and no newer than this version knows. Raises InvalidInput, Conflict
    while a backend uses the database, NotAvailable.
    """
    target = _file(url)
    if not source.is_file():
        raise InvalidInput(f"There is no file {source}.", hint="`trainyard db backup` makes one.")
    jobs = _checked(source)
    lock = lock_file(url)
    try:
        with _draft(target) as draft:
            _copy(source, draft)
            kept = _set_aside(target)
            draft.replace(target)
    finally:
        lock.release()
    return Copy(target, target.stat().st_size, jobs), kept


def _file(url: str) -> Path:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise NotAvailable(
            "This installation's database is PostgreSQL, which has its own tools for that.",
            hint="pg_dump --format=custom writes a backup, pg_restore reads it.",
        )
    return Path(parsed.database or "")


def _reading(path: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=20))


def _copy(source: Path, target: Path) -> None:
    with _reading(source) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=PAGES)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself


@contextmanager
def _draft(target: Path) -> Generator[Path]:
    """A file beside the target, for the owner only, that is gone afterwards unless it was renamed."""
    draft = target.with_name(f".{target.name}.{time.time_ns()}")
    draft.touch(mode=0o600)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _checked(path: Path) -> int:
    """How many jobs are in it. Raises InvalidInput for anything but a sound database of ours."""
    try:
        with _reading(path) as conn:
            (sound,) = conn.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                raise InvalidInput(f"{path} is damaged: {sound}.", hint="Use another backup.")
            (revision,) = conn.execute("SELECT version_num FROM alembic_version").fetchone()
            (jobs,) = conn.execute("SELECT count(*) FROM jobs").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise InvalidInput(
            f"{path} is not a backup of trainyard: {error}.", hint="`trainyard db backup` makes one."
        ) from error
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision not in known:
        raise InvalidInput(
            f"{path} was made by a newer trainyard (its tables are at {revision}).",
            hint="Update this installation first.",
        )
    return int(jobs)


def _set_aside(target: Path) -> Path | None:
    """The database that is there keeps its content under another name, with what SQLite had not yet merged into it."""
    if not target.exists():
        return None
    # a damaged one may be why somebody restores: it is kept as it is
    with closing(sqlite3.connect(target, timeout=1)) as conn, suppress(sqlite3.DatabaseError):
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = target.with_name(f"{target.stem}-before-restore-{time.strftime('%Y%m%d-%H%M%S')}{target.suffix}")
    if kept.exists():
        raise Conflict(f"{kept} is there already.", hint="Wait a second and say it again.")
    for suffix in ("-wal", "-shm"):
        part = target.with_name(target.name + suffix)
        if part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    target.replace(kept)
    return kept
