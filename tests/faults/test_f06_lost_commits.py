"""Row 6: a write commits, and whoever made it hears that the database failed."""

from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from tests.faults.invariants import closed, states
from tests.faults.yard import Yard
from tests.real.backend import TOKEN, wait_for
from trainyard.db.tables import jobs

LOSING = "import tests.faults.lost_commits\n"
BODY = {"framework": "probe", "dataset_id": "cats-dogs-classes"}
MANY = 8


@pytest.fixture
def losing(yard_on: Yard) -> Yard:
    """A backend that can lose its database's answers; as it was before, afterwards."""
    yard_on.stop()
    return yard_on.start(before=LOSING)


def send(yard: Yard, key: str, epochs: int) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    return yard.http.post("/v1/jobs", headers=headers, json=BODY | {"params": {"epochs": epochs}})


def test_f06_a_submit_that_was_stored_and_failed_is_the_same_job_when_it_is_said_again(losing: Yard) -> None:
    mark = losing.folder / "commits.lost"
    mark.write_text("every 1")
    try:
        failed = send(losing, "f06-once", 1)
        assert failed.status_code == 503, failed.text
        assert "can't be written to" in failed.json()["error"]["message"]
    finally:
        mark.unlink()
    again = send(losing, "f06-once", 1)
    assert again.status_code == 200, again.text  # 200, not 201: it was there
    job = closed(losing, again.json()["id"])
    assert (job["state"], losing.starts(job["id"])) == ("SUCCEEDED", 1)
    assert losing.rows(sa.select(jobs.c.id).where(jobs.c.idempotency_key == "f06-once")) == [(job["id"],)]


@pytest.mark.parametrize("seed", [1, 2])
def test_f06_jobs_run_once_and_end_once_whatever_commits_seem_to_fail(losing: Yard, seed: int) -> None:
    """A third of all commits: submits, claims, launches, callbacks, ends, closings."""
    mark: Path = losing.folder / "commits.lost"
    mark.write_text(f"{losing.database.split(':')[0]}-{seed} 0.33")
    found: list[str] = []
    try:
        for number in range(MANY):
            key = f"f06-{seed}-{number}"
            answer = wait_for("a submit to be taken", lambda key=key: _taken(send(losing, key, 2)))
            found.append(str(answer.json()["id"]))
        for job_id in found:
            wait_for(f"{job_id} to be closed", lambda job_id=job_id: losing.job(job_id)["closed_at"])
    finally:
        mark.unlink()
    assert len(set(found)) == MANY
    for job_id in found:
        job = closed(losing, job_id)
        assert (job["state"], job["reason"], job["attempt"]) == ("SUCCEEDED", "Completed", 1), job["message"]
        assert losing.starts(job_id) == 1
        assert states(losing, job_id) == ["PENDING", "QUEUED", "RUNNING", "SUCCEEDED"]
        assert losing.curve(job_id, "train/loss") == [1.0, 0.5]


def _taken(answer: httpx2.Response) -> httpx2.Response | None:
    return answer if answer.is_success else None
