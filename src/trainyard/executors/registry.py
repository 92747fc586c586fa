"""Which executor serves which tier. A table of names: what isn't used isn't imported."""

import importlib
import threading

from trainyard.contract.vocabulary import Execution
from trainyard.errors import NotAvailable
from trainyard.executors.base import Executor
from trainyard.settings import Settings

_EXECUTORS = {Execution.LOCAL: ("trainyard.executors.local.executor", "LocalExecutor")}


class Executors:
    """The executors of this process, each made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Execution, Executor] = {}
        self._lock = threading.Lock()

    def get(self, execution: Execution) -> Executor:
        """The executor of a tier. Raises NotAvailable for one that this release doesn't bring."""
        with self._lock:
            if execution not in self._made:
                self._made[execution] = _make(execution, self._settings)
            return self._made[execution]

    def close(self) -> None:
        for executor in self._made.values():
            executor.close()


def _make(execution: Execution, settings: Settings) -> Executor:
    if execution not in _EXECUTORS:
        raise NotAvailable(
            f"Execution {execution.value!r} is not in this release: Kubernetes arrives with one of the next.",
            hint="Use execution 'local' (`--on local`, or TRAINYARD_EXECUTION_MODE=local).",
            field="execution",
        )
    module, name = _EXECUTORS[execution]
    return getattr(importlib.import_module(module), name)(settings)
