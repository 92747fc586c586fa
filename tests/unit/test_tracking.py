"""Asking MLflow whether it lives: an answer in time, whatever is at its address."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from trainyard.tracking.mlflow import healthy


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_a_server_that_answers_is_healthy_also_behind_a_proxy_setting(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert healthy(server)
    assert not healthy(f"{server}/elsewhere")


def test_nothing_a_silent_server_and_no_address_are_unhealthy_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closing:
        nobody = closing.getsockname()[1]
        closing.close()
        began = time.monotonic()
        assert not healthy(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert not healthy(f"http://127.0.0.1:{nobody}")
        assert not healthy("http://[bad")
        assert not healthy("")
        assert time.monotonic() - began < 6
