"""Adding, showing and removing datasets: a row in the database and an object in the store, never one for long without
the other. The object comes first and goes last, so that a row always has its object.
"""

import hashlib
import logging
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from trainyard.contract.keys import DATASET_ID_PATTERN, dataset_key, slug
from trainyard.datasets import repository
from trainyard.datasets.inspect import take_in
from trainyard.datasets.model import Dataset
from trainyard.db.engine import Database
from trainyard.errors import Conflict, InvalidInput, NotFound, TrainyardError
from trainyard.events import log as events
from trainyard.storage.store import Download, Store

log = logging.getLogger(__name__)

MAX_UNPACKED = 100 * 2**30  # five times the largest upload that the settings allow out of the box
MAX_SUFFIX = 1000
DATASETS_PREFIX = dataset_key("").removesuffix(".zip")
SAME_TIME = 64


class DatasetService:
    """Every call blocks (store and database); none holds a transaction while it talks to the store."""

    def __init__(self, store: Store, database: Database, max_unpacked: int = MAX_UNPACKED) -> None:
        self._store = store
        self._database = database
        self._max_unpacked = max_unpacked
        self._inspecting = threading.Lock()  # one at a time: a large directory or COCO json takes some hundred MiB
        # adding and removing the same id take turns, or one would delete the object that the other just wrote
        self._turns = [threading.Lock() for _ in range(SAME_TIME)]
        self._swept = False

    # -- reading ---------------------------------------------------------------------------------------------------

    def list(self, project_id: str | None = None) -> list[Dataset]:
        with self._database.read() as conn:
            return repository.listed(conn, project_id)

    def show(self, dataset_id: str) -> Dataset:
        with self._database.read() as conn:
            found = repository.find(conn, dataset_id)
        if found is None:
            raise NotFound(f"There is no dataset {dataset_id[:64]}.", hint="`trainyard datasets list` shows them.")
        return found

    def download(self, dataset_id: str) -> Download:
        """The zip as trainers get it: iterate it once, or close it."""
        return self._store.open_read(dataset_key(self.show(dataset_id).id))

    # -- adding ----------------------------------------------------------------------------------------------------

    def add(self, project_id: str, name: str | None, path: Path, dataset_id: str | None = None) -> Dataset:
        """Check the zip at `path` and keep it. Give a file that nobody else needs, and delete it afterwards: to a COCO
        dataset the labels that trainers read are added, before its size and sha256 are taken.

        With an id: the same content again is the same dataset, other content is a Conflict. Without: the id is made
        of the name, and gets a number where it is taken. Raises InvalidInput before anything is kept.
        """
        if dataset_id is not None and not re.fullmatch(DATASET_ID_PATTERN, dataset_id):
            raise InvalidInput(
                f"{dataset_id[:80]!r} can't be a dataset's id.",
                hint="Use 1 to 64 of a-z, 0-9 and -, neither beginning nor ending with -.",
                field="dataset_id",
            )
        name = (name or dataset_id or "dataset").strip()
        if not name.isprintable() or not 1 <= len(name) <= 200:
            raise InvalidInput("The name is not usable.", hint="Use 1 to 200 printable characters.", field="name")
        self._require_project(project_id)
        with self._inspecting:
            found = take_in(path, self._max_unpacked)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        draft = Dataset("", project_id, name, found.tasks, found.summary, path.stat().st_size, sha256, time.time())
        for candidate in [dataset_id] if dataset_id else _candidates(slug(name, "dataset")):
            added = self._add_as(candidate, draft, path)
            if added is not None:
                return added
        raise Conflict(
            f"The id {dataset_id or slug(name, 'dataset')} belongs to a dataset with other content.",
            hint="Choose another id, or remove that dataset first.",
        )

    def _add_as(self, dataset_id: str, draft: Dataset, path: Path) -> Dataset | None:
        """The dataset under this id, or None where the id belongs to another one."""
        with self._turn(dataset_id):
            with self._database.read() as conn:
                taken = repository.find(conn, dataset_id)
            if taken is not None:
                same = (taken.sha256, taken.project_id) == (draft.sha256, draft.project_id)
                return taken if same else None
            dataset = replace(draft, id=dataset_id)
            self._sweep_once()
            self._store.put_file(dataset_key(dataset_id), path)
            try:
                self._database.write(lambda conn: _keep(conn, dataset))
            except BaseException:  # also a shutdown in the middle
                self._undo_unless_kept(dataset)
                raise
            return dataset

    def _undo_unless_kept(self, dataset: Dataset) -> None:
        """Delete the object where no row tells of it; where that can't be found out, leave it: it may be in use."""
        try:
            with self._database.read() as conn:
                kept = repository.find(conn, dataset.id) is not None
            if not kept:
                self._store.delete(dataset_key(dataset.id))
        except (TrainyardError, SQLAlchemyError):
            log.warning("could not clear up after the failed upload of %s", dataset.id, exc_info=True)

    def _sweep_once(self) -> None:
        """A backend that was killed while uploading left parts that fill the disk and that nobody sees."""
        if self._swept:
            return
        self._swept = True
        try:
            self._store.drop_abandoned_uploads(DATASETS_PREFIX)
        except TrainyardError:
            log.warning("could not look for abandoned uploads", exc_info=True)

    def _require_project(self, project_id: str) -> None:
        with self._database.read() as conn:
            if not repository.project_exists(conn, project_id):
                raise InvalidInput(
                    f"There is no project {project_id[:64]!r}.", hint="POST /v1/projects makes one.", field="project_id"
                )

    def _turn(self, dataset_id: str) -> threading.Lock:
        return self._turns[hash(dataset_id) % SAME_TIME]

    # -- removing --------------------------------------------------------------------------------------------------

    def remove(self, dataset_id: str) -> None:
        """Remove the row, then the object. Raises Conflict while a job that has not ended uses it."""
        dataset = self.show(dataset_id)
        with self._turn(dataset_id):
            self._database.write(lambda conn: _forget(conn, dataset))
            try:
                self._store.delete(dataset_key(dataset_id))
            except TrainyardError:
                # for its user the dataset is gone; the next one of this id overwrites what is left
                log.warning("the zip of the removed dataset %s is still in the store", dataset_id, exc_info=True)


def _candidates(base: str) -> list[str]:
    return [base, *(f"{base[:58].rstrip('-')}-{number}" for number in range(2, MAX_SUFFIX))]


def _keep(conn: sa.Connection, dataset: Dataset) -> None:
    if repository.find(conn, dataset.id) is not None:
        raise Conflict(f"Another backend has just added {dataset.id}.", hint="Look at that one, or choose another id.")
    repository.insert(conn, dataset)
    data = {"dataset_id": dataset.id, "name": dataset.name, "tasks": dataset.tasks}
    events.append(conn, project_id=dataset.project_id, type="dataset_added", data=data)


def _forget(conn: sa.Connection, dataset: Dataset) -> None:
    users = repository.jobs_using(conn, dataset.id)
    if users:
        listed = ", ".join(users[:3]) + (" and more" if len(users) > 3 else "")
        raise Conflict(
            f"The dataset {dataset.id} is in use by {listed}.",
            hint="Cancel these jobs or let them end, then remove it.",
        )
    if repository.delete(conn, dataset.id):
        data = {"dataset_id": dataset.id, "name": dataset.name}
        events.append(conn, project_id=dataset.project_id, type="dataset_removed", data=data)
