"""Has each dataset checked, one after another: the queue is a table, so a backend that is started again goes on.

A dataset's zip is fetched once, looked at by a process of its own, and what came out is kept: the report in the
database, the table of its pictures in the store.
"""

import hashlib
import logging
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
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
NEWS_SHARE, NEWS_SECONDS = 0.05, 30.0  # of progress, and at least: an event is kept for ever
RENEW_SECONDS = 60.0  # before a claim counts as left: its process may be silent for longer
PUT_OFF_SECONDS, LONGEST_PUT_OFF = 15.0, 900.0  # twice as long each time
TRIES = 3  # a checker that was killed is started again
_FAILED = "The check could not be done: its process ended {tries} times ({why})."
_OTHER = "What lies in the store is not what was uploaded: its sha256 differs. Remove the dataset and upload it again."


class _Taken(Exception):
    """The dataset is gone, is checked anew, or this backend is closing."""


class _Told:
    """What was last said of a check: its row is written each second, an event only where it is news."""

    def __init__(self) -> None:
        self._row_at = self._event_at = 0.0
        self._progress = -1.0

    def is_due(self) -> bool:
        if time.monotonic() - self._row_at < TELL_SECONDS:
            return False
        self._row_at = time.monotonic()
        return True

    def is_news(self, progress: float) -> bool:
        now = time.monotonic()
        if abs(progress - self._progress) < NEWS_SHARE and now - self._event_at < NEWS_SECONDS:
            return False
        self._event_at, self._progress = now, progress
        return True


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
        self._put_off: Counter[str] = Counter()  # how often, by dataset
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
            self._put_off.pop(dataset_id, None)
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
            standings.queue(conn, dataset_id)

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
                self._leave(claim, self._fail, str(gone))
                continue
            except (TrainyardError, SQLAlchemyError, OSError) as error:
                if self._closed:
                    return
                log.warning("the check of %s is put off: %s", claim.dataset_id if claim else "datasets", error)
                self._leave(claim, self._put_back)
            except Exception:
                log.exception("the check of %s failed", claim.dataset_id if claim else "datasets")
                self._leave(claim, self._fail, "The backend's log holds the traceback.")
            with self._changed:
                self._changed.wait_for(lambda news=seen: self._closed or self._news != news, LOOK_SECONDS)

    def _leave(self, claim: Claim | None, leave: Callable[..., None], *why: str) -> None:
        """Raises nothing, whatever the database says: the thread goes on, and the claim is free after a while."""
        if claim is not None:
            try:
                leave(claim, *why)
            except Exception:
                log.warning("the check of %s waits to be taken over", claim.dataset_id, exc_info=True)

    def _put_back(self, claim: Claim) -> None:
        self._put_off[claim.dataset_id] += 1
        seconds = min(PUT_OFF_SECONDS * 2.0 ** min(self._put_off[claim.dataset_id] - 1, 10), LONGEST_PUT_OFF)
        self._database.write(lambda conn: standings.put_back(conn, claim, seconds))

    def _fail(self, claim: Claim, why: str, *, refusals: tuple[str, ...] = ()) -> None:
        report = {"message": why, "checked_at": time.time()}
        self._end(claim, state=CheckState.FAILED, report=report, refusals=list(refusals))

    def _check(self, claim: Claim) -> None:
        work, told = self._folder / "work" / f"{claim.dataset_id}-{secrets.token_hex(4)}", _Told()
        try:
            with plain_errors(self._folder):
                work.mkdir(parents=True, mode=0o700)
            self._tell(claim, told, {})
            with self._renewing(claim):
                if self._fetch(claim, told, work / "dataset.zip") == claim.sha256:
                    self._look(claim, told, work)
                else:
                    self._fail(claim, _OTHER, refusals=(_OTHER,))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    @contextmanager
    def _renewing(self, claim: Claim) -> Generator[None]:
        """Nobody else takes it while nothing is said: at a large COCO json, or while its table goes to the store."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(RENEW_SECONDS):
                try:
                    self._database.write(lambda conn: standings.tell(conn, claim))
                except Exception:
                    log.warning("the claim on %s could not be renewed", claim.dataset_id, exc_info=True)

        thread = threading.Thread(target=renew, name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _fetch(self, claim: Claim, told: _Told, path: Path) -> str:
        """Its sha256 as it lies in the store."""
        download, digest = self._store.open_read(dataset_key(claim.dataset_id)), hashlib.sha256()
        with plain_errors(path.parent):
            require_room(path.parent, download.object.size)
            with path.open("wb") as file:
                for chunk in download:
                    file.write(chunk)
                    digest.update(chunk)
                    if told.is_due():
                        self._tell(claim, told, {})
        return digest.hexdigest()

    def _look(self, claim: Claim, told: _Told, work: Path) -> None:
        for tried in range(1, TRIES + 1):
            try:
                self._listen(claim, told, work)
                return
            except CheckerDied as died:
                self._tell(claim, told, {})  # raises where that is why it ended
                log.warning("the check of %s ended: %s", claim.dataset_id, died)
                if tried == TRIES:
                    self._fail(claim, _FAILED.format(tries=TRIES, why=died))

    def _listen(self, claim: Claim, told: _Told, work: Path) -> None:
        """Until it has told everything. Raises CheckerDied, or _Taken."""
        index = work / "index.db"
        index.unlink(missing_ok=True)
        checker = Checker(work / "dataset.zip", claim.sha256, index, self._max_pixels, self._picture_seconds)
        with self._changed:
            self._running[claim.dataset_id] = (claim, checker)
        try:
            for said in checker.messages():
                if "refused" in said:
                    self._fail(claim, f"{said['refused']} {said['hint']}".strip())
                elif "report" in said:
                    self._store.put_file(index_key(claim.dataset_id), index)
                    self._done(claim, said)
                elif told.is_due():
                    self._tell(claim, told, said)
        finally:
            with self._changed:
                self._running.pop(claim.dataset_id, None)
            checker.end()

    def _tell(self, claim: Claim, told: _Told, said: dict[str, Any]) -> None:
        """How far it is, to whoever listens. Raises _Taken where nobody wants to know any more."""
        if self._closed:
            raise _Taken
        values = {name: said[name] for name in ("done", "pictures", "errors", "warnings") if name in said}
        progress = round(said["done"] / said["pictures"], 4) if said.get("pictures") else 0.0
        data = {"dataset_id": claim.dataset_id, "progress": progress, **values}
        is_news = told.is_news(progress)

        def store(conn: sa.Connection) -> bool:
            if not standings.tell(conn, claim, **values):
                return False
            if is_news:
                events.append(conn, project_id=claim.project_id, type="dataset_checking", data=data)
            return True

        if not self._database.write(store):
            raise _Taken

    def _done(self, claim: Claim, said: dict[str, Any]) -> None:
        values = {name: said[name] for name in ("done", "pictures", "errors", "warnings", "refusals")}
        self._end(claim, state=CheckState.DONE, report=events.storable(said["report"]), **events.storable(values))

    def _end(self, claim: Claim, **values: Any) -> None:
        self._put_off.pop(claim.dataset_id, None)
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
