"""Starts the steps in their order, keeps them running, and ends them all."""

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import psutil

from trainyard.errors import ServiceFailed, TrainyardError
from trainyard.settings import Settings
from trainyard.stack.keeper import Keeper, Report
from trainyard.stack.processes import Identity, stop
from trainyard.stack.service import Service
from trainyard.stack.state import Record, Stack, StateFile, read_stack
from trainyard.stack.step_1_storage import Storage
from trainyard.stack.step_2_backend import Backend
from trainyard.stack.step_3_mlflow import Mlflow


def steps(settings: Settings) -> list[Service]:
    return [Storage(settings), Backend(settings), Mlflow(settings)]


@contextmanager
def only_supervisor(data_dir: Path) -> Generator[bool]:
    """True for the one that may supervise this data folder. The lock ends with the process, however it ends."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = filelock.FileLock(data_dir / "stack.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


class Supervisor:
    """Call `run` in the main thread, holding `only_supervisor`."""

    def __init__(self, settings: Settings, say: Callable[[Report], None], *, rebuild: bool = False) -> None:
        self._services = steps(settings)
        before = read_stack(settings.data_dir)
        records = {service.name: self._record(service, before) for service in self._services}
        self._stop_what_moved(before, records)
        self._state = StateFile(settings.data_dir, Stack(Identity.of(psutil.Process().pid), records))
        self._keepers = [Keeper(service, self._state, say, rebuild=rebuild) for service in self._services]
        for keeper in self._keepers:
            keeper.others = [other for other in self._keepers if other.service.name in keeper.service.after]
        self._stopping = threading.Event()

    @staticmethod
    def _record(service: Service, before: Stack) -> Record:
        known = before.services.get(service.name)
        same = known is not None and known.url == service.url and not service.external
        return Record(
            url=service.url,
            log=str(service.log),
            external=service.external,
            critical=service.critical,
            identity=known.identity if known is not None and same else None,
        )

    def _stop_what_moved(self, before: Stack, records: dict[str, Record]) -> None:
        for name, identity in before.running().items():
            if name not in records or records[name].identity != identity:
                stop(identity, grace=10)

    def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Blocks until a signal or `stop`. Raises what kept a critical service from its first start."""
        self._listen()
        try:
            self._check_all()
            for keeper in self._keepers:
                keeper.start()
            if self._wait_for_critical():
                on_ready()
                while not self._stopping.wait(3600):
                    pass
        except TrainyardError as error:
            self._state.fail(error.message, error.hint)
            raise
        finally:
            self._end()

    def stop(self) -> None:
        self._stopping.set()

    def _listen(self) -> None:
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            with suppress(AttributeError):  # Windows has fewer of them
                signal.signal(getattr(signal, name), self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stop()

    def _check_all(self) -> None:
        """Before anything is started: a port that is taken is found now, not when half of it runs."""
        self._check_apart()
        for service in self._services:
            identity = self._state.stack.services[service.name].identity
            if not service.external and (identity is None or not identity.members()):
                service.check()

    def _check_apart(self) -> None:
        """Two services on one port would both seem free, and one of them would restart for ever."""
        owners: dict[int, tuple[str, str]] = {}
        for service in self._services:
            for port in [] if service.external else service.ports():
                title, variable = owners.setdefault(port.number, (service.title, port.variable))
                if title != service.title:
                    raise ServiceFailed(
                        f"{title} and {service.title} are both to use port {port.number}{port.note}.",
                        hint=f"Change {variable} or {port.variable}.",
                        field=port.variable,
                    )

    def _wait_for_critical(self) -> bool:
        critical = [keeper for keeper in self._keepers if keeper.service.critical]
        while not self._stopping.is_set():
            for keeper in critical:
                if keeper.failed is not None:
                    raise keeper.failed
            if all(keeper.ready.is_set() for keeper in critical):
                return True
            self._stopping.wait(0.02)
        return False

    def _end(self) -> None:
        """Every service, the last one first: MLflow and the backend write to the store until they end."""
        for keeper in self._keepers:
            keeper.ask_to_stop()
        began = time.monotonic()
        for keeper in reversed(self._keepers):
            if keeper.ident is not None:
                keeper.join(timeout=max(0.1, 10 - (time.monotonic() - began)))
            keeper.end()
        if not self._state.stack.failure:
            self._state.remove()
