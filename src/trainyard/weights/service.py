"""Adding, listing and removing pretrained weights: objects below weights/, which trainers look at before any hub."""

import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from trainyard.contract.keys import WEIGHTS_NAME_PATTERN, weights_key
from trainyard.db.engine import Database
from trainyard.errors import Conflict, InvalidInput, NotFound, TrainyardError
from trainyard.events import log as events
from trainyard.storage.store import Store

log = logging.getLogger(__name__)
PREFIX = weights_key("")
PROJECT = "default"  # weights are for every project; their events need one


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    key: str
    bytes: int


class WeightsService:
    """The store is all there is: no row stands for a file. Every call blocks."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database
        self._turn = threading.Lock()  # two who add one name at once: the second is told, not the first overwritten

    def list(self) -> list[Weights]:
        """By name. What lies deeper or has another name was not put there by us."""
        found = ((stored.key.removeprefix(PREFIX), stored) for stored in self._store.list(PREFIX))
        return [Weights(name, stored.key, stored.size) for name, stored in found if _is_name(name)]

    def add(self, name: str, path: Path, *, replace: bool = False) -> tuple[Weights, bool]:
        """Keep the file at `path`, which stays the caller's; False where it took the place of another one."""
        if not _is_name(name):
            raise InvalidInput(
                f"{name[:80]!r} can't be the name of weights.",
                hint="Use 1 to 200 letters, digits, dots, - and _; write -- for the / of a model's name.",
                field="name",
            )
        if path.stat().st_size == 0:
            raise InvalidInput("The file is empty.", hint="Look whether it was downloaded completely.", field="file")
        key = weights_key(name)
        with self._turn:
            known = self._store.head(key) is not None
            if known and not replace:
                raise Conflict(f"There are weights {name} already.", hint="Choose another name, or say `replace`.")
            self._sweep()
            stored = self._store.put_file(key, path)
        self._tell("weights_added", name, bytes=stored.size, replaced=known)
        return Weights(name, key, stored.size), not known

    def remove(self, name: str) -> None:
        """Jobs that run have their copy already; one that starts later asks the hub, or begins from scratch."""
        key = weights_key(name)
        with self._turn:
            if not _is_name(name) or self._store.head(key) is None:
                raise NotFound(f"There are no weights {name[:80]}.", hint="`trainyard weights list` shows them.")
            self._store.delete(key)
        self._tell("weights_removed", name)

    def _tell(self, type: str, name: str, **more: object) -> None:
        data = {"name": name, **more}
        self._database.write(lambda conn: events.append(conn, project_id=PROJECT, type=type, data=data))

    def _sweep(self) -> None:
        """A backend that was killed while uploading left parts that fill the disk and that nobody sees."""
        try:
            self._store.drop_abandoned_uploads(PREFIX)
        except TrainyardError:
            log.warning("could not look for abandoned uploads", exc_info=True)


def _is_name(name: str) -> bool:
    return re.fullmatch(WEIGHTS_NAME_PATTERN, name) is not None
