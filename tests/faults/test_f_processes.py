"""Trainers, their families and their supervisors are killed, stopped, deaf or replaced by strangers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.faults.invariants import closed
from tests.faults.yard import GRACE, SILENCE, STUCK, Yard
from tests.real.backend import wait_for
from trainyard.executors.local.shim.kernel import boot_id, start_ticks

T = TypeVar("T")
# for `begun`: it speaks, and so is not lost before a slow test has come to what it wants to break
TELLING = {"epochs": 100_000, "epoch_seconds": 0.1}


@contextmanager
def stranger(**env: str) -> Generator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us, and lives to the end of the test."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=os.environ | env)
    try:
        yield process
        assert process.poll() is None, "a stranger was killed"
    finally:
        process.kill()
        process.wait()


def begun(yard: Yard, mode: str = "train", **given: Any) -> str:
    """A job that trains until it is stopped."""
    job_id = yard.submit(mode, epochs=given.pop("epochs", 1), epoch_seconds=given.pop("epoch_seconds", 300), **given)
    yard.wait_state(job_id, "RUNNING")
    return job_id


def wait_speaking(what: str, yard: Yard, job_id: str, look: Callable[[], T | None]) -> T:
    """Meanwhile somebody else speaks for a trainer that is not to hear an answer."""

    def speak_and_look() -> T | None:
        yard.call(job_id, "heartbeat", seq=int(time.monotonic() * 1000))
        return look()

    return wait_for(what, speak_and_look)


def cancel(yard: Yard, job_id: str) -> float:
    """When it was asked to stop."""
    at = time.monotonic()
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    return at


def test_f09_a_stranger_who_was_given_the_pid_of_a_shim_lives(yard: Yard) -> None:
    job_id = begun(yard, **TELLING)
    yard.kill()
    family = [yard.shim(job_id), yard.trainer(job_id)]
    yard.shim(job_id).kill()
    psutil.wait_procs(family, timeout=60)
    with stranger() as decoy:
        yard.doctor_shim(job_id, pid=decoy.pid)
        yard.start()
        cancel(yard, job_id)
        job = closed(yard, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "SupervisorLost")


def test_f10_a_killed_trainer_is_named_as_killed_with_its_last_words(yard: Yard) -> None:
    job_id = begun(yard, **TELLING)
    yard.trainer(job_id).kill()
    job = closed(yard, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Killed")
    assert "SIGKILL" in job["message"]
    assert (job["evidence"]["exit_code"], job["evidence"]["signal"]) == (None, 9)
    assert "probe starts" in job["evidence"]["tail"]


def test_f11_a_stopped_trainer_is_lost_and_ended(yard: Yard) -> None:
    job_id = begun(yard, **TELLING)
    stopped = yard.trainer(job_id)
    stopped.send_signal(signal.SIGSTOP)
    at = time.monotonic()
    job = closed(yard, job_id)
    assert time.monotonic() - at < SILENCE + GRACE + 10
    assert (job["state"], job["reason"]) == ("FAILED", "HeartbeatLost")
    assert "stood still" in job["message"]
    assert SILENCE <= job["evidence"]["silent_seconds"] < STUCK
    assert not stopped.is_running()


def test_f12_a_busy_trainer_that_cannot_speak_is_marked_and_lives(yard: Yard) -> None:
    job_id = yard.submit("hold-gil", epoch_seconds=SILENCE + 4, epochs=100_000)
    wait_for("the mark", lambda: yard.job(job_id)["stuck"])
    wait_for("a word from it", lambda: not yard.job(job_id)["stuck"])
    wait_for("its next epoch", lambda: (yard.job(job_id)["epoch"] or 0) > 1)
    cancel(yard, job_id)
    assert closed(yard, job_id)["state"] == "CANCELLED"
    kinds = [event["type"] for event in yard.events(job_id)]
    assert kinds.count("stuck") == kinds.count("unstuck") == 1


def test_f12_a_busy_trainer_that_cannot_speak_beyond_all_patience_is_lost(yard: Yard) -> None:
    job_id = yard.submit("hold-gil", epoch_seconds=300)
    job = closed(yard, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "HeartbeatLost")
    assert "worked on" in job["message"]
    assert job["evidence"]["busy"]
    assert "stuck" in [event["type"] for event in yard.events(job_id)]


def test_f13_a_trainer_that_never_calls_is_lost(yard_on: Yard) -> None:
    job_id = yard_on.submit("silent")
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"], job["started_at"]) == ("FAILED", "HeartbeatLost", None)
    assert "said nothing" in job["message"]


def test_f21_a_trainer_that_ignores_the_signal_is_killed_after_its_grace(yard: Yard) -> None:
    job_id = begun(yard, "ignore-term")
    wait_speaking("its deafness", yard, job_id, lambda: _ignores(yard.trainer(job_id).pid, signal.SIGTERM))
    at = cancel(yard, job_id)
    job = closed(yard, job_id)
    assert GRACE * 0.9 < time.monotonic() - at < GRACE + 10
    assert (job["state"], job["reason"]) == ("CANCELLED", "CancelledByUser")
    assert job["evidence"]["signal"] == 9
    assert "killed: it had not ended 1 s after" in yard.log_text(job_id)


def _ignores(pid: int, number: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    ignored = next(line.split()[1] for line in lines if line.startswith("SigIgn:"))
    return bool(int(ignored, 16) >> (number - 1) & 1)


def test_f22_workers_do_not_outlive_a_cancelled_trainer(yard: Yard) -> None:
    job_id = begun(yard, "workers")
    wait_speaking("shim, trainer and four workers", yard, job_id, lambda: len(yard.processes_of(job_id)) == 6)
    at = cancel(yard, job_id)
    job = closed(yard, job_id)
    assert time.monotonic() - at < GRACE + 10
    assert (job["state"], job["reason"]) == ("CANCELLED", "CancelledByUser")


@pytest.mark.parametrize("ending", ["cancel", "success"])
def test_f23_a_grandchild_that_left_is_ended_and_a_stranger_of_the_same_name_lives(yard: Yard, ending: str) -> None:
    paced = {"epoch_seconds": 300} if ending == "cancel" else {"epochs": 20, "epoch_seconds": 0.25}
    job_id = begun(yard, "escape", **paced)
    escaped = wait_speaking("one that left", yard, job_id, lambda: _escaped(yard, job_id))
    with stranger(JOB_ID=job_id, TRACE_ID="another") as other:
        if ending == "cancel":
            cancel(yard, job_id)
        job = closed(yard, job_id, strangers=[other.pid])
    assert job["state"] == ("CANCELLED" if ending == "cancel" else "SUCCEEDED")
    wait_for("it to be collected", lambda: not psutil.pid_exists(escaped))  # whoever took it in does that


def _escaped(yard: Yard, job_id: str) -> int | None:
    """Its own session, and the shim took it in."""
    shim, trainer = yard.shim(job_id).pid, yard.trainer(job_id).pid
    for pid in yard.processes_of(job_id):
        if pid in (shim, trainer):
            continue
        with suppress(psutil.NoSuchProcess, ProcessLookupError):  # the one in between ends at once
            if psutil.Process(pid).ppid() == shim and os.getsid(pid) not in (shim, trainer):
                return pid
    return None


def test_f50_a_killed_shim_leaves_nothing_unseen(yard_on: Yard) -> None:
    job_id = begun(yard_on, "escape", **TELLING)
    wait_for("one that left", lambda: _escaped(yard_on, job_id))
    yard_on.shim(job_id).kill()
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "SupervisorLost")
    assert "supervisor was killed" in job["message"]
    assert "probe starts" in job["evidence"]["tail"]


def test_f51_after_a_reboot_no_pid_is_trusted_and_jobs_end_with_the_reason(yard_on: Yard) -> None:
    job_id = begun(yard_on, **TELLING)
    yard_on.kill()
    family = [yard_on.shim(job_id), yard_on.trainer(job_id)]
    yard_on.shim(job_id).kill()
    psutil.wait_procs(family, timeout=60)
    with stranger() as decoy:  # it has the shim's pid, and even began at the same tick after its boot
        yard_on.doctor_shim(job_id, pid=decoy.pid, ticks=start_ticks(decoy.pid), boot_id=f"not-{boot_id()}")
        yard_on.start()
        job = closed(yard_on, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "MachineRestarted")
    assert "restarted" in job["message"]
