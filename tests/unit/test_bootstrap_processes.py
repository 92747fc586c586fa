"""Small promises of the stack that need no service: logs stay bounded, ports are named, pids are not trusted."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from trainyard.errors import ServiceFailed
from trainyard.stack import processes
from trainyard.stack.ports import is_free, require_free
from trainyard.stack.processes import Identity
from trainyard.stack.state import Record, Stack, StateFile, read_stack

posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups; run it on Linux or macOS")
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_log_that_grows_too_long_is_set_aside_while_its_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT", 1000)
    log = tmp_path / "service.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(30):
            writer.write(f"line {number:02} {'x' * 90}\n".encode())
            processes.bound(log)
        writer.write(b"the last line\n")
    assert log.read_text().endswith("the last line\n")
    assert log.stat().st_size <= 1100
    assert (tmp_path / "service.log.1").stat().st_size <= 1100


def test_last_lines_of_a_log_that_is_not_there_are_empty(tmp_path: Path) -> None:
    assert processes.last_lines(tmp_path / "nothing.log") == ""


def test_a_taken_port_is_not_free_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert not is_free(number)
        with pytest.raises(ServiceFailed, match=f"port {number}, which is taken by .*pid {os.getpid()}") as said:
            require_free("S3", number, "TRAINYARD_S3_PORT")
        assert "TRAINYARD_S3_PORT=" in said.value.hint
    assert is_free(number)


@posix
def test_stop_ends_the_group_and_spares_what_left_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"inside = subprocess.Popen({SLEEP!r})\n"
        f"outside = subprocess.Popen({SLEEP!r}, start_new_session=True)\n"
        "print(inside.pid, outside.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    leader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert leader.stdout
    inside, outside = (psutil.Process(int(pid)) for pid in leader.stdout.readline().split())
    identity = Identity.of(leader.pid)
    leader.kill()  # its members are found without it
    leader.wait()
    leader.stdout.close()
    try:
        assert [one.pid for one in identity.members()] == [inside.pid]
        processes.stop(identity, grace=5)
        assert identity.members() == []
        assert outside.is_running()
    finally:
        outside.kill()


@posix
def test_one_that_ignores_the_polite_signal_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    stubborn = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert stubborn.stdout
    stubborn.stdout.readline()
    stubborn.stdout.close()
    identity = Identity.of(stubborn.pid)
    processes.stop(identity, grace=0.2)
    assert not identity.alive()
    stubborn.wait()


@pytest.mark.parametrize("other", [{"started": -100.0}, {"boot": "another boot"}])
def test_a_pid_of_another_time_or_another_boot_is_a_stranger(other: dict[str, Any]) -> None:
    me = Identity.of(os.getpid())
    assert me.alive()
    stranger = replace(me, **other)
    assert not stranger.alive()
    assert stranger.members() == []


def test_the_state_file_reads_as_it_was_written(tmp_path: Path) -> None:
    record = Record("http://127.0.0.1:1", "a.log", identity=Identity(5, 7.5, "boot"), detail="why")
    file = StateFile(tmp_path, Stack(Identity(1, 2.5, "boot"), {"storage": record}))
    file.update("storage", restarts=3)
    assert read_stack(tmp_path) == file.stack
    assert read_stack(tmp_path).services["storage"].restarts == 3
    file.remove()
    assert read_stack(tmp_path) == Stack()
