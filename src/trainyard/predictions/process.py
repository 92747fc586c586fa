"""A trainer's predict.py as a process: started clean, listened to, ended with all that it started.

It gets an allow-list of our environment, the store's variables and a home that is removed with it; never a secret of
the backend's own. Its stdin is a pipe of ours, so it reads the end of it even where the backend was killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from trainyard.executors.local.variables import base_environment
from trainyard.predictions.answers import PredictionFailed

LONGEST_LINE = 16 << 20
NICENESS = 5  # a training comes first
KEPT_LINES, SHOWN_LINES = 60, 12
END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to start. Two requests that need the same one may be answered by one process. `secrets`: never shown."""

    who: str  # predict.py of trainer-x
    argv: tuple[str, ...]
    cwd: Path
    edited: str  # a digest of the trainer's files: an edit takes effect
    checkpoint: str
    etag: str
    warm: bool
    storage: Mapping[str, str] = field(repr=False, compare=False)
    secrets: tuple[str, ...] = field(repr=False, compare=False)


class Process:
    """Every line of its stdout goes to `heard` (a thread of its own calls it), then None at the end. Raises
    PredictionFailed where it cannot be started."""

    def __init__(
        self, program: Program, homes: Path, variables: Mapping[str, str], heard: Callable[[bytes | None], None]
    ) -> None:
        self._program = program
        self._home = homes / f"{os.getpid()}-{secrets.token_hex(6)}"
        self._heard = heard
        self._is_ended = False
        self._stderr: deque[str] = deque(maxlen=KEPT_LINES)
        try:
            self._home.mkdir(parents=True, mode=0o700)
            self._process = subprocess.Popen(
                program.argv,
                cwd=program.cwd,
                env=_environment(program, self._home) | dict(variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:  # a program that isn't there or isn't executable, a full disk
            shutil.rmtree(self._home, ignore_errors=True)
            what = Path(str(error.filename or program.argv[0])).name
            raise PredictionFailed(
                f"{program.who} could not be started: {what}: {error.strerror}.",
                hint="Its command in trainer.toml must name a program that is there and executable, and so must its "
                "first line.",
            ) from error
        with suppress(psutil.Error):  # it may be over already
            psutil.Process(self._process.pid).nice(NICENESS)
        self._readers = [
            threading.Thread(target=self._read_answers, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_words, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def write(self, line: str) -> None:
        """Raises BrokenPipeError where nobody reads any more."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def end_of_questions(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        """It and what it started are gone when this returns, and so is its home. Idempotent."""
        if not self._is_ended:  # later the number may be another group's
            self._is_ended = True
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its group, which is named after it
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.end_of_questions()
        for reader in self._readers:
            reader.join(END_SECONDS)
        shutil.rmtree(self._home, ignore_errors=True)

    def how_it_ended(self) -> str:
        """Once its stdout has ended: why, with its last words."""
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return f"closed its output and went on{self.last_words()}"
        self._readers[1].join(END_SECONDS)
        if code >= 0:
            return f"ended with exit code {code}{self.last_words()}"
        why = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        return f"was ended by signal {-code}{why}{self.last_words()}"

    def last_words(self) -> str:
        said = "\n".join(list(self._stderr)[-SHOWN_LINES:]).strip()
        for secret in self._program.secrets:
            said = said.replace(secret, "…")
        return f":\n{said}" if said else ", without a word"

    def _read_answers(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LONGEST_LINE):
                self._heard(line)
        self._heard(None)

    def _read_words(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(2_000):
                self._stderr.append(line.decode("utf-8", "replace").rstrip())


def _environment(program: Program, home: Path) -> dict[str, str]:
    return base_environment() | {
        **program.storage,
        "CHECKPOINT": program.checkpoint,
        "HOME": str(home),
        "TMPDIR": str(home),
        "CUDA_VISIBLE_DEVICES": "",  # a GPU is for trainings, which wait for one
        "PYTHONUNBUFFERED": "1",
    }


def sweep_homes(homes: Path) -> None:
    """Remove what predictors of a backend that was killed left behind."""
    with suppress(OSError):
        for home in homes.iterdir():
            owner = home.name.partition("-")[0]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(home, ignore_errors=True)
