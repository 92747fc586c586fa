"""A job's checkpoints: what lies in the store, and which epoch its trainer said it is of."""

import re
from dataclasses import dataclass

from trainyard.contract.keys import CHECKPOINT_KIND_PATTERN, checkpoint_key, checkpoint_prefix
from trainyard.db.engine import Database
from trainyard.errors import NotFound
from trainyard.events import log as events
from trainyard.jobs import repository
from trainyard.storage.store import Download, Store, StoredObject

_KIND = re.compile(CHECKPOINT_KIND_PATTERN)
_NAMED = 12  # kinds that a refusal lists


@dataclass(frozen=True, slots=True)
class Checkpoint:
    kind: str
    key: str
    epoch: int | None  # None: its trainer did not say
    bytes: int
    at: float | None


class Checkpoints:
    """Every call asks the store and blocks: none belongs into a transaction."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database

    def of(self, job_id: str) -> list[Checkpoint]:
        """best, last, then those of single epochs. What is there counts, not what was announced."""
        with self._database.read() as conn:
            repository.get(conn, job_id)
            told = {str(one.data["key"]): one for one in events.newest_of_each(conn, job_id, "checkpoint", "key")}
        found = [
            _checkpoint(kind, stored, told.get(stored.key))
            for stored in self._store.list(checkpoint_prefix(job_id))
            if (kind := _kind(job_id, stored.key))
        ]
        return sorted(found, key=lambda one: (one.kind not in ("best", "last"), _epoch_in(one.kind) or 0, one.kind))

    def find(self, job_id: str, kind: str) -> Checkpoint:
        """Raises NotFound naming those there are."""
        there = self.of(job_id)
        for checkpoint in there:
            if checkpoint.kind == kind:
                return checkpoint
        if not there:
            raise NotFound(
                f"{job_id} has no checkpoints.",
                hint="It ended before its first one was complete, or they were removed.",
            )
        kinds = [one.kind for one in there]
        more = f"{', '.join(kinds[:2])} … {', '.join(kinds[-_NAMED:])}" if len(kinds) > _NAMED + 2 else ", ".join(kinds)
        raise NotFound(f"{job_id} has no checkpoint {kind}.", hint=f"There are: {more}.")

    def exists(self, key: str) -> bool:
        return self._store.head(key) is not None

    def download(self, job_id: str, kind: str) -> Download:
        """The file: iterate it once, or close it."""
        return self._store.open_read(checkpoint_key(job_id, self.find(job_id, kind).kind))


def _kind(job_id: str, key: str) -> str | None:
    """None for what is no checkpoint: a trainer may keep other files beside them."""
    name = key.removeprefix(checkpoint_prefix(job_id))
    kind = name.removesuffix(".pt")
    return kind if name != kind and _KIND.fullmatch(kind) else None


def _epoch_in(kind: str) -> int | None:
    return int(kind.removeprefix("epoch-")) if kind.startswith("epoch-") else None


def _checkpoint(kind: str, stored: StoredObject, told: events.Entry | None) -> Checkpoint:
    said = told.data.get("epoch") if told else None
    epoch = said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else None
    return Checkpoint(kind, stored.key, _epoch_in(kind) or epoch, stored.size, told.at if told else None)
