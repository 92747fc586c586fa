"""What the store holds of a job after its end: its log, readable when the machine or pod is gone, and nothing half."""

import logging
import math
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from trainyard.contract.keys import checkpoint_prefix, log_key, sample_prefix
from trainyard.errors import TrainyardError
from trainyard.executors.base import RunId
from trainyard.logs import files
from trainyard.storage.store import Store

log = logging.getLogger(__name__)
PREFIXES = (checkpoint_prefix, sample_prefix)
ALL = timedelta(days=-1)  # the storage's clock may be ahead of ours
DAY_SECONDS = 86_400.0


class Archive:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._swept_at = -math.inf

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

    def holds(self, key: str) -> bool:
        """Whether the store has it. Blocking."""
        return self._store.head(key) is not None

    def drop_uploads(self, job_id: str) -> None:
        """Drop the uploads that a job which is over left open: their parts fill a disk, and nobody sees them. What the
        storage does not let us drop now is dropped with those of all jobs, once a day. Blocking; safe to repeat."""
        try:
            for prefix in PREFIXES:
                self._store.drop_abandoned_uploads(prefix(job_id), ALL)
            if time.monotonic() - self._swept_at > DAY_SECONDS:
                for prefix in PREFIXES:
                    self._store.drop_abandoned_uploads(prefix("").removesuffix("/"))
                self._swept_at = time.monotonic()
        except TrainyardError:
            log.warning("could not look for abandoned uploads", exc_info=True, extra={"job_id": job_id})


def _as_read(log: Path) -> Iterator[bytes]:
    offset = 0
    while True:
        text, following = files.read_range(log, offset)
        if not text and following == offset:
            return
        yield text.encode()
        offset = following
