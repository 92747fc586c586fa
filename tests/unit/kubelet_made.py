"""A little server on loopback that tells a container's log as a kubelet does, and misbehaves as a test wants."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from lightkube.config.kubeconfig import KubeConfig
from lightkube.config.models import Cluster, User

from trainyard.executors.kubernetes.api import Api

START = 1_790_000_000 * 10**9
SECOND = 10**9
Entry = tuple[int, bytes]  # as containerd keeps them: a part of a long line is an entry without a newline


def stamp(at: int) -> str:
    whole = datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{at % SECOND:09d}Z"


def told(entries: list[Entry], since: int = 0, at_start: bool = True) -> bytes:
    """What a kubelet says of them: a timestamp only where a line begins."""
    said: list[bytes] = []
    for at, text in entries:
        if at < since:
            continue
        said.append(stamp(at).encode() + b" " + text if at_start else text)
        at_start = text.endswith(b"\n")
    return b"".join(said)


def lines(count: int, first: int = 0, every: int = SECOND // 10, text: str = "line {}") -> list[Entry]:
    return [(START + n * every, (text.format(n) + "\n").encode()) for n in range(first, first + count)]


def seconds(since: str | None) -> int:
    return int(datetime.fromisoformat(since).timestamp()) * SECOND if since else 0


class Kubelet:
    """Its log is what `say` added and `rotate` left. Answers break off at `cut_at` bytes, or say no more after
    `silent_at`; `refuses` is answered instead, once for each that is in it; `always` for ever."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.entries: list[Entry] = []
        self.rotated = 0
        self.ended = False
        self.stopped = False
        self.cut_at: int | None = None
        self.silent_at: list[int] = []
        self.early_ends = 0  # so many answers end at once, as if the container had
        self.refuses: list[tuple[int, str]] = []
        self.always: tuple[int, str] | None = None
        self.queries: list[dict[str, str]] = []
        self.open()

    def open(self, port: int = 0) -> None:
        """Listen; on the port from before after `shut`."""
        handler = type("Handler", (_Handler,), {"kubelet": self})
        self.stopped = False
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Nothing answers any more; what was being told breaks off."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def text(self) -> bytes:
        return b"".join(text for _, text in self.entries)

    def say(self, entries: list[Entry], end: bool = False) -> None:
        with self.changed:
            self.entries += entries
            self.ended = self.ended or end
            self.changed.notify_all()

    def wait_beyond(self, at: int, follow: bool) -> tuple[list[Entry], bool]:
        """The next entries, and whether they are the last."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.entries) > at or self.ended or self.stopped or not follow, 0.2)
            return self.entries[at : at + 1000], (self.ended or not follow) and len(self.entries) <= at + 1000

    def rotate(self, keep: int) -> None:
        """Forget all but the last entries."""
        with self.changed:
            self.rotated = len(self.entries) - keep


@contextmanager
def kubelet() -> Generator[Kubelet]:
    made = Kubelet()
    try:
        yield made
    finally:
        made.shut()


@contextmanager
def api_of(url: str) -> Generator[Api]:
    config = KubeConfig.from_one(cluster=Cluster(server=url), user=User(token="not-a-secret")).get()
    assert config is not None
    api = Api(config, "trains")
    try:
        yield api
    finally:
        api.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kubelet: Kubelet

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        self.kubelet.queries.append(query | {"path": address.path})
        refused = self.kubelet.refuses.pop(0) if self.kubelet.refuses else self.kubelet.always
        if refused:
            self._refuse(*refused)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._left = self.kubelet.cut_at
        self._silent = self.kubelet.silent_at.pop(0) if self.kubelet.silent_at else None
        try:
            if self._tell(query):
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.close_connection = True
        except OSError:
            self.close_connection = True

    def _refuse(self, status: int, message: str) -> None:
        body = json.dumps({"kind": "Status", "message": message, "code": status}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _tell(self, query: dict[str, str]) -> bool:
        """Whether it came to a regular end."""
        kubelet, since = self.kubelet, seconds(query.get("sinceTime"))
        if kubelet.early_ends:
            kubelet.early_ends -= 1
            return True
        at, at_start = kubelet.rotated, True
        while True:
            new, over = kubelet.wait_beyond(at, query.get("follow") == "true")
            if kubelet.stopped:
                return False
            if new and not self._send(told(new, since, at_start)):
                return False
            if new and any(one >= since for one, _ in new):
                at_start = new[-1][1].endswith(b"\n")
            at += len(new)
            if over:
                return True

    def _send(self, data: bytes) -> bool:
        """False where the answer breaks off here."""
        for start in range(0, len(data), 30_000):
            piece = data[start : start + 30_000]
            if self._silent is not None:
                piece, self._silent = piece[: self._silent], max(0, self._silent - len(piece))
            if self._left is not None:
                piece, self._left = piece[: self._left], max(0, self._left - len(piece))
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if self._silent == 0:
                self._hang()
                return False
            if self._left == 0:
                return False
        return True

    def _hang(self) -> None:
        give_up = time.monotonic() + 30
        with self.kubelet.changed:
            while not self.kubelet.stopped and time.monotonic() < give_up:
                self.kubelet.changed.wait(0.5)
