"""Which executor serves which tier. A table of names: what isn't used isn't imported."""

import importlib
import threading
import time
from collections.abc import Callable

from trainyard.contract.vocabulary import Execution
from trainyard.errors import TrainyardError
from trainyard.executors.base import Executor
from trainyard.settings import Settings

_KUBERNETES = ("trainyard.executors.kubernetes.executor", "KubernetesExecutor")
_EXECUTORS = {
    Execution.LOCAL: ("trainyard.executors.local.executor", "LocalExecutor"),
    Execution.K8S: _KUBERNETES,
    Execution.IMAGE: _KUBERNETES,
}


AGAIN_SECONDS = 5.0


class Executors:
    """The executors of this process, each made when it is first asked for; two tiers may share one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[tuple[str, str], Executor] = {}
        self._changed: Callable[[str], None] = lambda job_id: None
        self._failed: dict[tuple[str, str], tuple[float, TrainyardError]] = {}
        self._lock = threading.Lock()

    def get(self, execution: Execution) -> Executor:
        """The executor of a tier. Raises NotAvailable or InvalidSetting for one that can't be had here."""
        place = _EXECUTORS[execution]
        with self._lock:
            if place not in self._made:
                self._made[place] = self._make(place)
            return self._made[place]

    def _make(self, place: tuple[str, str]) -> Executor:
        """What failed is not tried again at once: many jobs may ask for it in one pass."""
        failed_at, error = self._failed.get(place, (0.0, None))
        if error is not None and time.monotonic() - failed_at < AGAIN_SECONDS:
            raise error
        try:
            executor: Executor = getattr(importlib.import_module(place[0]), place[1])(self._settings)
        except TrainyardError as failure:
            self._failed[place] = (time.monotonic(), failure)
            raise
        executor.watch(self._tell)
        return executor

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed(job_id)` whenever a run ends or changes, on any tier."""
        self._changed = changed

    def _tell(self, job_id: str) -> None:
        self._changed(job_id)

    def close(self) -> None:
        for executor in self._made.values():
            executor.close()
