"""A user at a shell: the CLI as a process of its own, against a backend, with pipes or in a terminal."""

import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect

from tests.real.backend import Backend, wait_for

CLI = [sys.executable, "-P", "-m", "trainyard.cli.main"]


@dataclass(frozen=True)
class Said:
    """What a command printed: results on stdout, the rest on stderr."""

    out: str
    err: str


class Shell:
    def __init__(self, backend: Backend, folder: Path) -> None:
        self.backend = backend
        self.folder = folder
        # a terminal says itself how wide it is; pytest-xdist sets a width for everybody
        own = {name: value for name, value in backend.env.items() if name not in ("COLUMNS", "LINES")}
        self.env = own | {"TERM": "xterm"}

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        argv = [*CLI, *arguments]
        return subprocess.Popen(
            argv, env=self.env | env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: str, code: int = 0, **env: str) -> Said:
        """Fails on another exit code, and on a traceback of our own."""
        with self.start(*arguments, **env) as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{arguments}: exit code {process.returncode}\n{out[-5000:]}{err[-5000:]}"
        assert "trainyard itself failed" not in err, err
        return Said(out, err)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").out)

    def terminal(self, *arguments: str, columns: int = 100) -> "pexpect.spawn[str]":
        with warnings.catch_warnings():  # Python 3.12 and newer dislike the fork; it execs at once
            warnings.simplefilter("ignore", DeprecationWarning)
            return pexpect.spawn(
                CLI[0],
                [*CLI[1:], *arguments],
                env=self.env,
                cwd=str(self.folder),
                dimensions=(30, columns),
                encoding="utf-8",
                timeout=90,
            )

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def newest(self) -> dict[str, Any]:
        """{} before there is one."""
        return next(iter(self.backend.ask("GET", "/v1/jobs", params={"limit": 1})["items"]), {})

    def jobs(self) -> int:
        return len(self.backend.ask("GET", "/v1/jobs", params={"limit": 200})["items"])


def ends(terminal: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """The exit code, and everything printed since the last match."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, str(terminal.before)


def nothing_left_of(shell: Shell, job_id: str) -> None:
    wait_for(f"every process of {job_id} to end", lambda: not shell.backend.processes_of(job_id))
