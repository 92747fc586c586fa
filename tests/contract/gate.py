"""A door in front of a real server: open, shut (connections are reset) or hanging (nothing is ever answered)."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Gate:
    """Listens on a port of its own; `mode` may change at any time and holds for open connections too."""

    def __init__(self, url: str, mode: str = "open") -> None:
        self.mode = mode
        self._behind = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._let_in, daemon=True).start()

    def set(self, mode: str) -> None:
        self.mode = mode
        if mode != "open":
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
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
                host = socket.create_connection(self._behind)
                self._open.append(host)
                for one, other in ((guest, host), (host, guest)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
