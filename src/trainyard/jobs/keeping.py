"""Keeping the code of local runs, as code that travels is kept: afterwards, and never in a launch's way."""

import logging
import queue
import threading

from trainyard.errors import TrainyardError
from trainyard.executors.bundle import Bundle
from trainyard.executors.codestore import CodeStore

log = logging.getLogger(__name__)
WAITING = 8  # bundles that wait for a slow store; each may be 64 MiB
REMEMBERED = 1_000


class CodeKeeper:
    """One thread. What could not be kept is tried again with the next run of that code."""

    def __init__(self, codes: CodeStore) -> None:
        self._codes = codes
        self._waiting: queue.Queue[Bundle | None] = queue.Queue(WAITING)
        self._kept: set[str] = set()
        self._thread = threading.Thread(target=self._loop, name="code-keeper", daemon=True)
        self._thread.start()

    def keep(self, bundle: Bundle) -> None:
        """Returns at once, and never raises: a run does not fail because its code can't be shown later."""
        if bundle.hash in self._kept:
            return
        try:
            self._waiting.put_nowait(bundle)
        except queue.Full:
            log.warning("the code %s is not kept: the store is too slow", bundle.hash)

    def close(self) -> None:
        """What waits is dropped where the store does not take it within seconds."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout=5)

    def _loop(self) -> None:
        while (bundle := self._waiting.get()) is not None:
            if bundle.hash in self._kept:
                continue
            try:
                self._codes.put(bundle)
            except TrainyardError as error:
                log.warning("the code %s could not be kept: %s", bundle.hash, error)
            except Exception:
                log.exception("the code %s could not be kept", bundle.hash)
            else:
                if len(self._kept) >= REMEMBERED:
                    self._kept.clear()
                self._kept.add(bundle.hash)
