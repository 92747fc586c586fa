"""What the cluster holds, kept up by watches: against a small server that speaks as the API server does."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.real.backend import wait_for
from trainyard.executors.base import RunId
from trainyard.executors.kubernetes import mirror as mirrors
from trainyard.executors.kubernetes.api import Api
from trainyard.executors.kubernetes.mirror import Mirror
from trainyard.executors.kubernetes.names import MANAGED_BY, TRACE_ID, selector
from trainyard.settings import load_settings

RUN = RunId("job-20261121-101112-abcd", 1, "f00d")
STRANGER = RunId("job-20261121-101112-abcd", 1, "beef")


class Cluster:
    """Lists what `pods` holds; a watch sends what is put into `changes`, or says 410 for what `forgotten` names."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = []
        self.version = 10
        self.forgotten = 0
        self.lists = 0
        self.changes: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                place = urlsplit(self.path)
                cluster.answer(self, place.path.rpartition("/")[2], parse_qs(place.query))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def answer(self, to: BaseHTTPRequestHandler, kind: str, query: dict[str, list[str]]) -> None:
        if "watch" not in query:
            self.lists += kind == "pods"
            items = self.pods if kind == "pods" else []
            self._whole(to, {"items": items, "metadata": {"resourceVersion": str(self.version)}})
            return
        to.send_response(200)
        to.send_header("Transfer-Encoding", "chunked")
        to.end_headers()
        if kind != "pods":
            self._stay(to)
        elif int(query["resourceVersion"][0]) < self.forgotten:
            self._line(to, {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}})
        else:
            while (change := self.changes.get()) is not None:
                self._line(to, change)
        to.wfile.write(b"0\r\n\r\n")
        to.close_connection = True  # else its thread would serve on after the server's end

    def _stay(self, to: BaseHTTPRequestHandler) -> None:
        threading.Event().wait(30)

    def _whole(self, to: BaseHTTPRequestHandler, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        to.send_response(200)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    def _line(self, to: BaseHTTPRequestHandler, told: dict[str, Any]) -> None:
        line = json.dumps(told).encode() + b"\n"
        to.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        to.wfile.flush()

    def tell(self, what: str, pod: dict[str, Any]) -> None:
        self.version += 1
        pod = {**pod, "metadata": {**pod["metadata"], "resourceVersion": str(self.version)}}
        self.changes.put({"type": what, "object": pod})

    def end_watch(self) -> None:
        self.changes.put(None)

    def close(self) -> None:
        self.end_watch()
        self.server.shutdown()
        self.server.server_close()


def a_pod(uid: str, run: RunId = RUN, phase: str = "Running") -> dict[str, Any]:
    labels = {**MANAGED_BY, **selector(run), TRACE_ID: run.trace_id}
    told = {"uid": uid, "name": f"training-{uid}", "labels": labels, "resourceVersion": "5"}
    return {"kind": "Pod", "metadata": told | {"creationTimestamp": "2026-11-21T10:11:12Z"}, "status": {"phase": phase}}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def mirror(cluster: Cluster, told: list[str], tmp_path: Path) -> Iterator[Mirror]:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{cluster.server.server_port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    api = Api.connect(load_settings(_env_file=None, data_dir=tmp_path, kubeconfig=tmp_path / "config"))
    made = Mirror(api, told.append)
    made.start()
    wait_for("the first list", lambda: not made.away)
    yield made
    made.close()
    cluster.end_watch()
    api.close()


def phases(mirror: Mirror, run: RunId = RUN) -> list[str]:
    return [str(pod["status"]["phase"]) for pod in mirror.pods(run)]


def test_what_changes_is_seen_and_told_and_what_is_gone_is_remembered_as_it_was(
    cluster: Cluster, mirror: Mirror, told: list[str]
) -> None:
    cluster.tell("ADDED", a_pod("1", phase="Pending"))
    wait_for("it", lambda: phases(mirror) == ["Pending"])
    cluster.tell("MODIFIED", a_pod("1"))
    wait_for("its change", lambda: phases(mirror) == ["Running"])
    cluster.tell("DELETED", a_pod("1", phase="Failed"))
    wait_for("its end", lambda: phases(mirror) == ["Failed"])
    assert not mirror.is_there(a_pod("1"))
    assert set(told) == {RUN.job_id}
    mirror.forget(RUN)
    assert phases(mirror) == []


def test_a_pod_that_outlives_its_run_is_forgotten_as_it_goes(cluster: Cluster, mirror: Mirror, told: list[str]) -> None:
    cluster.tell("ADDED", a_pod("1"))
    wait_for("it", lambda: phases(mirror))
    mirror.forget(RUN)
    known = len(told)
    cluster.tell("DELETED", a_pod("1", phase="Failed"))
    wait_for("its end", lambda: len(told) > known)
    assert phases(mirror) == []


def test_what_the_server_forgot_is_listed_anew_and_what_is_missing_there_is_gone(
    cluster: Cluster, mirror: Mirror
) -> None:
    cluster.tell("ADDED", a_pod("1"))
    wait_for("it", lambda: phases(mirror))
    cluster.pods, cluster.version, cluster.forgotten = [a_pod("2", phase="Pending")], 90, 90
    lists = cluster.lists
    cluster.end_watch()
    wait_for("another list", lambda: cluster.lists > lists and len(phases(mirror)) == 2)
    assert mirror.is_there(a_pod("2"))
    assert not mirror.is_there(a_pod("1"))


def test_an_older_state_never_takes_the_place_of_a_newer_one(cluster: Cluster, mirror: Mirror) -> None:
    cluster.tell("ADDED", a_pod("1"))
    wait_for("it", lambda: phases(mirror))
    cluster.version = 2
    cluster.tell("MODIFIED", a_pod("1", phase="Pending"))
    cluster.version = 50
    cluster.tell("ADDED", a_pod("2"))
    wait_for("the other", lambda: len(phases(mirror)) == 2)
    assert phases(mirror) == ["Running", "Running"]


def test_another_installations_pods_are_not_ours_and_do_not_pile_up(
    cluster: Cluster, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "MOST_OBJECTS", 3)
    for number in range(6):
        cluster.tell("ADDED", a_pod(str(number), STRANGER))
        cluster.tell("DELETED", a_pod(str(number), STRANGER))
    cluster.tell("ADDED", a_pod("mine"))
    wait_for("ours", lambda: phases(mirror) == ["Running"])
    assert len(mirror.pods(STRANGER)) == 3


def test_a_server_that_is_gone_is_away(cluster: Cluster, mirror: Mirror) -> None:
    assert mirror.away == ""
    cluster.server.shutdown()
    cluster.server.server_close()
    cluster.end_watch()
    assert "does not answer" in wait_for("it to be missed", lambda: mirror.away)


def test_after_an_outage_nothing_old_is_taken_for_the_present(cluster: Cluster, mirror: Mirror) -> None:
    for uid in ("1", "2"):
        cluster.tell("ADDED", a_pod(uid))
    wait_for("both", lambda: len(phases(mirror)) == 2)
    ended = a_pod("1", phase="Succeeded")
    cluster.version += 10
    ended["metadata"]["resourceVersion"] = str(cluster.version)
    cluster.pods = [ended]  # the other is gone
    cluster.changes.put({"type": "ERROR", "object": {"code": 500, "message": "not now"}})
    cluster.end_watch()
    wait_for("it to be away", lambda: mirror.away)
    wait_for("it to be back", lambda: not mirror.away)
    there = {pod["metadata"]["uid"]: pod["status"]["phase"] for pod in mirror.pods(RUN) if mirror.is_there(pod)}
    assert there == {"1": "Succeeded"}
