"""Browsers freeze, vanish and hang up halfway: what they held is given back, and others notice nothing."""

import json
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx2
import psutil
import pytest

from tests.conftest import backends
from tests.real.backend import TOKEN, Backend, wait_for
from tests.real.s3server import S3Server
from trainyard.callbacks.token import Tokens

MANY, SAID = 200, 1_200
SLACK = 30  # connections to database and store come and go with the load; a leak would be two hundred
MOST_MB = 80  # that the backend may grow by while many are frozen
# in the backend: how many tasks its event loop has, ten times a second
COUNTING = """
import asyncio
from pathlib import Path
from trainyard.events.stream import Hub

began = Hub.__init__

def begin(self, *given):
    began(self, *given)
    tell()

def tell():
    Path("tasks.new").write_text(str(len(asyncio.all_tasks())))
    Path("tasks.new").rename("tasks")
    asyncio.get_running_loop().call_later(0.1, tell)

Hub.__init__ = begin
"""
FROZEN = """
import socket, sys, time
port, count, request = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
held = []
for _ in range(count):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", port))
    one.sendall(request)
    assert one.recv(12) == b"HTTP/1.1 200"
    held.append(one)
print("ready", flush=True)
time.sleep(600)
"""


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {TOKEN}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


STREAM = request("GET", "/v1/events")
HALF_A_ZIP = request("POST", "/v1/datasets?name=half", "Content-Type: application/zip", "Content-Length: 1000000")
HALF_A_JOB = request("POST", "/v1/jobs", "Content-Type: application/json", "Content-Length: 5000", body=b'{"framework"')
ONE_JOB = request("GET", "/v1/jobs?limit=200")
UNFINISHED = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"


class Held:
    """What the backend has open and under way."""

    def __init__(self, backend: Backend) -> None:
        assert backend.process is not None
        self._process = psutil.Process(backend.process.pid)
        self._tasks = backend.folder / "tasks"

    def descriptors(self) -> int:
        return self._process.num_fds()

    def tasks(self) -> int:
        return int(self._tasks.read_text())

    def megabytes(self) -> float:
        return self._process.memory_info().rss / (1 << 20)


@pytest.fixture(scope="module")
def counted(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with backends(s3_server, tmp_path_factory.mktemp("f47")) as make:
        backend = make().start(before=COUNTING).with_sample()
        backend.wait_closed(backend.submit(epochs=1))  # everything that is made once is there
        yield backend


@contextmanager
def back_to_where_it_was(backend: Backend) -> Generator[Held]:
    held = Held(backend)
    backend.ask("GET", "/v1/jobs")
    descriptors, tasks = held.descriptors(), held.tasks()
    yield held
    wait_for("the descriptors to come back", lambda: held.descriptors() <= descriptors + SLACK, 60)
    wait_for("the tasks to end", lambda: held.tasks() <= tasks + 1, 60)


def opened(backend: Backend, said: bytes) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", backend.port), 120)
    one.sendall(said)
    return one


def hung_up(one: socket.socket) -> None:
    """RST: nothing of it is sent any more, nothing is read."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def read_answer(one: socket.socket) -> None:
    assert one.recv(12) == b"HTTP/1.1 200"


def unheard(_one: socket.socket) -> None:
    """Gone before an answer."""


@pytest.mark.parametrize(
    ("said", "then"),
    [
        (STREAM, read_answer),
        (STREAM, unheard),
        (HALF_A_ZIP + b"PK" * 5_000, unheard),
        (HALF_A_JOB, unheard),
        (ONE_JOB, unheard),
        (UNFINISHED, unheard),
    ],
    ids=["streaming", "before-its-stream", "half-a-zip", "half-a-json", "before-its-answer", "half-a-head"],
)
@pytest.mark.parametrize("politely", [True, False], ids=["closed", "reset"])
def test_f47_two_hundred_that_hang_up_cost_nothing_afterwards(
    counted: Backend, said: bytes, then: Callable[[socket.socket], None], politely: bool
) -> None:
    with back_to_where_it_was(counted) as held:
        before = held.descriptors()
        with ThreadPoolExecutor(20) as pool:
            ones = list(pool.map(lambda _: opened(counted, said), range(MANY)))
            if then is read_answer:
                list(pool.map(then, ones))
                assert held.descriptors() >= before + MANY - SLACK
        for one in ones:
            one.close() if politely else hung_up(one)
    spool = counted.folder / "data" / "spool"
    wait_for("half of an upload to be removed", lambda: not list(spool.glob("*.upload")))
    assert not [one for one in counted.ask("GET", "/v1/datasets")["items"] if one["name"] == "half"]


def test_f47_frozen_browsers_hold_nobody_up_and_leave_nothing(counted: Backend) -> None:
    job = counted.submit("train", epochs=10_000, epoch_seconds=600)
    counted.wait_state(job, "RUNNING")
    frozen = subprocess.Popen(
        [sys.executable, "-c", FROZEN, str(counted.port), str(MANY), STREAM.decode()], stdout=subprocess.PIPE, text=True
    )
    try:
        with back_to_where_it_was(counted) as held:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == "ready\n"
            frozen.send_signal(signal.SIGSTOP)
            before = held.megabytes()
            with Listener(counted, job) as awake:
                speak(counted, job, SAID)
                wait_for("all of it to be heard", lambda: len(awake.heard) == SAID)
            known = [one["id"] for one in all_events(counted, job) if one["type"] == "said"]
            assert awake.heard == known
            assert held.megabytes() < before + MOST_MB
            frozen.kill()
    finally:
        frozen.kill()
        frozen.wait()
        if frozen.stdout is not None:
            frozen.stdout.close()
        counted.ask("POST", f"/v1/jobs/{job}/cancel")
        counted.wait_closed(job)


class Listener:
    """A browser that is awake: the ids of what the job said, in a thread of its own."""

    def __init__(self, backend: Backend, job: str) -> None:
        self.heard: list[int] = []
        self._stream = backend.http.stream("GET", "/v1/events", params={"job_id": job}, timeout=60)
        self._lines = self._stream.__enter__().iter_lines()
        assert next(self._lines) == ": hello"
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Its last line is the one after all of what was said."""
        self._thread.join(1)
        self._stream.__exit__(None, None, None)

    def _listen(self) -> None:
        with suppress(httpx2.TransportError):
            for line in self._lines:
                if line.startswith("data: ") and '"type":"said"' in line:
                    self.heard.append(json.loads(line[6:])["id"])
                    if len(self.heard) == SAID:
                        return


def speak(backend: Backend, job: str, count: int) -> None:
    """So many events of a thousand bytes, as its trainer would tell them."""
    key = (backend.folder / "data" / "secrets" / "signing_key").read_text().strip()
    headers = {"Authorization": f"Bearer {Tokens(key, 3600).sign(job, 1)}"}

    for number in range(count):
        body = {"attempt": 1, "seq": 10_000 + number, "type": "said", "data": {"text": "x" * 1_000}}
        backend.ask("POST", f"/v1/jobs/{job}/event", headers=headers, json=body)


def all_events(backend: Backend, job: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while True:
        after = found[-1]["id"] if found else 0
        page = backend.ask("GET", f"/v1/jobs/{job}/events", params={"limit": 1000, "after": after})["items"]
        if not page:
            return found
        found += page


def test_f47_what_is_open_is_seen_in_these_counts(counted: Backend) -> None:
    held = Held(counted)
    before, tasks = held.descriptors(), held.tasks()
    ones = [opened(counted, STREAM) for _ in range(MANY)]
    for one in ones:
        read_answer(one)
    more = MANY - SLACK  # what the tests before left to come back may go meanwhile
    wait_for("them to be seen", lambda: held.descriptors() >= before + more and held.tasks() >= tasks + more)
    for one in ones:
        one.close()
    wait_for("them to go", lambda: held.descriptors() <= before + SLACK and held.tasks() <= tasks + 1)
