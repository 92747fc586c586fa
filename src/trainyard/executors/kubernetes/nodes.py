"""The cluster's nodes, for saying how much room there would be: looked up in the background, where it is allowed."""

import threading
import time

from trainyard.errors import TrainyardError
from trainyard.executors.kubernetes.api import Api, Object

KEPT_SECONDS = 60.0


class Nodes:
    """For any thread; all but `at_first` never wait for the cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._nodes: list[Object] = []
        self._asked_at = -KEPT_SECONDS
        self._answered = threading.Event()

    def known(self) -> list[Object]:
        """As they were a minute ago at most; none where an account may not see them, or the answer is on its way."""
        with self._lock:
            due = time.monotonic() - self._asked_at >= KEPT_SECONDS
            if due:
                self._asked_at = time.monotonic()
            found = self._nodes
        if due:
            threading.Thread(target=self._look, name="nodes", daemon=True).start()
        return found

    def at_first(self, seconds: float) -> list[Object]:
        """The same, but waits for the very first answer."""
        self.known()
        self._answered.wait(seconds)
        return self.known()

    def _look(self) -> None:
        try:
            found = self._api.nodes()
        except TrainyardError:
            found = []
        with self._lock:
            self._nodes = found
        self._answered.set()
