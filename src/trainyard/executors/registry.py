"""Which executor serves which tier. A table of names: what isn't used isn't imported."""

import importlib
import threading
from collections.abc import Callable

from trainyard.contract.vocabulary import Execution
from trainyard.executors.base import Executor
from trainyard.settings import Settings

_KUBERNETES = ("trainyard.executors.kubernetes.executor", "KubernetesExecutor")
_EXECUTORS = {
    Execution.LOCAL: ("trainyard.executors.local.executor", "LocalExecutor"),
    Execution.K8S: _KUBERNETES,
    Execution.IMAGE: _KUBERNETES,
}


class Executors:
    """The executors of this process, each made when it is first asked for; two tiers may share one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[tuple[str, str], Executor] = {}
        self._changed: Callable[[str], None] = lambda job_id: None
        self._lock = threading.Lock()

    def get(self, execution: Execution) -> Executor:
        """The executor of a tier. Raises NotAvailable or InvalidSetting for one that can't be had here."""
        place = _EXECUTORS[execution]
        with self._lock:
            if place not in self._made:
                module, name = place
                executor: Executor = getattr(importlib.import_module(module), name)(self._settings)
                executor.watch(self._tell)
                self._made[place] = executor
            return self._made[place]

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call `changed(job_id)` whenever a run ends or changes, on any tier."""
        self._changed = changed

    def _tell(self, job_id: str) -> None:
        self._changed(job_id)

    def close(self) -> None:
        for executor in self._made.values():
            executor.close()
