"""The Python of a trainer's predict.py: the one its trainings use, made in the background where there is none yet."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from trainyard.errors import Unavailable
from trainyard.executors.local.envs import Environment, find_environment, make_environment
from trainyard.executors.local.installing import Stopped
from trainyard.settings import Settings


class Preparing(Unavailable):
    """Nobody waits for minutes in a request: ask again."""

    code = "preparing"


class Environments:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._makers = ThreadPoolExecutor(1, "predictor-environment")
        self._making: dict[str, Future[Environment]] = {}
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()
        self._closed = False

    def python(self, framework: str) -> Path:
        """Milliseconds. Raises Preparing while it is being made, LaunchFailed once where that failed."""
        env = find_environment(self._settings, framework)
        if env.is_ready:
            return env.python
        with self._lock:
            making = self._making.get(framework)
            if making is None:
                self._making[framework] = self._makers.submit(self._make, framework)
            elif making.done():
                if making.exception() or making.result().folder:  # without uv it is the system's, for good
                    del self._making[framework]
                return making.result().python
        said = self._said.get(framework) or f"The environment of trainer-{framework} is being made"
        raise Preparing(f"{said}.", hint="Ask again in a while.")

    def _make(self, framework: str) -> Environment:
        try:
            return make_environment(
                self._settings, framework, lambda text: self._said.update({framework: text}), lambda: self._closed
            )
        except Stopped:
            raise Unavailable("The backend was shut down.") from None
        finally:
            self._said.pop(framework, None)

    def close(self) -> None:
        self._closed = True
        self._makers.shutdown()
