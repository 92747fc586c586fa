"""`down` while jobs are active: it asks, and --force cancels them properly first."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.real.backend import wait_for
from tests.real.installation import CLI, Installation, installation
from trainyard.cli.client import Client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reads /proc and sends signals; run it on Linux")


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Installation, str]]:
    """An installation with a job that runs for longer than any test."""
    with installation(tmp_path) as place:
        place.run("up", "--detach")
        with Client(place.settings) as client:
            client.ask("/v1/samples/cats-dogs-classes")
            params = {"epochs": 1000, "epoch_seconds": 1}
            body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": params}
            job = client.post("/v1/jobs", body)["id"]
            wait_for("the job to run", lambda: client.get(f"/v1/jobs/{job}")["state"] == "RUNNING")
        yield place, job


def test_down_without_a_terminal_refuses_while_a_job_runs(busy: tuple[Installation, str]) -> None:
    place, job = busy
    said = place.run("down", code=1)
    assert job in said
    assert "down --force" in said
    with Client(place.settings) as client:
        assert client.get(f"/v1/jobs/{job}")["state"] == "RUNNING"


def test_down_in_a_terminal_asks_and_takes_no_for_an_answer(busy: tuple[Installation, str]) -> None:
    place, job = busy
    for answer, state in (("n", "RUNNING"), ("y", None)):
        with pexpect.spawn(CLI[0], [*CLI[1:], "down"], env=place.env, cwd=place.folder, timeout=120) as terminal:
            terminal.expect("Cancel them and stop the services")
            terminal.sendline(answer)
            terminal.expect(pexpect.EOF)
            terminal.wait()
        if state:
            with Client(place.settings) as client:
                assert client.get(f"/v1/jobs/{job}")["state"] == state
    assert place.processes() == []


def test_force_cancels_all_jobs_and_leaves_no_process(busy: tuple[Installation, str]) -> None:
    place, job = busy
    with Client(place.settings) as client:
        waiting = {"framework": "probe", "dataset_id": "cats-dogs-classes", "attached": True}
        for _ in range(204):  # with it more than a page of them
            client.post("/v1/jobs", waiting)
    said = place.run("down", "--force")
    assert "205 active jobs: " in said
    assert "Cancelled 205." in said
    assert [process for process in psutil.process_iter() if _carries(process, job)] == []
    assert place.processes() == []
    place.run("up", "--detach")
    with Client(place.settings) as client:
        found = client.get(f"/v1/jobs/{job}")
    assert (found["state"], found["reason"]) == ("CANCELLED", "CancelledByUser")


def test_a_job_outlives_its_backend_and_its_supervisor(busy: tuple[Installation, str]) -> None:
    place, job = busy
    before = {process.pid for process in psutil.process_iter() if _carries(process, job)}
    psutil.Process(place.supervisor_pid()).kill()
    psutil.Process(place.pid("backend")).kill()
    place.run("up", "--detach")
    assert before
    assert all(psutil.pid_exists(pid) for pid in before)
    with Client(place.settings) as client:
        assert client.get(f"/v1/jobs/{job}")["state"] == "RUNNING"


def _carries(process: psutil.Process, job: str) -> bool:
    try:
        return process.environ().get("JOB_ID") == job
    except (psutil.Error, OSError):
        return False
