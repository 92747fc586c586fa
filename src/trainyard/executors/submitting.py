"""Runs that are being handed over just now, and how far each is: told by one thread, asked by others."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from trainyard.executors.base import RunId


class Submitting:
    """`at_first`: what is said of a run before it has told anything."""

    def __init__(self, at_first: str) -> None:
        self._at_first = at_first
        self._lock = threading.Lock()
        self._told: dict[RunId, str] = {}

    def message(self, run: RunId) -> str | None:
        """How far it is; None: it is not being handed over."""
        with self._lock:
            return self._told.get(run)

    @contextmanager
    def under_way(self, run: RunId, say: Callable[[str], None]) -> Generator[Callable[[str], None]]:
        """While the block lasts. What is told within it goes to `say`, too."""

        def tell(message: str) -> None:
            with self._lock:
                self._told[run] = message
            say(message)

        with self._lock:
            self._told[run] = self._at_first
        try:
            yield tell
        finally:
            with self._lock:
                self._told.pop(run, None)
