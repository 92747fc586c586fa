"""A small real receiver of Loki's pushes over HTTP: as strict as the protocol is written, and in trouble on request."""

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.real.backend import wait_for
from trainyard.logs.loki import JobLog, Pace, Shipper

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
NANOSECONDS = re.compile(r"[0-9]{19}")
LONGEST_LINE = 256 * 1024
QUICK = Pace(look=0.02, first_pause=0.02, longest_pause=0.5, answer=60.0)


@dataclass(frozen=True)
class Fate:
    """What becomes of a push. As it stands: taken, and answered with 204 at once."""

    status: int = 204
    body: str = ""
    taken: bool = True  # also where the answer says otherwise, or comes too late
    delay: float = 0.0


def refused(status: int, body: str = "") -> Fate:
    return Fate(status, body, taken=False)


@dataclass(frozen=True)
class Push:
    at: float
    headers: dict[str, str]
    size: int  # of the JSON
    streams: list[dict[str, Any]]

    @property
    def job_id(self) -> str:
        return str(self.streams[0]["stream"]["job_id"])

    @property
    def lines(self) -> list[str]:
        return [value[1] for stream in self.streams for value in stream["values"]]


@dataclass
class Stream:
    metadata: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    seen: set[tuple[int, str]] = field(default_factory=set)
    last: int = 0


class Receiver:
    """`rule` decides about each push. `faults`: what broke the protocol; a test expects none."""

    def __init__(self, rule: Callable[[Push], Fate] = lambda _: Fate()) -> None:
        self.rule = rule
        self.pushes: list[Push] = []
        self.faults: list[str] = []
        self.streams: dict[tuple[tuple[str, str], ...], Stream] = {}
        self.port = 0
        self.connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.open()
        self.url = f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen; after `shut` on the same port again."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver", daemon=True).start()

    def shut(self) -> None:
        """Nothing listens on its port any more, and whoever is connected is hung up on."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def obey(self, rule: Callable[[Push], Fate] = lambda _: Fate()) -> None:
        self.rule = rule

    def lines(self, job_id: str) -> list[str]:
        """What it holds of a job, as it came."""
        with self._lock:
            return [line for key, stream in self.streams.items() if ("job_id", job_id) in key for line in stream.lines]

    def take(self, push: Push) -> None:
        """As Loki does: a line with the same time as before is there already."""
        with self._lock:
            for given in push.streams:
                stream = self.streams.setdefault(tuple(sorted(given["stream"].items())), Stream())
                for at, line, metadata in given["values"]:
                    if (int(at), line) in stream.seen:
                        continue
                    if int(at) <= stream.last:
                        self.faults.append(f"{line[:40]!r} came with a time that is not after the last one's")
                    stream.last = int(at)
                    stream.seen.add((int(at), line))
                    stream.lines.append(line)
                    stream.metadata.append(metadata)


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            receiver.connections.add(self.connection)

        def finish(self) -> None:
            receiver.connections.discard(self.connection)
            super().finish()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                assert self.path == "/loki/api/v1/push", self.path
                push = read(headers, raw)
            except (AssertionError, ValueError, OSError, TypeError, KeyError) as error:
                receiver.faults.append(f"{type(error).__name__}: {error}")
                self._answer(500, "the receiver did not understand this")
                return
            fate = receiver.rule(push)
            receiver.pushes.append(push)
            if fate.taken:
                receiver.take(push)
            time.sleep(fate.delay)
            self._answer(fate.status, fate.body)

        def _answer(self, status: int, body: str) -> None:
            data = b"" if status == 204 else body.encode()
            try:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # it did not wait for the answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def read(headers: dict[str, str], raw: bytes) -> Push:
    """Raises where the protocol is not kept."""
    assert headers["content-type"] == "application/json", headers["content-type"]
    assert headers["content-encoding"] == "gzip", headers["content-encoding"]
    text = gzip.decompress(raw).decode()
    body = json.loads(text)
    assert set(body) == {"streams"}, body.keys()
    assert body["streams"], "a push without streams"
    for stream in body["streams"]:
        check_stream(stream)
    return Push(time.monotonic(), headers, len(text.encode()), body["streams"])


def check_stream(stream: dict[str, Any]) -> None:
    assert set(stream) == {"stream", "values"}, stream.keys()
    assert set(stream["stream"]) == {"job_id", "framework", "tier"}, stream["stream"]
    check_names(stream["stream"])
    assert stream["values"], "a stream without lines"
    last = 0
    for value in stream["values"]:
        assert isinstance(value, list) and len(value) == 3, value
        at, line, metadata = value
        assert isinstance(at, str) and NANOSECONDS.fullmatch(at), at
        assert int(at) > last, "times within a push do not rise"
        assert int(at) < time.time_ns() + 10**9, "a time that is yet to come"
        last = int(at)
        assert isinstance(line, str) and "\n" not in line, line
        assert len(line.encode()) <= LONGEST_LINE, len(line)
        assert set(metadata) == {"trace_id"}, metadata
        check_names(metadata)


def check_names(pairs: dict[str, str]) -> None:
    for name, value in pairs.items():
        assert LABEL.fullmatch(name), name
        assert isinstance(value, str) and value, (name, value)


# -- the other end ---------------------------------------------------------------------------------------------------


@dataclass
class Yard:
    """Logs in run folders, and the shippers that a test starts for them."""

    folder: Path
    url: str
    logs: dict[str, JobLog] = field(default_factory=dict)
    shippers: list[Shipper] = field(default_factory=list)

    def log(self, job_id: str) -> JobLog:
        run = self.folder / job_id / "a1"
        run.mkdir(parents=True)
        self.logs[job_id] = JobLog(job_id, "timm", "local", f"trace-{job_id}", run / "output.log", ended=False)
        return self.logs[job_id]

    def write(self, job_id: str, text: str) -> None:
        with self.logs[job_id].path.open("a", newline="") as file:
            file.write(text)

    def end(self, job_id: str) -> None:
        self.logs[job_id] = replace(self.logs[job_id], ended=True)

    def close(self) -> None:
        for shipper in self.shippers:
            shipper.close()
        wait_for("the shippers to end", lambda: "loki" not in {thread.name for thread in threading.enumerate()})

    def ship(self, pace: Pace = QUICK, url: str = "", token: str = "") -> Shipper:
        shipper = Shipper(url or self.url, SecretStr(token) if token else None, lambda: list(self.logs.values()), pace)
        self.shippers.append(shipper)
        shipper.start()
        return shipper


def expect(receiver: Receiver, job_id: str, lines: list[str]) -> None:
    wait_for(f"{len(lines)} lines of {job_id}", lambda: len(receiver.lines(job_id)) >= len(lines))
    assert receiver.lines(job_id) == lines


def numbered(start: int, count: int) -> list[str]:
    return [f"line {number} of a training" for number in range(start, start + count)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
