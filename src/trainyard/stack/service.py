"""What a local service is to the supervisor. The numbered steps beside this file are the three that there are."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainyard.settings import Settings
from trainyard.stack.ports import require_free


@dataclass(slots=True, frozen=True)
class Command:
    """What to start, and with what around it."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path


@dataclass(slots=True, frozen=True)
class Port:
    """A port we listen on, and the setting that moves it."""

    number: int
    variable: str
    note: str = ""


class Service(ABC):
    """A check, a start and a wait. Methods block; none of them keeps state."""

    name: str
    title: str
    critical = True  # `up` is ready when the critical ones are
    after: tuple[str, ...] = ()  # services that must be ready before this one starts
    start_seconds: float = 60
    stop_seconds: float = 10

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def log(self) -> Path:
        return self.settings.logs_dir / f"{self.name}.log"

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it answers."""

    @property
    @abstractmethod
    def external(self) -> bool:
        """Whether a setting says that somebody else runs it. Then it is checked and never started."""

    @abstractmethod
    def ports(self) -> list[Port]:
        """Every port it listens on."""

    def check(self) -> None:
        """Raise ServiceFailed when it could not start."""
        for port in self.ports():
            require_free(self.title, port.number, port.variable, port.note)

    def prepare(self, stopping: Callable[[], bool], *, rebuild: bool) -> None:  # noqa: B027 - most need nothing
        """Make what must be there before the start; returns early when `stopping` says so. Idempotent."""

    @abstractmethod
    def command(self) -> Command:
        """The program to start."""

    @abstractmethod
    def answers(self) -> bool:
        """One short question: does it answer?"""

    def confirm(self) -> None:  # noqa: B027 - most are fine when they answer
        """Once it answers: raise ServiceFailed or StorageUnavailable when it is not as it should be. Idempotent."""

    def clean(self) -> None:  # noqa: B027 - most leave nothing
        """After its end: remove what it leaves behind. Idempotent."""


def base_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with the settings that were given as variables: a service reads no `.env` of ours."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    given = settings.model_dump(include=settings.model_fields_set | {"data_dir", "trainers_dir"})
    for name, value in given.items():
        secret = getattr(value, "get_secret_value", None)
        env[f"TRAINYARD_{name.upper()}"] = str(secret() if secret else value)
    return env
