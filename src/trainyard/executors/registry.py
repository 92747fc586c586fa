"""Which executor serves which tier."""

import threading
import time
from collections.abc import Callable

from trainyard.contract.vocabulary import Execution
from trainyard.errors import TrainyardError
from trainyard.executors.base import Executor
from trainyard.executors.codestore import CodeStore
from trainyard.settings import Settings

_Maker = Callable[[Settings, CodeStore], Executor]


def _local(settings: Settings, _codes: CodeStore) -> Executor:
    from trainyard.executors.local.executor import LocalExecutor  # what isn't used isn't imported

    return LocalExecutor(settings)


def _kubernetes(settings: Settings, codes: CodeStore) -> Executor:
    from trainyard.executors.kubernetes.executor import KubernetesExecutor

    return KubernetesExecutor(settings, codes)


_MAKERS: dict[Execution, _Maker] = {
    Execution.LOCAL: _local,
    Execution.K8S: _kubernetes,
    Execution.IMAGE: _kubernetes,
}
AGAIN_SECONDS = 5.0


class Executors:
    """The executors of this process, each made when it is first asked for; two tiers may share one."""

    def __init__(self, settings: Settings, codes: CodeStore) -> None:
        self._settings = settings
        self._codes = codes
        self._made: dict[_Maker, Executor] = {}
        self._changed: Callable[[str], None] = lambda job_id: None
        self._failed: dict[_Maker, tuple[float, TrainyardError]] = {}
        self._lock = threading.Lock()

    def get(self, execution: Execution) -> Executor:
        """The executor of a tier. Raises NotAvailable or InvalidSetting for one that can't be had here."""
        maker = _MAKERS[execution]
        with self._lock:
            if maker not in self._made:
                self._made[maker] = self._make(maker)
            return self._made[maker]

    def _make(self, maker: _Maker) -> Executor:
        """What failed is not tried again at once: many jobs may ask for it in one pass."""
        failed_at, error = self._failed.get(maker, (0.0, None))
        if error is not None and time.monotonic() - failed_at < AGAIN_SECONDS:
            raise error
        try:
            executor = maker(self._settings, self._codes)
        except TrainyardError as failure:
            self._failed[maker] = (time.monotonic(), failure)
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
