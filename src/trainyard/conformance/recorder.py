"""The backend as a trainer sees it: a real HTTP server that keeps every callback and misbehaves when told to."""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import ValidationError

from trainyard.contract.callbacks import Answer, Done, Event, Heartbeat
from trainyard.contract.vocabulary import State

MODELS = {"heartbeat": Heartbeat, "event": Event, "done": Done}
PATH = re.compile(r"/v1/jobs/([^/]+)/(heartbeat|event|done)")


@dataclass(frozen=True)
class Call:
    """One callback as it arrived, whatever was answered."""

    kind: str
    job: str
    token: str
    body: dict[str, Any]
    at: float

    @property
    def seq(self) -> int:
        return self.body["seq"]

    @property
    def name(self) -> str:
        """heartbeat, done, or the event's type."""
        return str(self.body["type"]) if self.kind == "event" else self.kind

    @property
    def is_epoch(self) -> bool:
        """A heartbeat that ends an epoch; the timer's have no metrics."""
        return self.kind == "heartbeat" and bool(self.body.get("metrics"))


@dataclass(frozen=True)
class Reply:
    """What the backend does with a call. `lost`: it is taken, but its answer never arrives."""

    status: int = 200
    cancel: bool = False
    token: str | None = None
    lost: bool = False
    delay: float = 0


def _accept(_: Call) -> Reply:
    return Reply()


@dataclass
class Recorder:
    """Start it with `up()`; `arrived` holds every try, `taken` each call that was accepted, once, and `problems` what
    was no call at all. `down()` and `up()` keep the port: to a trainer the backend was away. `close()` ends it."""

    reply: Callable[[Call], Reply] = _accept
    arrived: list[Call] = field(default_factory=list[Call])
    taken: list[Call] = field(default_factory=list[Call])
    problems: list[str] = field(default_factory=list[str])
    port: int = 0

    def __post_init__(self) -> None:
        self._server: _Server | None = None
        self._lock = threading.Lock()
        # bound and never listening: while the server is down the port refuses connections, and stays ours
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", self.port))
        self.port = self._place.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> "Recorder":
        self._server = _Server(("127.0.0.1", self.port), self)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def down(self) -> None:
        """Idempotent. Not from within `reply`: it waits until the server has stopped."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        """For good: the port goes back, too."""
        self.down()
        self._place.close()

    def take(self, call: Call) -> Reply:
        with self._lock:
            self.arrived.append(call)
            reply = self.reply(call)
            if reply.status == 200 and call.seq not in {known.seq for known in self.taken}:
                self.taken.append(call)
            return reply

    def heartbeats(self) -> list[dict[str, Any]]:
        return [call.body for call in self.taken if call.kind == "heartbeat"]

    def epochs(self) -> list[Call]:
        return [call for call in self.taken if call.is_epoch]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [call.body for call in self.taken if call.name == kind]

    def done(self) -> dict[str, Any]:
        (last,) = [call.body for call in self.taken if call.kind == "done"]
        return last

    def wait_for(self, what: Callable[["Recorder"], Any], seconds: float = 30) -> Any:
        """What `what` found, once it finds something. Raises AssertionError when it never does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what(self):
                return found
            time.sleep(0.01)
        raise AssertionError(f"it did not happen in {seconds} s; arrived: {[c.body for c in self.arrived][-5:]}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], recorder: Recorder) -> None:
        super().__init__(address, _Handler)
        self.recorder = recorder

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever called may be gone before its answer: that is what retries are for."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.recorder.problems.append(f"the call could not be read: {error!r}"[:500])


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - what serves us is always ours

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            call = _read(self.path, self.headers.get("Authorization") or "", text)
        except ValueError as error:
            self.server.recorder.problems.append(f"POST {self.path}: {error}"[:500])
            self._answer(422, json.dumps({"error": str(error)[:500]}).encode())
            return
        reply = self.server.recorder.take(call)
        time.sleep(reply.delay)
        if reply.lost:
            self.close_connection = True
            return
        answer = Answer(state=State.RUNNING, cancel=reply.cancel, token=reply.token)
        self._answer(reply.status, answer.model_dump_json().encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _read(path: str, authorization: str, text: bytes) -> Call:
    """The call, checked as the platform would. Raises ValueError saying what is wrong with it."""
    found = PATH.fullmatch(path)
    if not found:
        raise ValueError("there is no such call: it is /v1/jobs/{JOB_ID}/heartbeat, event or done")
    body = json.loads(text, parse_constant=_refuse)
    try:
        MODELS[found[2]].model_validate(body)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"the body does not fit: {wrong}") from None
    if not authorization.startswith("Bearer "):
        raise ValueError("it has no header `Authorization: Bearer CALLBACK_TOKEN`")
    return Call(found[2], found[1], authorization.removeprefix("Bearer "), body, time.monotonic())


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON: it should travel as text")
