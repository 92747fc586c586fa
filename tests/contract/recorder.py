"""A recorded backend: a real HTTP server that keeps every callback and misbehaves when told to."""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trainyard.contract.callbacks import Answer, Done, Event, Heartbeat
from trainyard.contract.vocabulary import State

MODELS = {"heartbeat": Heartbeat, "event": Event, "done": Done}
PATH = re.compile(r"/v1/jobs/([^/]+)/(heartbeat|event|done)")


@dataclass
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


@dataclass
class Reply:
    """What the backend does with a call. `lost`: it is taken, but its answer never arrives."""

    status: int = 200
    cancel: bool = False
    token: str | None = None
    lost: bool = False
    delay: float = 0


@dataclass
class Recorder:
    """Start it with `up()`; `arrived` holds every try, `taken` each call that was accepted, once."""

    reply: Callable[[Call], Reply] = lambda call: Reply()
    arrived: list[Call] = field(default_factory=list)
    taken: list[Call] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self._lock = threading.Lock()
        self.up()
        self.down()  # a free port of its own, known before it answers

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> "Recorder":
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.recorder = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, call: Call) -> Reply:
        with self._lock:
            self.arrived.append(call)
            reply = self.reply(call)
            if reply.status == 200 and call.seq not in {known.seq for known in self.taken}:
                MODELS[call.kind].model_validate(call.body)
                self.taken.append(call)
            return reply

    def heartbeats(self) -> list[dict[str, Any]]:
        return [call.body for call in self.taken if call.kind == "heartbeat"]

    def epochs(self) -> list[Call]:
        return [call for call in self.taken if call.kind == "heartbeat" and call.body.get("metrics")]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [call.body for call in self.taken if call.kind == "event" and call.body["type"] == kind]

    def done(self) -> dict[str, Any]:
        (last,) = [call.body for call in self.taken if call.kind == "done"]
        return last

    def wait_for(self, what: Callable[["Recorder"], Any], seconds: float = 30) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what(self):
                return found
            time.sleep(0.01)
        raise AssertionError(f"it did not happen in {seconds} s; arrived: {[c.body for c in self.arrived][-5:]}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        found = PATH.fullmatch(self.path)
        assert found, self.path
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])), parse_constant=_refuse)
        token = self.headers["Authorization"].removeprefix("Bearer ")
        call = Call(found[2], found[1], token, body, time.monotonic())
        reply = self.server.recorder.take(call)  # type: ignore[attr-defined]
        time.sleep(reply.delay)
        if reply.lost:
            self.close_connection = True
            return
        answer = Answer(state=State.RUNNING, cancel=reply.cancel, token=reply.token).model_dump_json().encode()
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON: it should travel as text")
