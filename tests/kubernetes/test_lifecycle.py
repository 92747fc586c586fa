"""From submit to nothing left: pods that are queued, run, end, are cancelled, and are found again."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.kubernetes.yard import ClusterYard
from tests.real.backend import wait_for

EPOCHS = 4
MakeYard = Callable[..., ClusterYard]


def ran_once(yard: ClusterYard, job_id: str, epochs: int = EPOCHS) -> None:
    """Its log is whole, once."""
    log = yard.log_text(job_id)
    assert log.count("probe starts") == 1
    assert [log.count(f"epoch {number} of {epochs}\n") for number in range(1, epochs + 1)] == [1] * epochs


def test_a_job_runs_in_a_pod_and_leaves_nothing(yard: ClusterYard) -> None:
    job_id = yard.submit(epochs=EPOCHS)
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"], job["epoch"]) == ("SUCCEEDED", "Completed", EPOCHS)
    assert job["code_hash"]
    yard.wait_closed(job_id)
    ran_once(yard, job_id)
    assert yard.curve(job_id, "train/loss") == [1, 1 / 2, 1 / 3, 1 / 4]
    assert not yard.cluster.left_of_ours()


def test_the_same_definition_runs_here_and_there(yard: ClusterYard) -> None:
    here, there = yard.submit(execution="local"), yard.submit()
    ends = [yard.wait_end(job_id) for job_id in (here, there)]
    assert [end["state"] for end in ends] == ["SUCCEEDED", "SUCCEEDED"]
    assert yard.curve(here, "val/accuracy") == yard.curve(there, "val/accuracy")


def test_a_pod_that_fits_no_node_waits_and_says_why(yard: ClusterYard) -> None:
    job_id = yard.submit(resources={"cpu": "1000"})
    job = yard.wait_until(job_id, lambda job: "1000" in job["message"])
    assert job["state"] == "QUEUED"
    assert "CPU" in job["message"]
    told = yard.ask("GET", f"/v1/jobs/{job_id}/explanation")
    assert told["what"] == job["message"]
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    assert yard.wait_end(job_id)["reason"] == "CancelledByUser"
    yard.wait_closed(job_id)


def test_a_pod_that_waits_for_too_long_fails_with_what_was_in_its_way(make_yard: MakeYard) -> None:
    yard = make_yard(launch_seconds="15")  # the scheduler has looked at it by then
    job_id = yard.submit(resources={"memory": "900Gi"})
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Unschedulable")
    assert "memory" in job["message"]
    assert any("Insufficient memory" in line for line in job["evidence"]["lines"])
    yard.wait_closed(job_id)


def test_a_cancelled_pod_says_goodbye_and_is_gone(make_yard: MakeYard) -> None:
    yard = make_yard(grace_seconds="60")  # its last words may take their time
    job_id = yard.submit(epochs=10_000)
    yard.wait_until(job_id, lambda job: job["epoch"])
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("CANCELLED", "CancelledByUser")
    yard.wait_closed(job_id)
    log = yard.log_text(job_id)
    assert "stopping" in log or "asked to stop" in log
    assert "DONE" in log


def test_f20_a_cancel_right_after_the_submit_leaves_nothing(yard: ClusterYard) -> None:
    jobs = [yard.submit(epochs=10_000) for _ in range(3)]
    for job_id in jobs:
        yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    for job_id in jobs:
        assert yard.wait_end(job_id)["state"] == "CANCELLED"
        yard.wait_closed(job_id)


def test_f21_a_pod_that_ignores_sigterm_is_killed_after_the_grace_period(yard: ClusterYard) -> None:
    job_id = yard.submit("ignore-term", epochs=1000, epoch_seconds=30)
    yard.wait_state(job_id, "RUNNING")
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    assert yard.wait_end(job_id)["state"] == "CANCELLED"
    yard.wait_closed(job_id)
    assert not yard.processes_of(job_id)


def test_f18_without_done_the_receipt_in_the_log_decides(yard: ClusterYard) -> None:
    told, silent = yard.submit("receipt-only"), yard.submit("no-done")
    assert yard.wait_end(told)["state"] == "SUCCEEDED"
    assert yard.wait_end(silent)["reason"] == "ExitedWithoutDone"


def test_f11_a_stopped_pod_is_lost_in_the_end(make_yard: MakeYard) -> None:
    yard = make_yard(silence_seconds="20", stuck_seconds="20")
    job_id = yard.submit(epochs=10_000)
    yard.wait_until(job_id, lambda job: job["epoch"])
    for pid in yard.processes_of(job_id):
        os.kill(pid, signal.SIGSTOP)
    job = yard.wait_end(job_id)
    assert job["reason"] == "HeartbeatLost"
    yard.wait_closed(job_id)
    assert not yard.processes_of(job_id)


def test_f10_a_killed_trainer_fails_with_that_reason(yard: ClusterYard) -> None:
    job_id = yard.submit(epochs=10_000)
    yard.wait_until(job_id, lambda job: job["epoch"])
    for pid in yard.processes_of(job_id):
        os.kill(pid, signal.SIGKILL)
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Killed")


def test_a_crash_is_told_with_its_traceback(yard: ClusterYard) -> None:
    job = yard.wait_end(yard.submit("crash"))
    assert (job["state"], job["reason"]) == ("FAILED", "TrainerError")
    assert "the probe was told to crash" in job["message"]
    assert "Traceback" in job["evidence"]["traceback"]


def test_f01_a_backend_that_dies_finds_its_pods_again(yard: ClusterYard) -> None:
    job_id = yard.submit(epochs=EPOCHS, epoch_seconds=1.0)
    yard.wait_until(job_id, lambda job: job["epoch"])
    yard.kill()
    yard.start()
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    yard.wait_closed(job_id)
    ran_once(yard, job_id)


@pytest.mark.parametrize("point", ["job_made", "launched"])
def test_f02_f03_a_backend_that_dies_around_the_launch_starts_it_once(yard: ClusterYard, point: str) -> None:
    with yard.held_at(point) as reached:  # not crash_at: the submit is to be answered first
        job_id = yard.submit(epochs=EPOCHS)
        wait_for(f"it to come to {point}", reached)
        yard.kill()
    yard.start()
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    yard.wait_closed(job_id)
    ran_once(yard, job_id)


def test_a_script_without_callbacks_is_judged_by_its_exit(yard: ClusterYard) -> None:
    code = yard.send_code({"hello.py": "print('hello from a pod')\n"})
    body = {"framework": "probe", "code": code, "script": "hello.py", "model": "tiny", "execution": "k8s"}
    job_id = str(yard.ask("POST", "/v1/jobs", json=body)["id"])
    assert job_id.startswith("dev-")
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"
    yard.wait_closed(job_id)
    assert "hello from a pod" in yard.log_text(job_id)
