"""An installation in a folder of its own, driven through the CLI as a user does it; and a look at its processes."""

import json
import os
import random
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from trainyard.settings import Settings, load_settings
from trainyard.stack.ports import is_free
from trainyard.stack.state import Stack, read_stack

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-P", "-m", "trainyard.cli.main"]
NOT_THERE = "http://127.0.0.1:9"  # nothing listens on the discard port


def free_block(size: int = 12) -> int:
    """The first of some free ports in a row, below those that the system gives to anybody."""
    for _ in range(200):
        first = random.randrange(20_000, 32_000 - size)
        if all(is_free(first + offset) for offset in range(size)):
            return first
    raise AssertionError("no free ports")


class Installation:
    """Settings by environment, as a user's; MLflow is somebody else's (and away) unless a test wants ours."""

    def __init__(self, folder: Path, **given: str) -> None:
        first = free_block()
        self.data = folder / "da ta"
        own = {"data_dir": str(self.data), "s3_port": str(first), "port": str(first + 10), "grace_seconds": "3"}
        own |= {"mlflow_port": str(first + 11), "mlflow_url": NOT_THERE, "trainers_dir": str(ROOT / "tests/trainers")}
        self.variables = {f"TRAINYARD_{name.upper()}": value for name, value in (own | given).items() if value}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
        self.env |= self.variables
        self.folder = folder

    @cached_property
    def settings(self) -> Settings:
        values = {name.removeprefix("TRAINYARD_").lower(): value for name, value in self.variables.items()}
        return load_settings(_env_file=None, **values)

    @property
    def stack(self) -> Stack:
        return read_stack(self.data)

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        argv = [*CLI, *arguments]
        return subprocess.Popen(argv, env=self.env | env, cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str, code: int = 0, **env: str) -> str:
        """What it printed, all of it. Fails on another exit code."""
        with self.start(*arguments, **env) as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{arguments}: exit code {process.returncode}\n{out}{err}"
        return out + err

    def json(self, *arguments: str) -> Any:
        with self.start(*arguments, "--json") as process:
            return json.loads(process.communicate(timeout=120)[0])

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """The backend's answer, raw: for figures, where a client's own time would count too."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.settings.admin_token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.settings.backend_url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.read()

    def pid(self, service: str) -> int:
        identity = self.stack.services[service].identity
        assert identity is not None
        return identity.pid

    def supervisor_pid(self) -> int:
        assert self.stack.supervisor is not None
        return self.stack.supervisor.pid

    def log(self, name: str) -> str:
        return (self.data / "logs" / f"{name}.log").read_text()

    def processes(self) -> list[psutil.Process]:
        """Everything alive that was started for this folder, whoever its parent is by now."""
        mine = f"TRAINYARD_DATA_DIR={self.data}"
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                told = Path(f"/proc/{process.pid}/environ").read_bytes().decode(errors="replace").split("\0")
                if mine in told or str(self.data) in " ".join(process.cmdline()):
                    found.append(process)
        return [process for process in found if process.pid != os.getpid()]


@contextmanager
def installation(folder: Path, **given: str) -> Generator[Installation]:
    """On leaving, everything it started is ended, and it is an error when `down` left something."""
    made = Installation(folder, **given)
    try:
        yield made
    finally:
        with made.start("down", "--force") as process:
            process.communicate(timeout=120)
        left = made.processes()
        for one in left:
            with suppress(psutil.Error):
                one.kill()
        assert not left, f"`down` left {left}"
