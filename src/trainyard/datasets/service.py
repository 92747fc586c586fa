"""Adding, showing and removing datasets: a row in the database and an object in the store, never one for long without
the other. The object comes first and goes last, so that a row always has its object.
"""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from trainyard.contract.keys import DATASET_ID_PATTERN, dataset_key, slug
from trainyard.datasets import repository, standings
from trainyard.datasets.inspect import take_in
from trainyard.datasets.model import Dataset, Standing
from trainyard.datasets.turns import Turns
from trainyard.db.engine import Database
from trainyard.errors import Conflict, InvalidInput, NotFound, TrainyardError
from trainyard.events import log as events
from trainyard.storage.store import Download, Store

log = logging.getLogger(__name__)

MAX_UNPACKED = 100 * 2**30  # five times the largest upload that the settings allow out of the box
MAX_SUFFIX = 1000
DATASETS_PREFIX = dataset_key("").removesuffix(".zip")


def index_key(dataset_id: str) -> str:
    """Its pictures as a table, made by its check."""
    return f"{DATASETS_PREFIX}{dataset_id}.index"


class DatasetService:
    """Every call blocks (store and database); none holds a transaction while it talks to the store."""

    def __init__(
        self,
        store: Store,
        database: Database,
        max_unpacked: int = MAX_UNPACKED,
        changed: Callable[[str], None] = lambda _dataset_id: None,
    ) -> None:
        """`changed` is called with the id of each dataset that has come or gone."""
        self._store = store
        self._database = database
        self._max_unpacked = max_unpacked
        self._changed = changed
        self._inspecting = threading.Lock()  # one at a time: a large directory or COCO json takes some hundred MiB
        # adding and removing the same id take turns, or one would delete or overwrite what the other just wrote
        self._turns = Turns(database)
        self._name_turns = Turns(database)  # two of one name at once are two versions
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

    def standing(self, dataset_id: str) -> Standing:
        """How far its check is, and how many jobs were given it."""
        return self.standings([dataset_id]).get(dataset_id, Standing())

    def standings(self, dataset_ids: Sequence[str] | None = None) -> dict[str, Standing]:
        with self._database.read() as conn:
            return standings.standings(conn, dataset_ids)

    def download(self, dataset_id: str) -> Download:
        """The zip as trainers get it: iterate it once, or close it."""
        return self._store.open_read(dataset_key(self.show(dataset_id).id))

    # -- adding ----------------------------------------------------------------------------------------------------

    def add(self, project_id: str, name: str | None, path: Path, dataset_id: str | None = None) -> tuple[Dataset, bool]:
        """Check the zip at `path` and keep it; (dataset, True), or (what was known, False). Give a file that nobody
        else needs, and delete it afterwards: to a COCO dataset the labels that trainers read are added, before its size
        and sha256 are taken.

        With an id: the same content again is the same dataset, other content is a Conflict. Without: what the project
        has already under any name is that dataset; other content of a name it has is that name's next version. Raises
        InvalidInput before anything is kept.
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
        self.require_project(project_id)
        with self._inspecting:
            found = take_in(path, self._max_unpacked)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        draft = Dataset("", project_id, name, found.tasks, found.summary, path.stat().st_size, sha256, time.time())
        if dataset_id is None:
            with self._name_turns.of(f"dataset name {project_id}/{name}"):
                return self._add_version(draft, path)
        added = self._add_as(dataset_id, draft, path)
        if added is None:
            raise Conflict(
                f"The id {dataset_id} belongs to a dataset with other content.",
                hint="Choose another id, or remove that dataset first.",
            )
        return added

    def _add_version(self, draft: Dataset, path: Path) -> tuple[Dataset, bool]:
        with self._database.read() as conn:
            known = repository.with_content(conn, draft.project_id, draft.sha256)
            newest = repository.newest_version(conn, draft.project_id, draft.name)
        if known is not None:
            return known, False
        for candidate in _candidates(slug(draft.name, "dataset"), newest + 1):
            added = self._add_as(candidate, draft, path)
            if added is not None:
                return added
        raise Conflict(f"All ids for {draft.name} are taken.", hint="Choose another name, or give an id.")

    def _add_as(self, dataset_id: str, draft: Dataset, path: Path) -> tuple[Dataset, bool] | None:
        """The dataset under this id, and whether it is new; None where the id belongs to another one."""
        with self._turns.of(f"dataset {dataset_id}"):
            with self._database.read() as conn:
                taken = repository.find(conn, dataset_id)
            if taken is not None:
                same = (taken.sha256, taken.project_id) == (draft.sha256, draft.project_id)
                return (taken, False) if same else None
            self._sweep_once()
            self._store.put_file(dataset_key(dataset_id), path)
            draft = replace(draft, id=dataset_id)
            try:
                dataset = self._database.write(lambda conn: _keep(conn, draft))
            except BaseException:  # also a shutdown in the middle
                self._undo_unless_kept(draft)
                raise
        self._changed(dataset_id)
        return dataset, True

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

    def require_project(self, project_id: str) -> None:
        """Raises InvalidInput where there is none."""
        with self._database.read() as conn:
            if not repository.project_exists(conn, project_id):
                raise InvalidInput(
                    f"There is no project {project_id[:64]!r}.", hint="POST /v1/projects makes one.", field="project_id"
                )

    # -- removing --------------------------------------------------------------------------------------------------

    def remove(self, dataset_id: str) -> None:
        """Remove the row, then the object. Raises Conflict while a job that has not ended uses it."""
        dataset = self.show(dataset_id)
        with self._turns.of(f"dataset {dataset_id}"):
            self._database.write(lambda conn: _forget(conn, dataset))
            try:
                self._store.delete(dataset_key(dataset_id))
                self._store.delete(index_key(dataset_id))
            except TrainyardError:
                # for its user the dataset is gone; the next one of this id overwrites what is left
                log.warning("the zip of the removed dataset %s is still in the store", dataset_id, exc_info=True)
        self._changed(dataset_id)


def _candidates(base: str, version: int) -> list[str]:
    """pets, pets-v2 for the next version; with a number where other names lead to the same."""
    base = base if version == 1 else f"{base[: 58 - len(str(version))].rstrip('-')}-v{version}"
    return [base, *(f"{base[:58].rstrip('-')}-{number}" for number in range(2, MAX_SUFFIX))]


def _keep(conn: sa.Connection, draft: Dataset) -> Dataset:
    """Which version it is follows from those that are there in this very transaction."""
    dataset = replace(draft, version=repository.newest_version(conn, draft.project_id, draft.name) + 1)
    if repository.find(conn, dataset.id) is not None:
        raise Conflict(f"Another backend has just added {dataset.id}.", hint="Look at that one, or choose another id.")
    repository.insert(conn, dataset)
    standings.queue(conn, dataset.id)
    data = {"dataset_id": dataset.id, "name": dataset.name, "tasks": dataset.tasks, "version": dataset.version}
    events.append(conn, project_id=dataset.project_id, type="dataset_added", data=data)
    return dataset


def _forget(conn: sa.Connection, dataset: Dataset) -> None:
    users = repository.jobs_using(conn, dataset.id)
    if users:
        listed = ", ".join(users[:3]) + (" and more" if len(users) > 3 else "")
        raise Conflict(
            f"The dataset {dataset.id} is in use by {listed}.",
            hint="Cancel these jobs or let them end, then remove it.",
        )
    standings.forget(conn, dataset.id)
    if repository.delete(conn, dataset.id):
        data = {"dataset_id": dataset.id, "name": dataset.name}
        events.append(conn, project_id=dataset.project_id, type="dataset_removed", data=data)
