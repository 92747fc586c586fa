"""A trainer as the platform starts one: a process in its own environment, that knows nothing but its variables."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TRACE = "c0ffee0123456789"
TOKEN = "first.token.value"
JOB = "job-20261121-120000-test"
MARK = f"[TRACE:{TRACE}] "


@dataclass
class Run:
    """A started trainer: its process, where its output goes and where its temporary files would be."""

    process: subprocess.Popen[bytes]
    folder: Path
    lines_read: int = 0

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text(errors="replace")

    def next_line(self, seconds: float = 120) -> dict[str, Any]:
        """The JSON object of the next whole line on stdout, once it is there."""
        deadline = time.monotonic() + seconds
        while len(lines := self.stdout.split("\n")[:-1]) <= self.lines_read:
            assert self.process.poll() is None and time.monotonic() < deadline, self.stdout + self.stderr
            time.sleep(0.01)
        self.lines_read += 1
        return json.loads(lines[self.lines_read - 1])

    def end(self, seconds: float = 180) -> int:
        """Its exit code; nothing of it may be left in the temporary folder."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the trainer did not end:\n{self.stdout[-2000:]}\n{self.stderr[-2000:]}") from None
        if self.process.stdin:
            self.process.stdin.close()
        left = [path.name for path in (self.folder / "tmp").iterdir()]
        assert not left, f"temporary files are left: {left}"
        return code

    def succeeds(self, seconds: float = 180) -> None:
        assert self.end(seconds) == 0, self.stdout[-2000:] + self.stderr[-4000:]

    def receipt(self) -> dict[str, Any]:
        """The last line on stdout."""
        last = self.stdout.strip().splitlines()[-1]
        assert last.startswith(MARK + "DONE "), last
        return json.loads(last.removeprefix(MARK + "DONE "))

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)


@dataclass
class Starter:
    """Starts one trainer with the variables that every run of a test shares."""

    python: Path
    script: Path
    folder: Path
    variables: dict[str, str]
    running: list[Run]
    command: tuple[str | Path, ...] = ()  # instead of the script: a trainer in another language

    def __call__(self, stdin: int = subprocess.DEVNULL, **changes: str | int | float | None) -> Run:
        folder = self.folder / f"run-{len(self.running)}"
        (folder / "tmp").mkdir(parents=True)
        values = self.variables | {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "PATH": os.environ["PATH"]}
        given = {name: value for name, value in (values | changes).items() if value is not None}
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                self.command or [self.python, "-B", self.script],
                env={name: str(value) for name, value in given.items()},
                cwd=folder,
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        run = Run(process, folder)
        self.running.append(run)
        return run
