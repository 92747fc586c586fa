"""Row 30: PostgreSQL goes down at once, in the middle of everything, and comes back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.faults.conftest import running_yard
from tests.faults.invariants import closed, states
from tests.faults.yard import Yard
from tests.real.backend import wait_for
from tests.real.postgres import Postgres, breakable_postgres, fresh_database
from tests.real.s3server import S3Server

WHOLE = ["PENDING", "QUEUED", "RUNNING", "SUCCEEDED"]
PATIENT = {"silence_seconds": "60", "stuck_seconds": "120"}  # nobody is heard while the database is away


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with breakable_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def yard(server: Postgres, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with (
        fresh_database(server.url) as url,
        running_yard(s3_server, tmp_path_factory.mktemp("yard"), database_url=url, **PATIENT) as yard,
    ):
        yield yard


def is_ready(yard: Yard) -> bool:
    return yard.http.get("/v1/health/ready").status_code == 200


def test_f30_jobs_go_on_and_end_once_with_all_they_said(yard: Yard, server: Postgres, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = [yard.submit(epochs=4, gate=gate) for _ in range(3)]
    for job_id in running:
        yard.wait_state(job_id, "RUNNING")
    server.crash()
    gate.touch()  # their epochs and their ends fall into the outage
    wait_for("readiness to turn red", lambda: not is_ready(yard))
    refused = yard.http.post("/v1/jobs", json={"framework": "probe", "dataset_id": "cats-dogs-classes"})
    assert refused.status_code == 503, refused.text
    assert refused.json()["error"]["hint"]
    server.start()
    wait_for("readiness", lambda: is_ready(yard))
    for job_id in running:
        job = closed(yard, job_id)
        assert (job["state"], job["reason"], job["attempt"], job["epoch"]) == ("SUCCEEDED", "Completed", 1, 4)
        assert yard.curve(job_id, "train/loss") == [1 / epoch for epoch in range(1, 5)]
        assert states(yard, job_id) == WHOLE
        assert yard.starts(job_id) == 1


@pytest.mark.parametrize("number", range(3))
def test_f30_a_submit_in_the_moment_of_the_crash_is_one_job(yard: Yard, server: Postgres, number: int) -> None:
    """Whether or not it was stored: said again with its key, it is one job, which runs once."""
    keys = [f"f30-{number}-{one}" for one in range(6)]
    answers: dict[str, httpx2.Response] = {}

    def send(key: str) -> None:
        body = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": {"epochs": 1}}
        answers[key] = yard.http.post("/v1/jobs", headers={"Idempotency-Key": key}, json=body)

    threads = [threading.Thread(target=send, args=(key,)) for key in keys]
    for thread in threads[:3]:
        thread.start()
    server.crash()
    for thread in threads[3:]:
        thread.start()
    for thread in threads:
        thread.join(60)
    server.start()
    wait_for("readiness", lambda: is_ready(yard))
    assert {answer.status_code for answer in answers.values()} <= {201, 503}
    for key in keys:
        first = answers.pop(key)
        send(key)
        stored = answers[key].json()["id"]
        assert first.status_code == 503 or first.json()["id"] == stored
        job = closed(yard, stored)
        assert (job["state"], states(yard, stored), yard.starts(stored)) == ("SUCCEEDED", WHOLE, 1)
