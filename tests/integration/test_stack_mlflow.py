"""MLflow as the stack starts it: late, alone, on loopback, with its artifacts in our store."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.real.backend import wait_for
from tests.real.installation import Installation, installation
from trainyard.stack.probe import http_status
from trainyard.stack.state import Phase
from trainyard.storage.client import Address
from trainyard.storage.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reads /proc and sends signals; run it on Linux")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("mlflow"), mlflow_url="") as made:
        made.run("up", "--detach")
        assert made.stack.services["mlflow"].phase != Phase.READY, "up waited for MLflow"
        wait_for("MLflow", lambda: made.stack.services["mlflow"].phase == Phase.READY, 240)
        yield made


def call(place: Installation, path: str, body: object = None, **headers: str) -> bytes:
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    method = "PUT" if isinstance(body, bytes) else None
    url = f"{place.settings.tracking_url}{path}"
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"} | headers, method=method)
    with urllib.request.urlopen(asked, timeout=90) as answer:
        return answer.read()


def test_its_artifacts_lie_in_our_store(place: Installation) -> None:
    call(place, "/api/2.0/mlflow-artifacts/artifacts/some/file.txt", b"kept")
    assert call(place, "/api/2.0/mlflow-artifacts/artifacts/some/file.txt") == b"kept"
    store = Store(Address.from_settings(place.settings))
    assert [found.key for found in store.list("mlflow/")] == ["mlflow/some/file.txt"]


def test_a_page_of_another_host_gets_nothing(place: Installation) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(place, "/api/2.0/mlflow/experiments/search?max_results=1", Host="evil.example")
    with refused.value as answer:  # it holds the connection
        assert answer.code == 403


def test_it_is_two_processes_on_loopback_and_no_more(place: Installation) -> None:
    identity = place.stack.services["mlflow"].identity
    assert identity is not None
    members = identity.members()
    assert len(members) == 2
    listening = [c for one in members for c in one.net_connections("tcp") if c.status == "LISTEN"]
    assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", place.settings.mlflow_port)}


def test_killed_halfway_it_comes_back_with_its_data_and_nothing_else_notices(place: Installation) -> None:
    call(place, "/api/2.0/mlflow/experiments/create", {"name": "kept"})
    backend, before = place.pid("backend"), place.pid("mlflow")
    psutil.Process(before).kill()  # its child lives on and holds the port: it must be found and ended

    def is_new() -> bool:
        record = place.stack.services["mlflow"]
        return record.phase == Phase.READY and record.identity is not None and record.identity.pid != before

    wait_for("a new MLflow", is_new, 120)
    found = json.loads(call(place, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=kept"))
    assert found["experiment"]["name"] == "kept"
    assert place.pid("backend") == backend
    assert http_status(f"{place.settings.backend_url}/v1/health/ready") == 200


def test_doctor_is_content(place: Installation) -> None:
    assert {line["verdict"] for line in place.json("doctor")} <= {"ok", "warn"}


def test_its_environment_is_made_once(place: Installation) -> None:
    stamp = place.data / "envs/mlflow/trainyard-lock"
    made = stamp.stat().st_mtime_ns
    place.run("down")
    place.run("up", "--detach")
    wait_for("MLflow's start", lambda: place.stack.services["mlflow"].phase in (Phase.STARTING, Phase.READY))
    assert stamp.stat().st_mtime_ns == made


def test_without_a_network_the_rest_is_up_and_the_reason_is_said(tmp_path: Path) -> None:
    away = {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
    with installation(tmp_path, mlflow_url="") as place:
        place.run("up", "--detach", **away)
        wait_for("the reason", lambda: "cannot be reached" in place.stack.services["mlflow"].detail)
        wait_for("its word in the log", lambda: "MLflow's environment could not be made." in place.log("supervisor"))
        assert http_status(f"{place.settings.backend_url}/v1/health/ready") == 200
