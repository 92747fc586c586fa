"""Properties of the shim that hold without running anything through the executor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import trainyard.executors.local.shim as shim_package
from trainyard.executors.local.shim import folder as files
from trainyard.executors.local.shim.kernel import boot_id, descendants, oom_kills, start_ticks
from trainyard.executors.local.shim.launch import NotStarted, start_child, trainer_environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="local runs need Linux or macOS")

MAIN = Path(shim_package.__file__).parent / "main.py"
SLOW = {
    "typing",
    "pathlib",
    "subprocess",
    "dataclasses",
    "logging",
    "threading",
    "pydantic",
    "psutil",
    "inspect",
    "shutil",
}


def prepare(folder: Path, argv: list[str]) -> Path:
    plan = {"argv": argv, "cwd": str(folder), "grace": 1, "log_limit": 1 << 20, "trace_id": "feed", "variables": {}}
    (folder / "plan.json").write_text(json.dumps(plan))
    return folder


def test_it_imports_nothing_slow_and_nothing_that_is_not_in_the_standard_library(tmp_path: Path) -> None:
    # what stands behind the run is imported by then, so this lists all that a start needs
    code = f"""
import sys
sys.path.append({str(MAIN.parents[4])!r})
import trainyard.executors.local.shim.run
print(*sys.modules)
"""
    listing = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in listing.stdout.split()}
    assert not modules & SLOW
    assert modules <= set(sys.stdlib_module_names) | {"trainyard", "__main__"} | set(sys.builtin_module_names)


def test_its_exit_code_is_the_trainers(tmp_path: Path) -> None:
    prepare(tmp_path, [sys.executable, "-c", "raise SystemExit(7)"])
    assert subprocess.run([sys.executable, "-I", "-S", str(MAIN), str(tmp_path)], check=False).returncode == 7
    record = json.loads((tmp_path / "exit.json").read_text())
    assert (record["exit_code"], record["signal"]) == (7, None)
    assert record["max_rss"] > 1 << 20


def test_a_second_start_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path, [sys.executable, "-c", "pass"])
    command = [sys.executable, "-I", "-S", str(MAIN), str(tmp_path)]
    assert [subprocess.run(command, check=False).returncode for _ in range(2)] == [0, 75]


def test_a_folder_is_locked_once(tmp_path: Path) -> None:
    assert files.take_lock(str(tmp_path))
    code = f"from trainyard.executors.local.shim.folder import take_lock; print(take_lock({str(tmp_path)!r}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "False"


def test_exit_json_is_written_into_reserved_space_and_is_json(tmp_path: Path) -> None:
    files.reserve_exit(str(tmp_path))
    files.write_exit(str(tmp_path), {"exit_code": 0})
    text = (tmp_path / "exit.json").read_text()
    assert len(text) == 4096
    assert json.loads(text) == {"exit_code": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exit.json"]


def test_the_trainers_environment_is_ours_without_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_TOKEN", "canary")
    monkeypatch.setenv("VIRTUAL_ENV", "/other")
    monkeypatch.setenv("PATH", "/bin")
    env = trainer_environment({"EPOCHS": "1"}, "/envs/x/bin/python", "/run/tmp")
    assert "TRAINYARD_TOKEN" not in env
    assert "VIRTUAL_ENV" not in env
    assert (env["PATH"], env["TMPDIR"], env["EPOCHS"]) == ("/envs/x/bin:/bin", "/run/tmp", "1")


@pytest.mark.parametrize("problem", ["x" * 9000, "\N{ROCKET}" * 3000])
def test_a_long_problem_is_cut_so_that_exit_json_stays_json(tmp_path: Path, problem: str) -> None:
    files.reserve_exit(str(tmp_path))
    files.write_exit(str(tmp_path), {"exit_code": 127, "problem": problem})
    text = (tmp_path / "exit.json").read_text()
    assert len(text) == 4096
    assert json.loads(text)["problem"].startswith(problem[:200])


@pytest.mark.parametrize("given", ["no_proxy", "NO_PROXY"])
def test_a_proxy_is_not_asked_for_addresses_of_this_machine(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert not {"NO_PROXY", "no_proxy"} & trainer_environment({}, "/bin/x", "/tmp").keys()
    monkeypatch.setenv("HTTP_PROXY", "http://10.0.0.1:3128")
    monkeypatch.setenv(given, "corp.example")
    env = trainer_environment({}, "/bin/x", "/tmp")
    assert env["NO_PROXY"] == env["no_proxy"] == "corp.example,127.0.0.1,localhost,::1"
    monkeypatch.setenv(given, "*")
    assert trainer_environment({}, "/bin/x", "/tmp")[given] == "*"


def test_a_missing_program_says_so(tmp_path: Path) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    with pytest.raises(NotStarted, match="No such file"):
        start_child([str(tmp_path / "python")], str(tmp_path), {}, (null, null, null), terminal=False)
    with pytest.raises(NotStarted, match="nowhere"):
        start_child([sys.executable], str(tmp_path / "nowhere"), {}, (null, null, null), terminal=False)
    os.close(null)


WARM = """
import os, sys
sys.path.append(sys.argv[1])
from trainyard.executors.local.shim.kernel import become_subreaper
from trainyard.executors.local.shim.launch import become_trainer
from trainyard.executors.local.shim.log import JobLog
from trainyard.executors.local.shim.relay import Relay
from trainyard.executors.local.shim.supervise import Supervisor, listen

folder = sys.argv[2]
signals, log, parent = listen(), JobLog(folder, "feed", 1 << 20), os.getpid()
become_subreaper()
relay = Relay(log)
stdio = relay.stdio()
pid = os.fork()
if pid == 0:
    become_trainer(parent, folder, stdio, terminal=False)
    os.fork() or os.execvp("sleep", ["sleep", "60"])
    os.write(1, b"from the fork\\n")
    os._exit(5)
print(Supervisor(folder, 1, log, relay, signals).supervise(pid)["exit_code"])
"""


def test_a_child_that_was_forked_elsewhere_is_supervised_just_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", WARM, str(MAIN.parents[4]), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout == "5\n"
    assert "from the fork" in (tmp_path / "output.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_what_the_kernel_says_of_processes() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in descendants(os.getpid())
        assert start_ticks(child.pid) != start_ticks(os.getpid())
        assert start_ticks(2**22 + 1) is None
        assert len(boot_id()) == 36
        assert oom_kills() >= 0
    finally:
        child.kill()
        child.communicate()
    assert child.pid not in descendants(os.getpid())
