"""A job from submit to its end, through a real backend process and real trainers' processes, on both databases."""

import itertools
from typing import Any

from tests.real.backend import Backend, wait_for


def test_a_job_runs_to_its_end_and_everything_of_it_is_kept(backend_on: Backend) -> None:
    job_id = backend_on.submit(epochs=4, name="first", tags=["a", "b"], notes="why")
    job = backend_on.wait_closed(job_id)
    assert (job["state"], job["reason"], job["progress"]) == ("SUCCEEDED", "Completed", 1.0)
    assert (job["name"], job["tags"], job["notes"], job["epoch"]) == ("first", ["a", "b"], "why", 4)
    assert backend_on.curve(job_id, "train/loss") == [1, 1 / 2, 1 / 3, 1 / 4]
    assert job["metrics"]["val/accuracy"] == {
        "last": 0.8, "last_step": 4, "min": 0.5, "min_step": 1, "max": 0.8, "max_step": 4,
    }  # fmt: skip
    assert "epoch 4 of 4" in backend_on.log_text(job_id)
    states = [event["data"]["to"] for event in backend_on.events(job_id) if event["type"] == "state"]
    assert states == ["PENDING", "QUEUED", "RUNNING", "SUCCEEDED"]
    assert backend_on.leases() == 0
    assert not backend_on.processes_of(job_id)


def told(backend: Backend, trace: str) -> list[str]:
    return [line for line in backend.log.read_text().splitlines() if trace in line]


def test_one_trace_id_finds_a_jobs_story_in_every_log(backend: Backend) -> None:
    job_id = backend.submit()
    trace = backend.wait_closed(job_id)["trace_id"]
    for what in ("submitted", "launched", "ended"):
        wait_for(f"a line that says {what}", lambda what=what: any(what in line for line in told(backend, trace)))
    ours = [line for line in backend.log_text(job_id).splitlines() if "[trainyard]" in line or "probe" in line]
    assert ours
    assert all(line.startswith(f"[TRACE:{trace}]") for line in ours)


def test_the_log_is_still_readable_when_the_machine_forgot_it(backend: Backend) -> None:
    job_id = backend.submit()
    backend.wait_closed(job_id)
    before = backend.log_text(job_id)
    wait_for("the archive", lambda: backend.job(job_id)["closed_at"])
    for path in (backend.folder / "data" / "runs" / job_id).rglob("*"):
        if path.is_file():
            path.unlink()
    for path in sorted((backend.folder / "data" / "runs" / job_id).rglob("*"), reverse=True):
        path.rmdir()
    assert backend.log_text(job_id) == before


def test_jobs_wait_for_a_slot_and_are_told_for_whom(make_backend: Any) -> None:
    backend: Backend = make_backend(slots="1").start().with_sample()
    first = backend.submit(epochs=1000, epoch_seconds=0.1)
    backend.wait_state(first, "RUNNING")
    low = backend.submit(epochs=1)
    high = backend.submit(epochs=1, priority=5)
    backend.wait_state(high, "QUEUED")
    waiting = wait_for("the reason", lambda: job if "slot" in (job := backend.job(low))["message"] else None)
    assert waiting["state"] == "QUEUED"
    assert first in waiting["message"]
    backend.ask("POST", f"/v1/jobs/{first}/cancel")
    low_end, high_end = backend.wait_end(low), backend.wait_end(high)
    assert high_end["started_at"] < low_end["started_at"]


def test_ten_submits_for_one_gpu_run_one_after_the_other(make_backend: Any) -> None:
    backend: Backend = make_backend(slots="10", gpus="0").start().with_sample()
    ids = [backend.submit(epochs=2) for _ in range(10)]
    ended = [backend.wait_end(job_id) for job_id in ids]
    assert all(job["state"] == "SUCCEEDED" for job in ended)
    spans = sorted((job["launched_at"], job["finished_at"]) for job in ended)
    assert all(later[0] >= earlier[1] for earlier, later in itertools.pairwise(spans))


def test_a_request_for_more_gpus_than_there_are_ends_with_the_reason(backend: Backend) -> None:
    job = backend.wait_end(backend.submit(gpus=3))
    assert (job["state"], job["reason"]) == ("FAILED", "Unschedulable")
    assert "3 GPU" in job["message"]


def test_a_running_job_is_cancelled_and_leaves_nothing(backend_on: Backend) -> None:
    job_id = backend_on.submit(epochs=10_000)
    backend_on.wait_state(job_id, "RUNNING")
    assert backend_on.ask("POST", f"/v1/jobs/{job_id}/cancel")["cancelling"]
    job = backend_on.wait_closed(job_id)
    assert (job["state"], job["reason"]) == ("CANCELLED", "CancelledByUser")
    assert not backend_on.processes_of(job_id)
    assert backend_on.ask("POST", f"/v1/jobs/{job_id}/cancel")["state"] == "CANCELLED"


def test_a_retry_is_a_new_job_with_a_parent(backend: Backend) -> None:
    job_id = backend.submit("crash", tags=["x"])
    failed = backend.wait_end(job_id)
    assert failed["reason"] == "TrainerError"
    assert failed["evidence"]["traceback"].endswith("RuntimeError: the probe was told to crash")
    again = backend.ask("POST", f"/v1/jobs/{job_id}/retry")
    assert again["id"] != job_id
    assert (again["parent_id"], again["tags"], again["params"]) == (job_id, ["x"], failed["params"])


def test_a_trainer_that_fails_at_import_names_the_module(backend: Backend) -> None:
    job = backend.wait_end(backend.submit("import"))
    assert (job["state"], job["reason"]) == ("FAILED", "TrainerError")
    assert "a_module_that_is_not_there" in job["message"]


def test_bad_configuration_is_named_by_the_trainers_one_line(backend: Backend) -> None:
    job = backend.wait_end(backend.submit("config"))
    assert (job["state"], job["reason"]) == ("FAILED", "BadConfiguration")
    assert job["message"] == "LEARNING_RATE must be smaller than 1"


def test_a_lost_done_is_found_in_the_log(backend: Backend) -> None:
    job = backend.wait_end(backend.submit("receipt-only"))
    assert (job["state"], job["reason"]) == ("SUCCEEDED", "Completed")
    job = backend.wait_end(backend.submit("no-done"))
    assert (job["state"], job["reason"]) == ("FAILED", "ExitedWithoutDone")


def test_what_may_change_after_a_submit_changes(backend: Backend) -> None:
    job_id = backend.submit()
    backend.ask("PATCH", f"/v1/jobs/{job_id}", json={"name": "better", "tags": ["t"], "notes": "n"})
    job = backend.wait_end(job_id)
    assert (job["name"], job["tags"], job["notes"]) == ("better", ["t"], "n")


def test_the_list_filters_searches_and_pages(backend: Backend) -> None:
    ids = [backend.submit(epochs=1, name=f"run {number}", tags=[f"t{number % 2}"]) for number in range(5)]
    crash = backend.submit("crash", name="100% odd")
    for job_id in [*ids, crash]:
        backend.wait_end(job_id)

    def listed(**params: Any) -> list[str]:
        return [job["id"] for job in backend.ask("GET", "/v1/jobs", params=params)["items"]]

    assert listed() == [crash, *reversed(ids)]
    assert listed(state="FAILED,CANCELLED") == [crash]
    assert listed(tag="t1") == [ids[3], ids[1]]
    assert listed(search="RUN 2") == [ids[2]]
    assert listed(search="0% o") == [crash]
    assert listed(search="%") == [crash]
    assert listed(dataset_id="cats-dogs") == []
    first = backend.ask("GET", "/v1/jobs", params={"limit": 4})
    second = backend.ask("GET", "/v1/jobs", params={"limit": 4, "before": first["next"]})
    assert [job["id"] for job in first["items"] + second["items"]] == listed()
    assert second["next"] is None
