"""A wire between a program and a server, bytes as they come: it can be cut, or go dead without a word."""

import select
import socket
import threading
from contextlib import suppress


def reserved(host: str, port: int = 0) -> socket.socket:
    """A socket whose port is nobody else's, and which nobody reaches before it listens."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections from before may still be ending
    place.bind((host, port))
    return place


class Wire:
    """On a loopback port of its own; connections pass, are refused and reset (`cut`), or hang (`hold`)."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._held = False
        self._listener: socket.socket | None = None
        self._place = reserved("127.0.0.1")
        self.port: int = self._place.getsockname()[1]
        self.mend()

    def mend(self) -> None:
        """New connections pass again. Those that hung stay dead: that is what a dead wire does."""
        with self._lock:
            held, self._held = self._held, False
        if held:
            self._reset()
        if self._listener is None:
            self._listener = self._place
            self._listener.listen(128)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Every connection is reset, and new ones are refused."""
        self._stop_listening()
        self._place = reserved("127.0.0.1", self.port)

    def close(self) -> None:
        self._stop_listening()
        self._place.close()

    def _stop_listening(self) -> None:
        with self._lock:  # a connection that is being made right now is not to get through
            listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._reset()

    def hold(self) -> None:
        """Not a byte passes any more, in either direction, on old connections and new ones; none is closed."""
        with self._lock:
            self._held = True

    def interrupt(self) -> None:
        """Every connection is reset once; new ones pass."""
        self._reset()

    def _reset(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, listener), daemon=True).start()

    def _serve(self, client: socket.socket, listener: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._target, 60) as server:
            with self._lock:
                if listener is not self._listener:
                    return
                self._pairs.append((client, server))
            client.settimeout(None)
            server.settimeout(None)
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if self._held:
                    threading.Event().wait(0.05)
                    continue
                for end in ready:
                    data = end.recv(65_536)
                    if not data:
                        return
                    (server if end is client else client).sendall(data)
