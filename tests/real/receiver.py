"""A web server that takes webhooks and keeps what it got; it answers as a test says, and may come and go."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.real.backend import free_port

# of a request by its number, from 0: the status, or None for no answer at all
Answer = Callable[[int], int | None]


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """On a port of its own, which it keeps over stop and start."""

    def __init__(
        self, answer: Answer = lambda _: 204, location: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        self.port = free_port()
        self.got: list[Got] = []
        self.answer = answer
        self._location = location
        self._context = context
        self._gone = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def url(self, host: str = "127.0.0.1", path: str = "/hook?a=1") -> str:
        return f"{'https' if self._context else 'http'}://{host}:{self.port}{path}"

    def start(self) -> "Receiver":
        receiver = self
        self._gone.clear()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                number = len(receiver.got)
                receiver.got.append(Got(self.path, dict(self.headers), body))
                status = receiver.answer(number)
                if status is None:
                    receiver._gone.wait(30)
                    return
                self.send_response(status)
                if receiver._location:
                    self.send_header("Location", receiver._location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if self._context is not None:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._gone.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> "Receiver":
        return self.start()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
