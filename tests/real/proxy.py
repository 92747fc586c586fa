"""A proxy between two real programs that mistreats their requests as a test's rule says: one thread a connection."""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.real.wire import reserved


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class Fate:
    """What becomes of a request. As it stands: passed on at once, and the whole answer comes back."""

    delay: float = 0.0  # seconds before it is passed on
    dropped: bool = False  # it never arrives; whoever sent it is hung up on
    swallowed: bool = False  # it never arrives; whoever sent it hears nothing until the proxy closes
    times: int = 1  # it arrives so often, all at once
    cut_at: int | None = None  # of the answer only so many bytes come back
    late: bool = False  # answered in the server's place, and passed on by `deliver`
    status: int = 0  # it never arrives; this is answered in the server's place


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


PASS = Fate()
PATIENCE = 60.0


class Proxy:
    """On a loopback port of its own. `rule` decides about each request; `answers` keeps all that the server said."""

    host = "127.0.0.1"

    def __init__(self, target: tuple[str, int], rule: Callable[[Request], Fate] = lambda _: PASS) -> None:
        self.target = target
        self.rule = rule
        self.answers: list[tuple[Request, Answer]] = []
        self.late: list[Request] = []
        self._closed = threading.Event()
        self._place = reserved(self.host)
        self.port: int = self._place.getsockname()[1]
        self.open()
        self.url = f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen; after `shut` on the same port again."""
        self._listener = self._place
        self._listener.listen(128)
        threading.Thread(target=self._accept, args=(self._listener,), name="proxy", daemon=True).start()

    def shut(self) -> None:
        """Nothing listens on its port any more: whoever comes is refused."""
        self._stop_listening()
        self._place = reserved(self.host, self.port)

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def obey(self, rule: Callable[[Request], Fate] = lambda _: PASS) -> None:
        """From here on this rule; without one everything passes. Forgets what was before."""
        self.rule, self.answers, self.late = rule, [], []

    def deliver(self) -> list[Answer]:
        """Pass on what came too late, in the order that `late` has now."""
        late, self.late = self.late, []
        return [self._pass_on(request) for request in late]

    def close(self) -> None:
        self._closed.set()
        self._stop_listening()
        self._place.close()

    # -- the threads -----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE)
        with client, suppress(OSError):
            request = read_request(client)
            if request is None:
                return
            fate = self.rule(request)
            if fate.swallowed:
                self._closed.wait()
            elif fate.late:
                self.late.append(request)
                client.sendall(_response("200 OK", b'{"state": "RUNNING", "cancel": false, "token": null}'))
            elif fate.status:
                client.sendall(_response(f"{fate.status} Broken", b"{}"))
            elif not fate.dropped:
                time.sleep(fate.delay)
                client.sendall(self._forward(request, fate.times)[: fate.cut_at])

    def _forward(self, request: Request, times: int) -> bytes:
        """Send it so often, and return the first answer."""
        others = [threading.Thread(target=self._again, args=(request,), daemon=True) for _ in range(times - 1)]
        for other in others:
            other.start()
        answer, _ = self._raw(request)
        for other in others:
            other.join(PATIENCE)
        return answer

    def _again(self, request: Request) -> None:
        with suppress(OSError):
            self._raw(request)

    def _pass_on(self, request: Request) -> Answer:
        return self._raw(request)[1]

    def _raw(self, request: Request) -> tuple[bytes, Answer]:
        with socket.create_connection(self.target, PATIENCE) as server:
            server.sendall(request.raw)
            data = b""
            while piece := server.recv(65_536):
                data += piece
        if not data:
            raise ConnectionResetError("the server hung up without an answer")
        head, _, body = data.partition(b"\r\n\r\n")
        answer = Answer(int(head.split(b" ", 2)[1]), body)
        self.answers.append((request, answer))
        return data, answer


def read_request(client: socket.socket) -> Request | None:
    """One whole request, asking the server to hang up after its answer. None where the client hangs up before."""
    with client.makefile("rb") as stream:
        first = stream.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers = http.client.parse_headers(stream)
        body = stream.read(int(headers.get("content-length", "0")))
    del headers["connection"]
    lines = [" ".join(first), *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    head = "\r\n".join(lines).encode("latin-1")
    return Request(first[0], first[1], body, head + b"\r\n\r\n" + body)


def _response(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    return head.encode() + b"\r\n\r\n" + body
