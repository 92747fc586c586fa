"""Live streams: events without a gap across a lost connection or a restarted backend, logs as they grow."""

import io
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.real.backend import Backend, wait_for
from tests.real.s3server import S3Server
from trainyard.conformance.gate import Gate
from trainyard.contract.keys import log_key
from trainyard.storage.store import Store


def events(backend: Backend, last: int | None, **params: Any) -> Iterator[dict[str, Any]]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with backend.http.stream("GET", "/v1/events", params=params, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])


def until_the_end(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    for event in found:
        seen.append(event)
        if event["type"] == "state" and event["data"]["to"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break
    return seen


def test_a_stream_tells_everything_that_the_log_of_events_tells(backend_on: Backend) -> None:
    job_id = backend_on.submit(epochs=5)
    live = until_the_end(events(backend_on, 0, job_id=job_id))
    assert live == backend_on.events(job_id)[: len(live)]
    assert [event["type"] for event in live].count("heartbeat") == 5


def test_a_reconnect_goes_on_where_it_was_also_after_a_kill(backend: Backend) -> None:
    job_id = backend.submit(epochs=60, epoch_seconds=0.1)
    first: list[dict[str, Any]] = []
    for event in events(backend, 0, job_id=job_id):
        first.append(event)
        if len(first) == 8:
            break
    backend.kill()
    backend.start()
    rest = until_the_end(events(backend, first[-1]["id"], job_id=job_id))
    told = [event["id"] for event in first + rest]
    assert told == [event["id"] for event in backend.events(job_id)][: len(told)]
    epochs = [event["data"]["epoch"] for event in first + rest if event["type"] == "heartbeat"]
    assert epochs == list(range(1, 61))


def test_a_stream_without_an_id_begins_now(backend: Backend) -> None:
    old = backend.submit(epochs=1)
    backend.wait_closed(old)
    seen: list[dict[str, Any]] = []
    ready, failures = threading.Event(), []

    def listen() -> None:
        try:
            with httpx2.stream(
                "GET", f"{backend.url}/v1/events", headers=dict(backend.http.headers), timeout=60
            ) as answer:
                for line in answer.iter_lines():
                    if line.startswith(": hello"):
                        ready.set()
                    if line.startswith("data: "):
                        seen.append(json.loads(line[6:]))
                        if seen[-1]["data"].get("to") == "SUCCEEDED":
                            return
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    listener = threading.Thread(target=listen)
    listener.start()
    assert ready.wait(90)
    new = backend.submit(epochs=1)
    listener.join(120)
    assert not failures
    assert {event["job_id"] for event in seen} == {new}


def test_a_reader_from_before_an_older_database_was_put_back_is_told_and_goes_on(shared: Backend) -> None:
    """Ids begin again below the one it knows: it must neither wait for them to pass it nor think it missed nothing."""
    newest = max(event["id"] for event in shared.events(shared.submit(epochs=1)))
    headers = {"Last-Event-ID": str(newest + 1_000_000)}
    with shared.http.stream("GET", "/v1/events", headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(3)] == [": hello", "retry: 1000", ""]
        assert next(lines) == "event: gap"
        known = int(next(lines).removeprefix("id: "))
        assert [next(lines) for _ in range(2)] == ["data:", ""]
        job_id = shared.submit(epochs=1)
        told = next(json.loads(line[6:]) for line in lines if line.startswith("data: ") and job_id in line)
    assert newest <= known < told["id"]


def test_many_readers_that_leave_without_a_word_cost_nothing_afterwards(backend: Backend) -> None:
    assert backend.process is not None
    process = psutil.Process(backend.process.pid)
    backend.ask("GET", "/v1/jobs")
    before = process.num_fds()
    for _ in range(50):
        with backend.http.stream("GET", "/v1/events", timeout=60) as answer:
            assert next(answer.iter_lines()) == ": hello"
    wait_for("the descriptors to come back", lambda: process.num_fds() <= before + 4)


def test_a_stop_does_not_wait_for_open_streams(backend: Backend) -> None:
    with backend.http.stream("GET", "/v1/events", timeout=60) as answer:
        assert next(answer.iter_lines()) == ": hello"
        backend.stop()  # fails where it never ends


def test_a_log_is_followed_to_its_end(backend: Backend) -> None:
    job_id = backend.submit(epochs=20, epoch_seconds=0.05)
    text, ended, last = "", False, 0
    with backend.http.stream("GET", f"/v1/jobs/{job_id}/log/stream", timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("id: "):
                last = int(line[4:])
            elif line.startswith("event: end"):
                ended = True
            elif line.startswith("data: ") and not ended:
                text += json.loads(line[6:])
    assert ended
    assert text == backend.log_text(job_id)
    assert last == len(text.encode())


def test_a_log_is_read_in_parts_and_from_its_end(backend: Backend) -> None:
    job_id = backend.submit(epochs=5)
    backend.wait_closed(job_id)
    whole = backend.log_text(job_id)
    parts, offset = "", 0
    while True:
        answer = backend.http.get(f"/v1/jobs/{job_id}/log", params={"offset": offset, "limit": 37})
        parts += answer.text
        offset = int(answer.headers["x-next-offset"])
        if answer.headers["x-log-complete"] == "true":
            break
    assert parts == whole
    tail = backend.http.get(f"/v1/jobs/{job_id}/log", params={"tail": 50}).text
    assert whole.endswith(tail)
    assert len(tail) == 50


def test_a_tail_of_several_mb_reaches_the_end(backend: Backend) -> None:
    job_id = backend.submit(epochs=1)
    backend.wait_closed(job_id)
    text = "".join(f"line {number}\n" for number in range(300_000))
    next((backend.folder / "data" / "runs" / job_id).rglob("output.log")).write_text(text)
    answer = backend.http.get(f"/v1/jobs/{job_id}/log", params={"tail": 3_000_000})
    assert answer.text == text[-3_000_000:]
    assert int(answer.headers["x-next-offset"]) == len(text)
    assert answer.headers["x-log-complete"] == "true"


@pytest.mark.parametrize("limit", [1, 100])
def test_an_archived_log_keeps_its_characters_whole(
    make_backend: Callable[..., Backend], s3_server: S3Server, tmp_path: Path, limit: int
) -> None:
    backend = make_backend().start().with_sample()
    job_id = backend.submit(epochs=1)
    backend.wait_closed(job_id)
    shutil.rmtree(backend.folder / "data" / "runs" / job_id)
    words = "학습을 시작합니다 🚂\n" * 10
    bucket = backend.env["TRAINYARD_S3_BUCKET"]
    Store.from_settings(s3_server.settings(tmp_path, s3_bucket=bucket)).put_stream(log_key(job_id, 1), [words.encode()])
    text, offset, complete = "", 0, False
    while not complete:
        answer = backend.http.get(f"/v1/jobs/{job_id}/log", params={"offset": offset, "limit": limit})
        assert answer.text, "it does not get on"
        text, offset = text + answer.text, int(answer.headers["x-next-offset"])
        complete = answer.headers["x-log-complete"] == "true"
    assert text == words


@pytest.fixture
def gate(s3_server: S3Server) -> Iterator[Gate]:
    made = Gate(s3_server.endpoint)
    yield made
    made.close()


def behind(gate: Gate, make_backend: Callable[..., Backend]) -> Backend:
    backend = make_backend()
    backend.env["TRAINYARD_S3_ENDPOINT"] = gate.url
    return backend.start()


def test_following_a_log_ends_while_the_store_is_away(gate: Gate, make_backend: Callable[..., Backend]) -> None:
    backend = behind(gate, make_backend).with_sample()
    go = backend.folder / "go"
    job_id = backend.submit(params={"epochs": 20, "epoch_seconds": 0.05, "gate": str(go)})
    with backend.http.stream("GET", f"/v1/jobs/{job_id}/log/stream", timeout=60) as answer:
        lines = answer.iter_lines()
        next(lines)
        backend.wait_state(job_id, "RUNNING")
        gate.set("shut")
        go.touch()  # not before: what has ended is archived at once
        assert "event: end" in lines
    assert backend.job(job_id)["closed_at"] is None
    assert "epoch 20 of 20" in backend.log_text(job_id)


def test_uploads_that_wait_for_the_store_hold_up_nothing_else(gate: Gate, make_backend: Callable[..., Backend]) -> None:
    backend = behind(gate, make_backend)
    gate.set("hanging")
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name in ("cats", "dogs"):
            archive.writestr(f"{name}/1.jpg", name)
    uploads = min(32, (os.cpu_count() or 1) + 4) + 2  # more than the threads that everything else shares

    def upload(number: int) -> None:
        headers = {"Content-Type": "application/zip"}
        query = {"name": f"set {number}"}
        with suppress(httpx2.TransportError):  # the backend is killed at the end
            backend.http.post("/v1/datasets", params=query, content=bundle.getvalue(), headers=headers, timeout=240)

    for number in range(uploads):
        threading.Thread(target=upload, args=(number,), daemon=True).start()
    spool = backend.folder / "data" / "spool"
    wait_for("all uploads to arrive", lambda: len(list(spool.glob("*.upload"))) == uploads)
    for _ in range(10):
        answer = backend.http.get("/v1/jobs/job-20261121-101112-abcd/log", timeout=50)
        assert answer.status_code == 404
    assert len(list(spool.glob("*.upload"))) == uploads


def test_a_flood_is_bounded_and_marked(make_backend: Any) -> None:
    small: Backend = make_backend(log_limit_mb="2").start().with_sample()
    job_id = small.submit("flood", epochs=2)
    job = small.wait_closed(job_id)
    assert job["state"] == "SUCCEEDED"
    log = next((small.folder / "data" / "runs" / job_id).rglob("output.log"))
    assert log.stat().st_blocks * 512 < 8 << 20
    text, offset = "", 0
    while True:
        answer = small.http.get(f"/v1/jobs/{job_id}/log", params={"offset": offset})
        text += answer.text
        offset = int(answer.headers["x-next-offset"])
        if answer.headers["x-log-complete"] == "true":
            break
    assert "were cut here" in text
    assert "probe starts" in text
    assert "epoch 2 of 2" in text
    assert len(text) < 4 << 20
