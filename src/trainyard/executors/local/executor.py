"""Tier 1: each run is a process tree below a shim of its own, which outlives this process and is found again."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from trainyard.contract.resources import Resources
from trainyard.contract.vocabulary import Reason
from trainyard.executors.base import (
    Absent,
    Addresses,
    Alive,
    Attachment,
    Capacity,
    LaunchFailed,
    Observation,
    Preparing,
    RunId,
    RunSpec,
    Usage,
)
from trainyard.executors.local import processes
from trainyard.executors.local.ending import ending_of
from trainyard.executors.local.envs import find_environment, make_environment
from trainyard.executors.local.gpus import available_gpus
from trainyard.executors.local.installing import Stopped
from trainyard.executors.local.launch_plan import LaunchPlan, make_plan
from trainyard.executors.local.metering import Meter
from trainyard.executors.local.run_folder import RunFolder, ShimRecord
from trainyard.executors.local.signals import ask_to_end, ask_to_stop, forget_temporary_files
from trainyard.executors.local.variables import base_environment
from trainyard.executors.local.watcher import EndWatcher
from trainyard.executors.submitting import Submitting
from trainyard.settings import Settings

_SHIM = Path(__file__).parent / "shim" / "main.py"
_STARTED_BEFORE, _DISK_IS_FULL = 75, 74
_SHIM_SECONDS = 30.0  # it takes 0.02; a machine may swap


class LocalExecutor:
    """Keeps nothing of its own but who is watched: everything else stands in the run folders."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watcher = EndWatcher()
        self._activity = processes.Activity()
        self._meter = Meter()
        self._submitting = Submitting("starting")

    @property
    def addresses(self) -> Addresses:
        settings = self._settings
        return Addresses(settings.backend_url, settings.s3_url, settings.tracking_url)

    @property
    def capacity(self) -> Capacity | None:
        return self._capacity

    @cached_property
    def _capacity(self) -> Capacity:
        return Capacity(self._settings.slots, available_gpus(self._settings))

    def doubts(self, wishes: Resources) -> str:
        """None: what this machine can never give fails when its turn comes, and says so."""
        return ""

    # -- starting --------------------------------------------------------------------------------------------------

    def plan(self, spec: RunSpec) -> LaunchPlan:
        return make_plan(self._settings, spec, find_environment(self._settings, spec.framework).python)

    def submit(self, spec: RunSpec, say: Callable[[str], None]) -> None:
        folder = self._folder(spec.run)
        with self._submitting.under_way(spec.run, say) as tell:
            if folder.shim() or folder.exit():
                return
            if not hasattr(os, "fork"):
                raise LaunchFailed("Local runs need Linux or macOS.", hint="On Windows start trainyard inside WSL.")
            try:
                folder.make()
                self._prepare(spec, folder, tell)
                if not spec.attached:
                    self._start_shim(spec, folder)
            except OSError as error:
                raise _launch_failure(error, folder) from error

    def _prepare(self, spec: RunSpec, folder: RunFolder, say: Callable[[str], None]) -> None:
        self.plan(spec)  # a missing script is not worth an environment
        try:
            env = make_environment(self._settings, spec.framework, say, lambda: folder.is_cancelled)
        except Stopped:  # the shim sees the same mark, and ends the run as cancelled without starting anything
            env = find_environment(self._settings, spec.framework)
        folder.write_plan(make_plan(self._settings, spec, env.python))

    def _start_shim(self, spec: RunSpec, folder: RunFolder) -> None:
        with folder.log.open("ab") as log:  # should the shim itself fail, its job's log tells
            child = subprocess.Popen(
                self.attach_command(spec.run)[:-1],
                env=base_environment() | dict(spec.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self._watcher.own(child)
        shim = _wait_for_shim(child, folder)
        if shim is not None:
            self._watcher.add(spec.run.job_id, shim)

    def attachment(self, spec: RunSpec) -> Attachment:
        """For a prepared run: its folder's plan says the rest, the terminal adds the spec's variables to its own."""
        return Attachment(self.attach_command(spec.run), self._folder(spec.run).path, spec.env)

    def attach_command(self, run: RunId) -> list[str]:
        """What a terminal runs to become the parent of a prepared run, in the run's variables."""
        return [sys.executable, "-I", "-S", str(_SHIM), str(self._folder(run).path), "--tty"]

    # -- looking ---------------------------------------------------------------------------------------------------

    def observe(self, run: RunId) -> Observation:
        folder = self._folder(run)
        message = self._submitting.message(run)
        if record := folder.exit():
            return self._ended(run, folder, record)
        shim = folder.shim()
        if shim is None:
            return self._not_started(folder, message)
        if processes.is_alive(shim):
            self._watcher.add(run.job_id, shim)
            return Alive(started_at=shim.at, busy=self._activity.is_busy(run, shim))
        if record := folder.exit():  # it wrote that and ended while we looked
            return self._ended(run, folder, record)
        return self._ended(run, folder, self._bury(run, folder, shim))

    def _not_started(self, folder: RunFolder, message: str | None) -> Observation:
        if message is not None:
            return Preparing(message)
        age = folder.plan_age
        if age is not None and age < _SHIM_SECONDS:
            return Preparing("waiting for its process")
        return Absent()

    def _ended(self, run: RunId, folder: RunFolder, record: dict[str, object]) -> Observation:
        self._activity.forget(run)
        self._meter.forget(run)
        return ending_of(run, folder, record)

    def _bury(self, run: RunId, folder: RunFolder, shim: ShimRecord) -> dict[str, object]:
        """The shim is gone and couldn't say how the run ended: end what it left, and say it in its place."""
        same_boot = processes.same_boot(shim)
        left = processes.sweep(run) if same_boot else 0
        forget_temporary_files(folder, shim)
        reason = Reason.SUPERVISOR_LOST if same_boot else Reason.MACHINE_RESTARTED
        if same_boot and folder.is_disk_full():
            reason = Reason.DISK_FULL
        record: dict[str, object] = {
            "exit_code": None,
            "signal": 9 if same_boot else None,
            "at": time.time(),
            "stopped_on_request": folder.is_cancelled,
            "reason": reason.value,
            "left": left,
        }
        with suppress(OSError):  # a full disk: the next look finds the same
            folder.write_exit(record)
        return record

    def usage(self, run: RunId) -> Usage | None:
        shim = self._folder(run).shim()
        return self._meter.read(run, shim) if shim is not None and processes.is_alive(shim) else None

    # -- ending ----------------------------------------------------------------------------------------------------

    def cancel(self, run: RunId) -> None:
        folder = self._folder(run)
        if folder.exit():
            return
        folder.mark_cancelled()  # first: a shim that is about to start looks for it before it starts anything
        shim = folder.shim()
        if shim is not None and processes.is_alive(shim):
            ask_to_stop(shim)

    def clean_up(self, run: RunId) -> None:
        folder = self._folder(run)
        shim = folder.shim()
        if shim is not None and processes.is_alive(shim):
            ask_to_end(shim)
        processes.sweep(run)
        if shim is not None:
            forget_temporary_files(folder, shim)
        self._activity.forget(run)

    def log_path(self, run: RunId) -> Path | None:
        folder = self._folder(run)
        return folder.log if folder.path.is_dir() else None

    def watch(self, changed: Callable[[str], None]) -> None:
        self._watcher.start(changed)

    def close(self) -> None:
        self._watcher.close()

    def _folder(self, run: RunId) -> RunFolder:
        return RunFolder.of(self._settings.runs_dir, run)


def _wait_for_shim(child: "subprocess.Popen[bytes]", folder: RunFolder) -> ShimRecord | None:
    """Until it has said who it is. None where this attempt was started before. Raises LaunchFailed."""
    give_up = time.monotonic() + _SHIM_SECONDS
    while (shim := folder.shim()) is None:
        status = child.poll()
        if status is not None and (shim := folder.shim()):  # it ran and ended while we looked
            return shim
        if status == _STARTED_BEFORE:
            return None
        if status == _DISK_IS_FULL:
            raise OSError(errno.ENOSPC, "the shim could not write its files")
        if status is not None:
            raise LaunchFailed(
                f"The run's supervisor ended at once with exit code {status}.",
                hint=f"What it said stands in {folder.log}.",
                evidence={"exit_code": status},
            )
        if time.monotonic() > give_up:
            child.kill()
            raise LaunchFailed(
                f"The run's supervisor had not started after {_SHIM_SECONDS:g} s.",
                hint="The machine may be out of memory: look at its load, then submit the job again.",
            )
        time.sleep(0.002)
    return shim


def _launch_failure(error: OSError, folder: RunFolder) -> LaunchFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LaunchFailed(
            f"The disk that holds {folder.path} is full.",
            hint="Make room and submit the job again.",
            reason=Reason.DISK_FULL,
            evidence={"errno": error.errno},
        )
    return LaunchFailed(f"The run could not be started: {error}.", evidence={"errno": error.errno})
