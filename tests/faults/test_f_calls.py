"""Calls get lost, repeated, late and reordered on their way: a proxy stands between trainers, clients and backend."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from tests.faults.invariants import closed
from tests.faults.yard import Yard
from tests.real.backend import TOKEN, wait_for
from tests.real.proxy import PASS, Answer, Fate, Request
from trainyard.db.tables import events, jobs

BODY = {"framework": "probe", "dataset_id": "cats-dogs-classes", "params": {"epochs": 1}}


def is_done(request: Request) -> bool:
    return request.path.endswith("/done")


def submit_through_proxy(yard: Yard, key: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    return httpx2.post(f"{yard.proxy.url}/v1/jobs", headers=headers, json=BODY, timeout=90)


def jobs_of_key(yard: Yard, key: str) -> list[str]:
    return [row.id for row in yard.rows(sa.select(jobs.c.id).where(jobs.c.idempotency_key == key))]


def done_calls(yard: Yard, job_id: str) -> list[Any]:
    return yard.rows(sa.select(events.c.data).where(events.c.job_id == job_id, events.c.type == "done"))


@pytest.mark.parametrize("cut_at", [0, 40], ids=["before-its-first-byte", "in-the-middle"])
def test_f05_a_submit_whose_answer_was_lost_can_be_repeated(yard_on: Yard, cut_at: int) -> None:
    key = f"f05-{cut_at}"
    yard_on.proxy.obey(lambda request: Fate(cut_at=cut_at) if request.path == "/v1/jobs" else PASS)
    with pytest.raises(httpx2.TransportError):
        submit_through_proxy(yard_on, key)
    (stored,) = jobs_of_key(yard_on, key)
    yard_on.proxy.obey()
    again = submit_through_proxy(yard_on, key)
    assert (again.status_code, again.json()["id"]) == (200, stored)
    assert closed(yard_on, stored)["state"] == "SUCCEEDED"
    assert jobs_of_key(yard_on, key) == [stored]


def test_f05_the_same_submit_from_ten_at_once_is_one_job(yard_on: Yard) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: submit_through_proxy(yard_on, "f05-ten"), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    (job_id,) = {answer.json()["id"] for answer in answers}
    assert closed(yard_on, job_id)["state"] == "SUCCEEDED"
    assert yard_on.starts(job_id) == 1


def test_f15_done_that_arrives_five_times_ends_the_job_once(yard_on: Yard) -> None:
    yard_on.proxy.obey(lambda request: Fate(times=5) if is_done(request) else PASS)
    job_id = yard_on.submit()
    job = closed(yard_on, job_id)
    answers = [answer for request, answer in yard_on.proxy.answers if is_done(request)]
    assert [(answer.status, json.loads(answer.body)["state"]) for answer in answers] == [(200, "SUCCEEDED")] * 5
    assert len(done_calls(yard_on, job_id)) == 1
    for status in ("succeeded", "failed", "cancelled"):
        late = yard_on.call(job_id, "done", seq=900 + len(status), status=status)
        assert (late.status_code, late.json()["state"]) == (200, "SUCCEEDED")
    assert closed(yard_on, job_id) == job


def test_f16_what_comes_after_done_is_kept_and_moves_nothing(yard_on: Yard) -> None:
    def late(request: Request) -> Fate:
        told = json.loads(request.body) if request.method == "POST" else {}
        return Fate(late=told.get("epoch", 0) >= 2 or told.get("type") == "running")

    yard_on.proxy.obey(late)
    job_id = yard_on.submit(epochs=4)
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"]) == ("SUCCEEDED", "Completed")
    assert yard_on.curve(job_id, "train/loss") == [1]
    assert len(yard_on.proxy.late) == 4
    yard_on.proxy.late.reverse()
    delivered: list[Answer] = yard_on.proxy.deliver()
    assert [(answer.status, json.loads(answer.body)["state"]) for answer in delivered] == [(200, "SUCCEEDED")] * 4
    after = closed(yard_on, job_id)
    assert {name for name in job if job[name] != after[name]} == {"metrics"}
    assert yard_on.curve(job_id, "train/loss") == [1, 1 / 2, 1 / 3, 1 / 4]


def test_f18_where_done_is_lost_for_good_its_receipt_in_the_log_decides(yard_on: Yard) -> None:
    yard_on.proxy.obey(lambda request: Fate(dropped=is_done(request)))
    job_id = yard_on.submit(patience=0.5)
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"], job["progress"]) == ("SUCCEEDED", "Completed", 1.0)
    assert [row.data for row in done_calls(yard_on, job_id)] == [
        {"status": "succeeded", "metrics": {"val/accuracy": 0.75}}
    ]
    assert "gave up" in yard_on.log_text(job_id)


def test_f18_without_done_and_receipt_a_good_exit_is_a_failure(yard_on: Yard) -> None:
    job = closed(yard_on, yard_on.submit("no-done"))
    assert (job["state"], job["reason"], job["evidence"]["exit_code"]) == ("FAILED", "ExitedWithoutDone", 0)
    assert "epoch 3 of 3" in job["evidence"]["tail"]


def test_f18_a_receipt_of_another_attempt_or_job_counts_for_nothing(yard: Yard) -> None:
    other = yard.submit()
    receipt = next(line for line in yard_lines(yard, other) if " DONE " in line)
    job_id = yard.submit("no-done", epochs=100_000)
    yard.wait_state(job_id, "RUNNING")
    trace = yard.job(job_id)["trace_id"]
    with yard.run_folder(job_id).log.open("a") as log:
        log.write(f"{receipt}\n[TRACE:{trace}] DONE " + '{"attempt": 2, "seq": 9, "status": "succeeded"}\n')
    yard.trainer(job_id).kill()
    job = closed(yard, job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Killed")


def yard_lines(yard: Yard, job_id: str) -> list[str]:
    closed(yard, job_id)
    return yard.log_text(job_id).splitlines()


def test_f25_a_token_that_is_about_to_expire_is_renewed_in_a_heartbeats_answer(yard: Yard, tmp_path: Path) -> None:
    job_id = yard.submit(gate=tmp_path / "gate")
    yard.wait_state(job_id, "RUNNING")
    lifetime, now = 12 * 3600.0, time.time()
    tokens = yard.tokens(lifetime)
    for age, status, is_renewed in (
        (-240, 200, False),
        (0, 200, False),
        (lifetime + 240, 200, True),
        (lifetime + 360, 401, False),
    ):
        answer = yard.call(job_id, "heartbeat", token=tokens.sign(job_id, 1, now - age), seq=1000)
        assert answer.status_code == status, f"a token signed {age} s ago: {answer.text}"
        assert bool(answer.json().get("token")) == is_renewed
    renewed = yard.call(job_id, "heartbeat", token=tokens.sign(job_id, 1, now - lifetime), seq=1001).json()["token"]
    assert yard.call(job_id, "heartbeat", token=renewed, seq=1002).status_code == 200
    assert tokens.check(renewed).expires_at > now + lifetime - 60
    (tmp_path / "gate").touch()
    assert closed(yard, job_id)["state"] == "SUCCEEDED"


def test_f29_eight_writers_at_once_meet_no_locked_database(yard_on: Yard, tmp_path: Path) -> None:
    ids = [yard_on.submit(gate=tmp_path / "gate") for _ in range(4)]
    tokens = [yard_on.tokens().sign(job_id, 1) for job_id in ids]
    in_step = threading.Barrier(8)  # none is through long before the others: its job would be silent, and lost

    def write(writer: int) -> set[int]:
        which, at = writer % 4, 1000 * (1 + writer)
        answers: set[int] = set()
        for step in range(1, 41):
            in_step.wait(60)
            call = {"seq": at + step, "epoch": step, "metrics": {f"m{writer}": step}}
            answers.add(yard_on.call(ids[which], "heartbeat", token=tokens[which], **call).status_code)
            answers.add(yard_on.http.patch(f"/v1/jobs/{ids[which]}", json={"notes": str(call)}).status_code)
        return answers

    with ThreadPoolExecutor(8) as pool:
        assert set.union(*pool.map(write, range(8))) == {200}
    (tmp_path / "gate").touch()
    for which, job_id in enumerate(ids):
        assert closed(yard_on, job_id)["state"] == "SUCCEEDED"
        for writer in (which, which + 4):
            assert yard_on.curve(job_id, f"m{writer}") == list(range(1, 41))


def test_f37_nan_and_infinity_are_kept_and_shown_in_strict_json(yard_on: Yard, tmp_path: Path) -> None:
    job_id = yard_on.submit(gate=tmp_path / "gate")
    yard_on.wait_state(job_id, "RUNNING")
    headers = {"Authorization": f"Bearer {yard_on.tokens().sign(job_id, 1)}", "Content-Type": "application/json"}
    values = ("NaN", "Infinity", "-Infinity", '"NaN"', "0.5")
    for epoch, value in enumerate(values, start=1):
        body = f'{{"attempt": 1, "seq": {100 + epoch}, "epoch": {epoch}, "metrics": {{"odd": {value}}}}}'
        answer = yard_on.http.post(f"/v1/jobs/{job_id}/heartbeat", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
    (tmp_path / "gate").touch()
    closed(yard_on, job_id)
    assert yard_on.curve(job_id, "odd") == ["NaN", "Infinity", "-Infinity", "NaN", 0.5]

    def refuse(word: str) -> None:
        raise AssertionError(f"not strict JSON: {word}")

    for path in ("", "/metrics", "/events"):
        json.loads(yard_on.http.get(f"/v1/jobs/{job_id}{path}").text, parse_constant=refuse)
    assert yard_on.job(job_id)["metrics"]["odd"]["last"] == 0.5


def test_f37_a_nul_in_anything_a_trainer_says_harms_nobody(yard_on: Yard, tmp_path: Path) -> None:
    job_id = yard_on.submit("silent")
    other = yard_on.submit(gate=tmp_path / "gate")
    wait_for("its shim", lambda: yard_on.run_folder(job_id).shim())
    calls: list[tuple[str, dict[str, Any]]] = [
        ("heartbeat", {"phase": "a\0b", "epoch": 1, "metrics": {"lo\0ss": 1.0}}),
        ("event", {"type": "validation", "message": "\0", "data": {"epoch": 1, "metrics": {"m\0": 2.0}}}),
        ("event", {"type": "mlflow_run", "data": {"run_id": "r\0"}}),
        ("event", {"type": "checkpoint", "data": {"key": f"checkpoints/job-{job_id}/\0.pt", "\0": ["\0"]}}),
        ("done", {"status": "failed", "error": {"type": "E\0", "message": "m\0", "traceback": "t\0"}}),
    ]
    for seq, (kind, body) in enumerate(calls, start=1):
        answer = yard_on.call(job_id, kind, seq=seq, **body)
        assert answer.status_code == 200, f"{kind} {body}: {answer.text}"
    (tmp_path / "gate").touch()  # it would be lost, were it silent until all of the other is put away
    job = yard_on.wait_end(job_id)
    assert (job["state"], job["message"]) == ("FAILED", "E: m")
    yard_on.shim(job_id).kill()
    closed(yard_on, job_id)
    assert closed(yard_on, other)["state"] == "SUCCEEDED"
