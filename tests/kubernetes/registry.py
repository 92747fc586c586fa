"""A registry for pushes, by the distribution specification: blobs in memory, manifests by digest and by tag."""

import hashlib
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Registry:
    """What it was given, and whether it lets anybody in."""

    address: str = ""
    is_open: bool = True
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    tags: dict[str, bytes] = field(default_factory=dict[str, bytes])  # name:tag → manifest


@contextmanager
def running_registry() -> Generator[Registry]:
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": registry}))
    registry.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, format: str, *args: object) -> None:
        """Tests show what failed; requests that went well are noise."""

    def do_GET(self) -> None:
        blob = self.registry.blobs.get(self.path.rpartition("/")[2])
        if not self.registry.is_open:
            self._answer(401, {"WWW-Authenticate": 'Basic realm="closed"'})
        else:
            self._answer(200 if blob is not None or self.path == "/v2/" else 404, {})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._answer(202, {"Location": f"{urlsplit(self.path).path}1", "Docker-Upload-UUID": "1"})

    def do_PATCH(self) -> None:
        data = self._read()
        self.registry.blobs[digest_of(data)] = data
        self._answer(202, {"Location": self.path, "Docker-Upload-UUID": "1"})

    def do_PUT(self) -> None:
        data, parts = self._read(), urlsplit(self.path)
        if manifest := re.fullmatch(r"/v2/(.+)/manifests/(.+)", parts.path):
            self.registry.tags[f"{manifest[1]}:{manifest[2]}"] = data
            self._answer(201, {"Docker-Content-Digest": digest_of(data)})
        else:
            (digest,) = parse_qs(parts.query)["digest"]
            self._answer(201 if digest in self.registry.blobs else 400, {"Docker-Content-Digest": digest})

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
