"""What a command does to the stack from outside: start a supervisor in the background, follow it, end it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil

from trainyard.errors import ServiceFailed
from trainyard.settings import Settings
from trainyard.stack.processes import Identity, last_lines, start, stop
from trainyard.stack.service import base_environment
from trainyard.stack.state import Phase, Record, Stack, read_stack, state_path
from trainyard.stack.supervisor import only_supervisor

READY_SECONDS = 120
STOP_SECONDS = 60


def start_supervisor(settings: Settings, *, rebuild: bool = False) -> Identity:
    """Start one in a session of its own. Where one is at work already, the new one ends at once."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    argv = [sys.executable, "-P", "-m", "trainyard.stack", *(["--build"] if rebuild else [])]
    log = settings.logs_dir / "supervisor.log"
    process = start(argv, env=base_environment(settings), cwd=settings.data_dir, log=log)
    return Identity.of(process.pid)


def follow(settings: Settings, supervisor: Identity | None = None) -> Iterator[tuple[str, Record]]:
    """Each critical service as it becomes ready. Raises ServiceFailed saying why one did not."""
    told: set[str] = set()
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        stack = read_stack(settings.data_dir)
        for name, record in stack.services.items():
            if stack.supervised and record.phase == Phase.READY and record.critical and name not in told:
                told.add(name)
                yield name, record
        if stack.supervised and stack.ready:
            return
        _raise_if_over(settings, stack, supervisor)
        time.sleep(0.05)
    raise ServiceFailed(f"The services were not ready within {READY_SECONDS} s.", hint="`trainyard status` shows more.")


def _raise_if_over(settings: Settings, stack: Stack, supervisor: Identity | None) -> None:
    ours_is_over = supervisor is not None and not supervisor.alive()
    if stack.supervised or (supervisor is not None and not ours_is_over):
        return
    if stack.failure and (supervisor is None or stack.supervisor == supervisor):
        raise ServiceFailed(stack.failure, hint=stack.hint)
    with only_supervisor(settings.data_dir) as free:
        if free:  # nobody is about to write a state either
            words = last_lines(settings.logs_dir / "supervisor.log")
            raise ServiceFailed(f"The supervisor ended while it started. The end of its log:\n{words}")


def take_down(settings: Settings, say: Callable[[str], None]) -> bool:
    """End the supervisor and every service, and say which. False where nothing ran. Blocks until they are gone."""
    stack = read_stack(settings.data_dir)
    running = stack.running()
    if stack.supervisor is not None and stack.supervised:
        _end_supervisor(stack.supervisor)
    elif not running:
        state_path(settings.data_dir).unlink(missing_ok=True)
        return False
    with only_supervisor(settings.data_dir) as free:
        if not free:
            raise ServiceFailed("Somebody is starting the services at this moment.", hint="Run `trainyard down` again.")
        for name, identity in reversed(read_stack(settings.data_dir).running().items()):
            stop(identity, grace=10)
            running[name] = identity
        state_path(settings.data_dir).unlink(missing_ok=True)
    for name in running:
        say(name)
    return True


def _end_supervisor(supervisor: Identity) -> None:
    with suppress(ProcessLookupError):
        os.kill(supervisor.pid, signal.SIGTERM)
    process = supervisor.process()
    if process is not None:
        with suppress(psutil.TimeoutExpired):
            process.wait(STOP_SECONDS)
    if supervisor.alive():
        stop(supervisor, grace=0)
