"""A job's log after its end: in the store, readable when the machine or pod is gone."""

from collections.abc import Iterator
from pathlib import Path

from trainyard.contract.keys import log_key
from trainyard.executors.base import RunId
from trainyard.logs import files
from trainyard.storage.store import Store


class Archive:
    def __init__(self, store: Store) -> None:
        self._store = store

    def store(self, run: RunId, log: Path | None) -> str | None:
        """Put the log into the store; its key, or None where the run never had one. Blocking; safe to repeat."""
        if log is None or not log.exists():
            return None
        key = log_key(run.job_id, run.attempt)
        if files.read_cut(log) is None:
            self._store.put_file(key, log)
        else:  # as readers see it: without the hole, with the mark in its place
            self._store.put_stream(key, _as_read(log))
        return key


def _as_read(log: Path) -> Iterator[bytes]:
    offset = 0
    while True:
        text, following = files.read_range(log, offset)
        if not text and following == offset:
            return
        yield text.encode()
        offset = following
