"""A door in front of a real server: open, shut (connections are reset) or hanging (nothing is ever answered)."""

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")
_RESET = struct.pack("ii", 1, 0)  # a closed socket says so at once, and what it had not sent is gone


@dataclass(frozen=True)
class Request:
    """One HTTP request that went through, read from its first line."""

    method: str
    path: str
    at: float


class Gate:
    """Listens on a port of its own; `mode` may change at any time and holds for open connections too."""

    def __init__(self, url: str, mode: str = "open") -> None:
        self.mode = mode
        self.requests: list[Request] = []
        self.kept_waiting = 0  # connections that came while it was hanging
        self.cut = 0  # uploads that were reset
        self._to_cut = 0
        self._cut_paths: set[str] = set()
        self.upload_delay = 0.0  # seconds that each PUT is kept back
        self._held_for = 0.0
        self._behind = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._let_in, daemon=True).start()

    def set(self, mode: str) -> None:
        self.mode = mode
        if mode != "open":
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def hold(self, seconds: float) -> None:
        """From the first connection on, nothing moves for so long; then all of it does."""
        self._held_for = seconds
        self._flowing.clear()

    def cut_uploads(self, count: int) -> None:
        """The first PUT of each of the next objects is reset in the middle of its body."""
        self._to_cut = count

    def close(self) -> None:
        self._flowing.set()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._door.close()
        for one in self._open:
            one.close()

    def _let_in(self) -> None:
        while True:
            try:
                guest, _ = self._door.accept()
            except OSError:
                return  # closed
            self._open.append(guest)
            if self.mode == "shut":
                guest.close()
            elif self.mode == "open":
                self._connect(guest)
            else:
                self.kept_waiting += 1

    def _connect(self, guest: socket.socket) -> None:
        if self._held_for:
            threading.Timer(self._held_for, self._flowing.set).start()
            self._held_for = 0.0
        try:
            host = socket.create_connection(self._behind)
        except OSError:
            guest.close()  # as the server itself would have it
            return
        self._open.append(host)
        upload = _Upload(self)
        threading.Thread(target=self._carry, args=(guest, host, upload.watch), daemon=True).start()
        threading.Thread(target=self._carry, args=(host, guest, _pass), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, watch: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                if not watch(data):
                    target.sendall(data[: len(data) // 2])
                    for one in (source, target):
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        one.close()
                    return
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def note(self, method: str, path: str) -> bool:
        """Keep the request in mind; whether it may pass."""
        with self._lock:
            self.requests.append(Request(method, path, time.monotonic()))
        if method == "PUT":
            time.sleep(self.upload_delay)
        with self._lock:
            if method != "PUT" or path in self._cut_paths or not self._to_cut:
                return True
            self._cut_paths.add(path)
            self._to_cut -= 1
            self.cut += 1
            return False


class _Upload:
    """What one connection sends: finds the requests in it, and the body of the one that is to be cut."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._doomed = False

    def watch(self, data: bytes) -> bool:
        """False once this connection is to be reset: with the first bytes of the body, not with the head alone."""
        head = b""
        for found in _REQUEST.finditer(data):
            head = data[found.start() :]
            if not self._gate.note(found[1].decode(), found[2].decode("latin-1")):
                self._doomed = True
        return not self._doomed or (bool(head) and head.endswith(b"\r\n\r\n"))


def _pass(_: bytes) -> bool:
    return True
