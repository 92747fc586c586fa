"""Keeps one service running: starts it, waits for it, watches it, and starts it again when it dies."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from trainyard.errors import ServiceFailed, TrainyardError
from trainyard.stack.processes import Identity, bound, last_lines, start, stop
from trainyard.stack.service import Service
from trainyard.stack.state import Phase, StateFile

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
STABLE_SECONDS = 60  # one that ran for so long may fail again at once without waiting longer
LONGEST_PAUSE = 60


@dataclass(slots=True, frozen=True)
class Report:
    """Something to tell whoever watches."""

    service: str
    text: str
    good: bool = True
    hint: str = ""


class Keeper(threading.Thread):
    """One thread a service. `ready` is set while it answers, `failed` when it could not start the first time."""

    def __init__(self, service: Service, state: StateFile, say: Callable[[Report], None], *, rebuild: bool) -> None:
        super().__init__(name=f"keeper-{service.name}", daemon=True)
        self.service = service
        self.ready = threading.Event()
        self.failed: TrainyardError | None = None
        self.others: list[Keeper] = []
        self._stopping = threading.Event()
        self._state = state
        self._say = say
        self._rebuild = rebuild
        self._exit_code: int | None = None

    def ask_to_stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if not self._wait_for_others():
                    return
                self._live()
                failure = ServiceFailed(f"{self.service.title} died{self._last_words()}")
            except TrainyardError as error:
                failure = error
            except Exception as error:
                log.exception("the keeper of %s met something unforeseen", self.service.name)
                failure = ServiceFailed(f"{self.service.title}: {type(error).__name__}: {error}")
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - began > STABLE_SECONDS else failures + 1
            self._fall(failure, failures)

    def _fall(self, failure: TrainyardError, failures: int) -> None:
        """Say what happened; give up where nobody has been promised anything yet, else pause and try again."""
        first_time = not self._state.stack.services[self.service.name].seconds
        self.ready.clear()
        if self.service.critical and first_time:
            self.failed = failure
            self._state.update(self.service.name, phase=Phase.FAILED, detail=str(failure))
            self._stopping.set()
            return
        pause = min(LONGEST_PAUSE, 2 ** min(failures - 1, 10))
        record = self._state.stack.services[self.service.name]
        self._state.update(self.service.name, phase=Phase.RESTARTING, restarts=record.restarts + 1, detail=str(failure))
        self._say(Report(self.service.name, f"{failure.message} Starting it again in {pause} s.", False, failure.hint))
        self._stopping.wait(pause)

    def _wait_for_others(self) -> bool:
        return all(self._wait_for(other) for other in self.others)

    def _wait_for(self, other: "Keeper") -> bool:
        while not other.ready.wait(0.2):
            if self._stopping.is_set():
                return False
        return True

    def _live(self) -> None:
        """From its start to its death. Returns when it has died, or when it is told to stop."""
        began = time.monotonic()
        identity = self._adopt() or self._begin()
        if self._stopping.is_set():
            return
        self._wait_until_ready(identity)
        if self._stopping.is_set():
            return
        seconds = time.monotonic() - began
        self._state.update(self.service.name, phase=Phase.READY, seconds=max(seconds, 0.001), detail="")
        self.ready.set()
        self._say(Report(self.service.name, f"{self.service.url}  {seconds:.1f} s"))
        self._watch(identity)

    def _adopt(self) -> Identity | None:
        """A service that a killed supervisor left running is as good as a new one."""
        identity = self._state.stack.services[self.service.name].identity
        if identity is not None and identity.alive():
            self._state.update(self.service.name, phase=Phase.STARTING)
            return identity
        if identity is not None:
            stop(identity, self.service.stop_seconds)  # its leader is dead, but a member may hold the port
        return None

    def _begin(self) -> Identity | None:
        service = self.service
        if service.external:
            self._state.update(service.name, phase=Phase.STARTING)
            return None
        self._state.update(service.name, phase=Phase.PREPARING, identity=None)
        service.prepare(self._stopping.is_set, rebuild=self._rebuild)
        self._rebuild = False
        if self._stopping.is_set():
            return None
        service.clean()
        service.check()
        command = service.command()
        self._exit_code = None
        process = start(command.argv, env=command.env, cwd=command.cwd, log=service.log)
        # somebody must take its exit code, or it stays as a zombie
        threading.Thread(target=self._take_exit, args=(process,), daemon=True).start()
        identity = Identity.of(process.pid)
        self._state.update(service.name, phase=Phase.STARTING, identity=identity)
        return identity

    def _take_exit(self, process: "subprocess.Popen[bytes]") -> None:
        self._exit_code = process.wait()

    def _wait_until_ready(self, identity: Identity | None) -> None:
        service, deadline = self.service, time.monotonic() + self.service.start_seconds
        while not service.answers():
            if self._stopping.is_set():
                return
            if identity is not None and not identity.alive():
                raise ServiceFailed(f"{service.title} ended while it started{self._last_words()}")
            if time.monotonic() > deadline or (service.external and identity is None):
                raise self._silent()
            self._stopping.wait(0.05)
        service.confirm()

    def _silent(self) -> ServiceFailed:
        service = self.service
        if service.external:
            return ServiceFailed(
                f"{service.title} at {service.url} does not answer.",
                hint="It is not ours to start: check that it runs and that its address is right.",
            )
        return ServiceFailed(
            f"{service.title} did not answer at {service.url} within {service.start_seconds:.0f} s.",
            hint=f"Its log: {service.log}",
        )

    def _watch(self, identity: Identity | None) -> None:
        look_at_log = time.monotonic() + 10
        while not self._stopping.wait(WATCH_SECONDS if identity else 10):
            if identity is None:
                continue  # somebody else's service: `status` asks it, nobody restarts it
            if not identity.alive():
                stop(identity, self.service.stop_seconds)
                return
            if time.monotonic() > look_at_log:
                bound(self.service.log)
                look_at_log = time.monotonic() + 10

    def _last_words(self) -> str:
        if self._exit_code is not None and self._exit_code < 0:
            return f": killed by {signal.Signals(-self._exit_code).name}."  # its log knows nothing of that
        words = last_lines(self.service.log)
        return f". The end of its log ({self.service.log}):\n{words}\n" if words else "."

    def end(self) -> None:
        """Stop the process. Call it when the thread is over."""
        identity = self._state.stack.services[self.service.name].identity
        if identity is not None:
            stop(identity, self.service.stop_seconds)
            self.service.clean()
            self._state.update(self.service.name, identity=None)
