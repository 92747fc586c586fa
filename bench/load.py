"""A small load generator: many keep-alive connections from one process, each sending its next request on an answer."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Result:
    """Answers a second and how long they took."""

    clients: int
    answers: int
    failures: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.answers / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def request(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class _Connection:
    socket: socket.socket
    client: int
    sent_at: float = 0.0
    received: bytes = b""

    def whole_answer(self) -> bool:
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(rest) >= int(lengths[0].split(b":")[1])


def run(url: str, make: Callable[[int], bytes], clients: int, seconds: float) -> Result:
    """`make(client)` gives a client's next request, whole."""
    parts = urlsplit(url)
    selector = selectors.DefaultSelector()
    for client in range(clients):
        connection = socket.create_connection((parts.hostname, parts.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, _Connection(connection, client))
    latencies: list[float] = []
    failures = 0
    start = time.perf_counter()
    for key in list(selector.get_map().values()):
        _send(key.data, make)
    while time.perf_counter() - start < seconds:
        for key, _ in selector.select(timeout=1):
            connection = key.data
            data = connection.socket.recv(65536)
            if not data:
                raise SystemExit(f"the server closed a connection: {connection.received[:300]!r}")
            connection.received += data
            if connection.whole_answer():
                latencies.append(time.perf_counter() - connection.sent_at)
                failures += not connection.received.startswith(b"HTTP/1.1 200")
                _send(connection, make)
    elapsed = time.perf_counter() - start
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
    return Result(clients, len(latencies), failures, elapsed, latencies)


def _send(connection: _Connection, make: Callable[[int], bytes]) -> None:
    connection.received = b""
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(make(connection.client))
