"""Real runs of the local executor in a folder of the test's own. On leaving, nothing of them may be alive."""

import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil

from trainyard.contract.keys import new_job_id, new_trace_id
from trainyard.executors.base import Alive, Exited, Observation, RunId, RunSpec
from trainyard.executors.local import processes
from trainyard.executors.local.executor import LocalExecutor
from trainyard.executors.local.run_folder import RunFolder
from trainyard.settings import Settings, load_settings

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 120) -> T:
    """What `look` returns as soon as it is true."""
    give_up = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < give_up, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
    return seen


class Runs:
    """An executor with its data folder, and short ways to start scripts with it."""

    def __init__(self, folder: Path, **given: object) -> None:
        self.settings: Settings = load_settings(
            _env_file=None, **{"data_dir": folder / "data", "trainers_dir": folder, "grace_seconds": 5.0} | given
        )
        self.folder = folder
        self.executor = LocalExecutor(self.settings)
        self.changed: list[str] = []
        self.executor.watch(self.changed.append)
        self.started: list[RunId] = []

    def __enter__(self) -> "Runs":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for run in self.started:
            self.executor.clean_up(run)
        self.executor.close()
        left = [process for run in self.started for process in processes.of_run(run)]
        assert not left or error, f"still alive: {left}"

    def script(self, text: str) -> Path:
        path = self.folder / f"script{len(self.started)}.py"
        path.write_text(textwrap.dedent(text))
        return path

    def spec(self, text: str, attached: bool = False, **env: str) -> RunSpec:
        run = RunId(new_job_id("job"), 1, new_trace_id())
        variables = {"JOB_ID": run.job_id, "TRACE_ID": run.trace_id, "ATTEMPT": "1", "CALLBACK_TOKEN": "s3cret"} | env
        return RunSpec(run, "none", variables, script=self.script(text), attached=attached)

    def start(self, text: str, **env: str) -> RunId:
        spec = self.spec(text, **env)
        self.started.append(spec.run)
        self.executor.submit(spec, print)
        return spec.run

    def files(self, run: RunId) -> RunFolder:
        return RunFolder.of(self.settings.runs_dir, run)

    def log(self, run: RunId) -> str:
        return self.files(run).log.read_text(errors="replace")

    def wait_for_line(self, run: RunId, line: str) -> None:
        wait_for(lambda: line in self.log(run), f"{line!r} in the log")

    def child(self, run: RunId) -> psutil.Process:
        shim = wait_for(lambda: (s := self.files(run).shim()) and s.child and s, "the trainer's pid")
        return psutil.Process(shim.child)

    def shim(self, run: RunId) -> psutil.Process:
        shim = self.files(run).shim()
        assert shim is not None
        return psutil.Process(shim.pid)

    def end(self, run: RunId, seconds: float = 120) -> Exited:
        def look() -> Observation | None:
            seen = self.executor.observe(run)
            return None if isinstance(seen, Alive) else seen

        seen = wait_for(look, f"the end of {run.job_id}", seconds)
        assert isinstance(seen, Exited), seen
        return seen


def is_gone(pid: int) -> bool:
    """Dead, or a zombie that only waits to be collected."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def spawn_elsewhere(code: str, **env: str) -> psutil.Popen:
    """A process that is none of ours."""
    return psutil.Popen([sys.executable, "-c", code], env={**os.environ, **env})
