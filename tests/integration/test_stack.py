"""`up`, `down` and `status` with real services: started, found again, killed, started again, ended."""

import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.real.backend import wait_for
from tests.real.installation import CLI, NOT_THERE, Installation, installation
from trainyard.errors import StorageUnavailable
from trainyard.stack.probe import http_status
from trainyard.stack.state import Phase
from trainyard.storage.client import Address
from trainyard.storage.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reads /proc and sends signals; run it on Linux")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One that is up, for tests that only look."""
    with installation(tmp_path_factory.mktemp("running")) as made:
        made.run("up", "--detach")
        yield made


def test_up_returns_when_storage_and_backend_answer(running: Installation) -> None:
    assert http_status(f"{running.settings.s3_url}/healthz") == 200
    assert http_status(f"{running.settings.backend_url}/v1/health/ready") == 200
    assert running.stack.ready


def test_up_twice_says_that_it_is_up_and_starts_nothing(running: Installation) -> None:
    before = running.stack.services
    assert "Already up" in running.run("up", "--detach")
    assert "Already up" in running.run("up")
    after = running.stack.services
    assert [record.identity for record in after.values()] == [record.identity for record in before.values()]


def test_the_store_answers_nobody_without_the_right_keys(running: Installation) -> None:
    right = Address.from_settings(running.settings)
    assert Store(right).healthy()
    assert http_status(f"{right.endpoint}/{right.bucket}?list-type=2") == 403
    for keys in (("nobody", right.secret_key), (right.access_key, "wrong")):
        wrong = Address(right.endpoint, right.bucket, *keys, right.region)
        with pytest.raises(StorageUnavailable, match="refuses the keys"):
            Store(wrong).ensure_bucket()


def test_nothing_of_the_store_listens_beyond_loopback_or_shows_files(running: Installation) -> None:
    listening = [c for c in psutil.Process(running.pid("storage")).net_connections("tcp") if c.status == "LISTEN"]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
    Store(Address.from_settings(running.settings)).put_stream("secret.txt", [b"nobody may read this"])
    for connection in listening:
        for path in ("/buckets/trainyard/secret.txt", "/trainyard/secret.txt"):
            status = http_status(f"http://127.0.0.1:{connection.laddr.port}{path}")
            assert status != 200, f"port {connection.laddr.port} serves {path} without a key"


def test_secrets_are_in_no_command_line_and_no_log(running: Installation) -> None:
    secrets = [running.settings.s3_keys[1], running.settings.admin_token]
    seen = "".join(" ".join(process.cmdline()) for process in running.processes())
    seen += "".join(path.read_text() for path in (running.data / "logs").iterdir())
    assert seen
    assert not [secret for secret in secrets if secret in seen]


def test_status_shows_each_service(running: Installation) -> None:
    lines = {line["service"]: line for line in running.json("status")["services"]}
    for name in ("storage", "backend"):
        assert lines[name]["health"] == "up"
        assert lines[name]["pid"] == running.pid(name)
        assert lines[name]["memory_bytes"] > 1_000_000
        assert lines[name]["uptime_seconds"] > 0
    assert lines["mlflow"]["health"] == "not answering"
    assert "storage" in running.run("status")


def test_status_can_be_watched_until_ctrl_c(running: Installation) -> None:
    with pexpect.spawn(CLI[0], [*CLI[1:], "status", "--watch"], env=running.env, timeout=120) as terminal:
        for _ in range(3):
            terminal.expect("backend")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert b"Traceback" not in terminal.before
        assert terminal.exitstatus == 130


def test_doctor_says_what_is_wrong_and_what_to_do(running: Installation) -> None:
    said = running.run("doctor", code=1)  # MLflow is said to be somewhere where it is not
    assert f"does not answer at {NOT_THERE}" in said
    assert "→ Check that it runs" in said
    verdicts = {line["what"]: line["verdict"] for line in running.json("doctor")}
    assert verdicts["mlflow"] == "fail"
    assert [verdicts[name] for name in ("Python", "data folder", "storage", "backend", "S3 keys", "clock")] == [
        "ok"
    ] * 6


def test_down_leaves_no_process_and_no_record(place: Installation) -> None:
    place.run("up", "--detach")
    assert len(place.processes()) >= 3
    said = place.run("down")
    assert "storage" in said
    assert "backend" in said
    assert place.processes() == []
    assert not (place.data / "stack.json").exists()
    assert "Nothing is running" in place.run("down")


def test_a_service_that_is_killed_is_started_again_and_said_so(place: Installation) -> None:
    place.run("up", "--detach")
    for name in ("backend", "storage"):
        before = place.pid(name)
        psutil.Process(before).kill()

        def is_new(name: str = name, before: int = before) -> bool:
            record = place.stack.services[name]
            return record.phase == Phase.READY and record.identity is not None and record.identity.pid != before

        wait_for(f"a new {name}", is_new)
        assert place.stack.services[name].restarts == 1
    said = place.log("supervisor")
    assert "The backend died: killed by SIGKILL. Starting it again in 1 s." in said
    assert "S3 died: killed by SIGKILL. Starting it again in 1 s." in said
    ready = f"{place.settings.backend_url}/v1/health/ready"
    wait_for("the backend to see its store again", lambda: http_status(ready) == 200)


def test_services_outlive_a_killed_supervisor_and_the_next_up_takes_them_over(place: Installation) -> None:
    place.run("up", "--detach")
    before = {name: place.pid(name) for name in ("storage", "backend")}
    psutil.Process(place.supervisor_pid()).kill()
    wait_for("the supervisor's end", lambda: not place.stack.supervised)
    assert http_status(f"{place.settings.backend_url}/v1/health/live") == 200
    place.run("up", "--detach")
    assert {name: place.pid(name) for name in before} == before
    psutil.Process(before["backend"]).kill()

    def is_new() -> bool:  # between the two there is none
        now = place.stack.services["backend"].identity
        return now is not None and now.pid not in before.values()

    wait_for("a new backend", is_new)


def test_down_finds_services_whose_supervisor_was_killed(place: Installation) -> None:
    place.run("up", "--detach")
    psutil.Process(place.supervisor_pid()).kill()
    assert "backend" in place.run("down")
    assert place.processes() == []


def test_a_number_in_the_record_that_belongs_to_a_stranger_now_is_left_alone(place: Installation) -> None:
    place.run("up", "--detach")
    pid = place.pid("backend")
    psutil.Process(place.supervisor_pid()).kill()
    psutil.Process(pid).kill()
    stranger = psutil.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        state = place.data / "stack.json"
        state.write_text(state.read_text().replace(f'"pid": {pid}', f'"pid": {stranger.pid}'))
        place.run("down")
        assert stranger.is_running()
        assert stranger.status() != psutil.STATUS_ZOMBIE
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("setting", ["port", "s3_port"])
def test_a_taken_port_is_named_with_its_holder_and_nothing_is_started(place: Installation, setting: str) -> None:
    number = getattr(place.settings, setting)
    with socket.create_server(("127.0.0.1", number)):
        said = place.run("up", "--detach", code=1)
    assert f"port {number}" in said
    assert f"pid {psutil.Process().pid}" in said
    assert f"TRAINYARD_{setting.upper()}=" in said
    assert place.processes() == []
    place.run("up", "--detach")  # the port is free again: nothing of the failed try is in the way


def test_two_at_once_end_with_one_set_of_services(place: Installation) -> None:
    several = [place.start("up", "--detach") for _ in range(3)]
    answers = [process.communicate(timeout=280) for process in several]
    assert [process.returncode for process in several] == [0, 0, 0], answers
    commands = [" ".join(process.cmdline()) for process in place.processes()]
    for part in ("trainyard.stack", "trainyard.api", "weed"):
        assert sum(part in command for command in commands) == 1, commands


def test_ctrl_c_ends_everything_that_up_started_in_the_terminal(place: Installation) -> None:
    process = place.start("up")
    assert process.stderr
    assert any("Ready in" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "All services have ended." in said
    assert place.processes() == []


def test_a_store_of_somebody_else_is_checked_and_never_started(tmp_path: Path) -> None:
    with installation(tmp_path, s3_endpoint=NOT_THERE, s3_access_key="a", s3_secret_key="b") as place:
        began = time.monotonic()
        said = place.run("up", "--detach", code=1)
        assert f"S3 at {NOT_THERE} does not answer" in said
        assert time.monotonic() - began < 30
        assert place.processes() == []
