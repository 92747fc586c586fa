"""Has each dataset checked, one after another: the queue is a table, so a backend that is started again goes on.

A dataset's zip is fetched once, looked at by a process of its own, and what came out is kept: the report in the
database, the table of its pictures in the store.
"""

import logging
import secrets
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from trainyard.contract.keys import dataset_key
from trainyard.datasets import repository, standings
from trainyard.datasets.check.decoder import SECONDS
from trainyard.datasets.check.process import Checker, CheckerDied
from trainyard.datasets.model import CheckState, Standing
from trainyard.datasets.service import index_key
from trainyard.datasets.spool import plain_errors, require_room
from trainyard.datasets.standings import Claim
from trainyard.db.engine import Database
from trainyard.errors import NotFound, TrainyardError
from trainyard.events import log as events
from trainyard.storage.store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0  # another backend may have added something, or left something
TELL_SECONDS = 1.0
TRIES = 3  # a checker that was killed is started again
_FAILED = "The check could not be done: its process ended {tries} times ({why})."


class _Taken(Exception):
    """The dataset is gone, is checked anew, or this backend is closing."""


class DatasetChecks:
    """Start it once; `wake` it for each dataset that has come or gone."""

    def __init__(
        self,
        store: Store,
        database: Database,
        folder: Path,
        node: str,
        *,
        at_once: int,
        max_pixels: int,
        picture_seconds: float = SECONDS,
    ) -> None:
        self._store = store
        self._database = database
        self._folder = folder
        self._node = node
        self._max_pixels = max_pixels
        self._picture_seconds = picture_seconds
        self._running: dict[str, tuple[Claim, Checker]] = {}
        self._changed = threading.Condition()
        self._news = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"checks-{n}", daemon=True) for n in range(at_once)]

    def start(self) -> None:
        """Go on with what this installation was at."""
        shutil.rmtree(self._folder / "work", ignore_errors=True)
        self._database.write(lambda conn: standings.queue_interrupted(conn, self._node))
        for thread in self._threads:
            thread.start()

    def wake(self, dataset_id: str) -> None:
        """A dataset has come, or gone: then nobody goes on looking at it."""
        with self._changed:
            running = self._running.get(dataset_id)
            self._news += 1
            self._changed.notify_all()
        if running is not None:
            claim, checker = running
            with self._database.read() as conn:
                wanted = standings.holds(conn, claim)
            if not wanted:
                checker.end()

    def close(self) -> None:
        """What is under way is begun again by the next backend. Idempotent."""
        with self._changed:
            self._closed = True
            running = list(self._running.values())
            self._changed.notify_all()
        for _, checker in running:
            checker.end()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    # -- asking ----------------------------------------------------------------------------------------------------

    def report(self, dataset_id: str) -> tuple[Standing, dict[str, Any]]:
        """Raises NotFound."""
        with self._database.read() as conn:
            _require(conn, dataset_id)
            found = standings.standings(conn, [dataset_id]).get(dataset_id, Standing())
            return found, standings.report(conn, dataset_id)

    def again(self, dataset_id: str) -> None:
        """Check it anew, from the beginning. Raises NotFound."""

        def store(conn: sa.Connection) -> None:
            _require(conn, dataset_id)
            standings.queue_again(conn, dataset_id)

        self._database.write(store)
        self.wake(dataset_id)

    # -- the threads -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closed:
            with self._changed:
                seen = self._news
            claim: Claim | None = None
            try:
                claim = self._database.write(lambda conn: standings.take(conn, self._node))
                if claim is not None:
                    self._check(claim)
                    continue
            except _Taken:
                continue
            except NotFound as gone:
                self._fail(claim, str(gone))
                continue
            except (TrainyardError, SQLAlchemyError, OSError) as error:
                if self._closed:
                    return
                log.warning("the check of %s is put off: %s", claim.dataset_id if claim else "datasets", error)
                self._put_back(claim)
            except Exception:
                log.exception("the check of %s failed", claim.dataset_id if claim else "datasets")
                self._fail(claim, "Its log holds the traceback.")
            with self._changed:
                self._changed.wait_for(lambda news=seen: self._closed or self._news != news, LOOK_SECONDS)

    def _put_back(self, claim: Claim | None) -> None:
        if claim is not None:
            try:
                self._database.write(lambda conn: standings.put_back(conn, claim))
            except (TrainyardError, SQLAlchemyError):
                log.warning("the check of %s waits to be taken over", claim.dataset_id, exc_info=True)

    def _fail(self, claim: Claim | None, why: str) -> None:
        if claim is not None:
            report = {"message": why, "checked_at": time.time()}
            self._end(claim, state=CheckState.FAILED, report=report)

    def _check(self, claim: Claim) -> None:
        work = self._folder / "work" / f"{claim.dataset_id}-{secrets.token_hex(4)}"
        try:
            with plain_errors(self._folder):
                work.mkdir(parents=True, mode=0o700)
            self._tell(claim, {})
            self._fetch(claim, work / "dataset.zip")
            for tried in range(1, TRIES + 1):
                try:
                    self._listen(claim, work)
                    return
                except CheckerDied as died:
                    self._tell(claim, {})  # raises where that is why it ended
                    log.warning("the check of %s ended: %s", claim.dataset_id, died)
                    if tried == TRIES:
                        self._fail(claim, _FAILED.format(tries=TRIES, why=died))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _fetch(self, claim: Claim, path: Path) -> None:
        download, told = self._store.open_read(dataset_key(claim.dataset_id)), time.monotonic()
        with plain_errors(path.parent):
            require_room(path.parent, download.object.size)
            with path.open("wb") as file:
                for chunk in download:
                    file.write(chunk)
                    if time.monotonic() - told > TELL_SECONDS:
                        told = time.monotonic()
                        self._tell(claim, {})

    def _listen(self, claim: Claim, work: Path) -> None:
        """Until it has told everything. Raises CheckerDied, or _Taken."""
        index = work / "index.db"
        index.unlink(missing_ok=True)
        checker = Checker(work / "dataset.zip", claim.sha256, index, self._max_pixels, self._picture_seconds)
        with self._changed:
            self._running[claim.dataset_id] = (claim, checker)
        told = 0.0
        try:
            for said in checker.messages():
                if "refused" in said:
                    self._fail(claim, f"{said['refused']} {said['hint']}".strip())
                elif "report" in said:
                    self._store.put_file(index_key(claim.dataset_id), index)
                    self._done(claim, said)
                elif time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    self._tell(claim, said)
        finally:
            with self._changed:
                self._running.pop(claim.dataset_id, None)
            checker.end()

    def _tell(self, claim: Claim, said: dict[str, Any]) -> None:
        """How far it is, to whoever listens. Raises _Taken where nobody wants to know any more."""
        if self._closed:
            raise _Taken
        values = {name: said[name] for name in ("done", "pictures", "errors", "warnings") if name in said}
        progress = round(said["done"] / said["pictures"], 4) if said.get("pictures") else 0.0
        data = {"dataset_id": claim.dataset_id, "progress": progress, **values}

        def store(conn: sa.Connection) -> bool:
            if not standings.tell(conn, claim, **values):
                return False
            events.append(conn, project_id=claim.project_id, type="dataset_checking", data=data)
            return True

        if not self._database.write(store):
            raise _Taken

    def _done(self, claim: Claim, said: dict[str, Any]) -> None:
        values = {name: said[name] for name in ("done", "pictures", "errors", "warnings", "refusals")}
        self._end(claim, state=CheckState.DONE, report=events.storable(said["report"]), **events.storable(values))

    def _end(self, claim: Claim, **values: Any) -> None:
        data = {name: values[name] for name in ("state", "errors", "warnings") if name in values}
        data |= {"dataset_id": claim.dataset_id, "ready": not values.get("refusals")}
        message = values["report"].get("message", "")

        def store(conn: sa.Connection) -> None:
            if standings.tell(conn, claim, **values):
                events.append(conn, project_id=claim.project_id, type="dataset_checked", message=message, data=data)

        self._database.write(store)


def _require(conn: sa.Connection, dataset_id: str) -> None:
    if repository.find(conn, dataset_id) is None:
        raise NotFound(f"There is no dataset {dataset_id[:64]}.", hint="`trainyard datasets list` shows them.")
