"""Faults of processes that the local executor survives, each by its row in the table of faults."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.real.localruns import Runs, is_gone, spawn_elsewhere, wait_for
from trainyard.contract.vocabulary import Reason
from trainyard.executors.base import Alive, Exited, Preparing, RunId
from trainyard.executors.local import processes
from trainyard.executors.local.shim.kernel import boot_id


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path, grace_seconds=1.0) as runs:
        yield runs


def pids_in(runs: Runs, text: str) -> list[int]:
    return [int(word) for line in text.splitlines() if line.startswith("PID ") for word in line.split()[1:-1]]


def test_f09_a_stranger_who_was_given_the_pid_lives(runs: Runs) -> None:
    run = runs.start("pass")
    runs.end(run)
    decoy = spawn_elsewhere("import time; time.sleep(60)")
    try:
        path = runs.files(run).path
        record = (path / "shim.json").read_text().replace(f'"pid": {runs.files(run).shim().pid}', f'"pid": {decoy.pid}')
        (path / "shim.json").write_text(record)
        (path / "exit.json").unlink()
        runs.executor.cancel(run)
        seen = runs.executor.observe(run)
        assert isinstance(seen, Exited)
        assert seen.reason is Reason.SUPERVISOR_LOST
        runs.executor.clean_up(run)
        assert decoy.poll() is None
    finally:
        decoy.kill()
        decoy.wait()


def test_f10_a_killed_trainer_is_seen_to_have_been_killed(runs: Runs) -> None:
    run = runs.start("import time; time.sleep(60)")
    runs.child(run).kill()
    end = runs.end(run)
    assert (end.exit_code, end.signal) == (None, 9)
    assert not end.stopped_on_request
    assert not end.out_of_memory


def test_f11_a_stopped_trainer_is_alive_and_idle_and_can_be_ended(runs: Runs) -> None:
    run = runs.start("""
        while True:
            pass
    """)
    child = runs.child(run)
    child.send_signal(signal.SIGSTOP)
    wait_for(lambda: child.status() == psutil.STATUS_STOPPED, "that it stops")
    seen = runs.executor.observe(run)
    assert isinstance(seen, Alive)
    assert not seen.busy
    runs.executor.cancel(run)
    end = runs.end(run)
    assert end.stopped_on_request
    assert is_gone(child.pid)


def test_f12_a_silent_trainer_that_computes_is_busy_and_one_that_sleeps_is_not(runs: Runs) -> None:
    works = runs.start("sum(range(10**11))")  # one call into C that holds the GIL for minutes
    sleeps = runs.start("""
        import threading, time
        def look_at_the_clock():
            while True:
                time.sleep(0.1)
        threading.Thread(target=look_at_the_clock, daemon=True).start()
        time.sleep(600)
    """)

    def looks() -> tuple[bool, bool]:
        seen = [runs.executor.observe(run) for run in (works, sleeps)]
        assert all(isinstance(one, Alive) for one in seen)
        return seen[0].busy, seen[1].busy

    assert looks() == (True, True)  # the first look knows nothing
    wait_for(lambda: looks() == (True, False), "that the sleeper is seen to be idle")
    for _ in range(2):
        time.sleep(0.6)  # the executor needs an interval to judge by
        assert looks() == (True, False)


def test_f21_a_trainer_that_ignores_the_signal_is_killed_after_the_grace_period(runs: Runs) -> None:
    run = runs.start("""
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("no"))
        print("ready")
        while True:
            time.sleep(1)
    """)
    runs.wait_for_line(run, "\nready")
    asked = time.monotonic()
    runs.executor.cancel(run)
    end = runs.end(run)
    assert (end.signal, end.stopped_on_request) == (9, True)
    assert 0.9 < time.monotonic() - asked < 6
    assert "killed: it had not ended 1 s after" in end.tail


def test_f21_the_grace_period_ends_without_any_backend(runs: Runs) -> None:
    run = runs.start("""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        time.sleep(600)
    """)
    runs.wait_for_line(run, "\nready")
    shim, child = runs.shim(run), runs.child(run)
    runs.executor.close()
    shim.terminate()
    wait_for(lambda: is_gone(child.pid), "that the shim kills it")


def test_f22_workers_do_not_outlive_their_parent(runs: Runs) -> None:
    run = runs.start("""
        import multiprocessing, signal, time
        def work():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        if __name__ == "__main__":
            workers = [multiprocessing.Process(target=work) for _ in range(4)]
            for worker in workers:
                worker.start()
            print("PID " + " ".join(str(worker.pid) for worker in workers) + " .")
            time.sleep(600)
    """)
    runs.wait_for_line(run, " .\n")
    workers = pids_in(runs, runs.log(run))
    assert len(workers) == 4
    runs.executor.cancel(run)
    runs.end(run)
    assert all(is_gone(pid) for pid in workers)


ESCAPE = """
    import os, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(1); os.close(2)
            time.sleep(600)
        os._exit(0)
    while not os.path.exists({until!r}):
        time.sleep(0.01)
"""


def those_that_left(runs: Runs, run: RunId) -> list[psutil.Process]:
    """In a session of their own, and the shim took them in."""
    shim, trainer, found = runs.shim(run).pid, runs.child(run).pid, []
    for process in processes.of_run(run):
        with suppress(psutil.Error, ProcessLookupError):  # the one in between ends at once
            if process.ppid() == shim and process.pid != trainer and os.getsid(process.pid) != shim:
                found.append(process)
    return found


def test_f23_a_grandchild_that_left_the_session_is_ended_and_a_stranger_of_the_same_name_is_not(runs: Runs) -> None:
    run = runs.start(ESCAPE.format(until=str(runs.folder / "go")))
    stranger = spawn_elsewhere("import time; time.sleep(60)", JOB_ID=run.job_id, TRACE_ID="another")
    try:
        escaped = wait_for(lambda: those_that_left(runs, run), "that it has left")
        (runs.folder / "go").touch()
        assert runs.end(run).exit_code == 0
        assert is_gone(escaped[0].pid)
        runs.executor.clean_up(run)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_f50_a_killed_shim_leaves_nothing_behind(runs: Runs) -> None:
    run = runs.start(ESCAPE.format(until="/nowhere"))
    wait_for(lambda: those_that_left(runs, run), "that it has left")
    family = list(processes.of_run(run))
    assert len(family) == 3, "shim, trainer and the one that left"
    runs.shim(run).kill()
    wait_for(lambda: runs.changed, "the news of its end")
    end = runs.end(run)
    assert end.reason is Reason.SUPERVISOR_LOST
    assert end.signal == 9
    assert all(is_gone(process.pid) for process in family)
    assert not (runs.files(run).path / "tmp").exists()
    assert runs.executor.observe(run) == end


def test_f51_after_a_reboot_no_pid_is_trusted(runs: Runs) -> None:
    run = runs.start("pass")
    runs.end(run)
    decoy = spawn_elsewhere("import time; time.sleep(60)", JOB_ID=run.job_id, TRACE_ID=run.trace_id)
    try:
        path = runs.files(run).path
        shim = runs.files(run).shim()
        text = (path / "shim.json").read_text()
        (path / "shim.json").write_text(
            text.replace(boot_id(), "of-another-boot").replace(str(shim.pid), str(decoy.pid))
        )
        (path / "exit.json").unlink()
        runs.executor.cancel(run)
        seen = runs.executor.observe(run)
        assert isinstance(seen, Exited)
        assert (seen.reason, seen.signal) == (Reason.MACHINE_RESTARTED, None)
        assert decoy.poll() is None
    finally:
        decoy.kill()
        decoy.wait()


@pytest.mark.parametrize("text", ["", '{"pid": 1', "null", "{}"], ids=["empty", "cut", "null", "without its fields"])
def test_damaged_files_of_a_run_do_not_hide_that_it_is_over(runs: Runs, text: str) -> None:
    run = runs.start("pass")
    shim = runs.shim(run)
    runs.end(run)
    wait_for(lambda: is_gone(shim.pid), "that its supervisor, too, is gone: it has said its last word before")
    files = runs.files(run)
    for name in ("exit.json", "shim.json"):
        (files.path / name).write_text(text)
        (files.path / "exit.json").write_text(text)
        runs.executor.cancel(run)
        seen = runs.executor.observe(run)
        assert isinstance(seen, Exited)
        assert seen.reason is Reason.SUPERVISOR_LOST
        assert runs.executor.observe(run) == seen
        runs.executor.clean_up(run)


def test_a_run_whose_supervisor_lives_is_not_lost_with_its_file_and_can_be_stopped(runs: Runs) -> None:
    run = runs.start("import time; print('on'); time.sleep(600)")
    runs.wait_for_line(run, "\non")
    shim = runs.shim(run)
    (runs.files(run).path / "shim.json").write_text("")
    assert isinstance(runs.executor.observe(run), Preparing)
    runs.executor.cancel(run)
    wait_for(lambda: is_gone(shim.pid), "that it sees the mark")
    assert runs.end(run).stopped_on_request


def test_two_shims_at_once_and_only_one_runs(runs: Runs) -> None:
    spec = runs.spec("open('count', 'a').write('x'); import time; time.sleep(0.5)", attached=True)
    runs.started.append(spec.run)
    runs.executor.submit(spec, print)
    command = runs.executor.attach_command(spec.run)[:-1]
    shims = [subprocess.Popen(command, env=dict(spec.env)) for _ in range(5)]
    codes = sorted(shim.wait(60) for shim in shims)
    assert codes == [0, 75, 75, 75, 75]
    assert subprocess.run(command, env=dict(spec.env), check=False).returncode == 75
    assert (runs.folder / "count").read_text() == "x"


def test_a_trainer_killed_by_the_kernel_for_its_memory_is_seen_as_such(runs: Runs, tmp_path: Path) -> None:
    group = small_memory_group()
    if group is None:
        pytest.skip("needs a cgroup that may be written: run as root")
    try:
        run = runs.start(f"""
            import os
            open("{group}/cgroup.procs", "w").write(str(os.getpid()))
            print("ready")
            hoard = [bytearray(1 << 20) for _ in range(4096)]
        """)
        end = runs.end(run)
        assert end.signal == 9, end.tail
        assert end.out_of_memory
    finally:
        wait_for(lambda: _removed(group), "that the group is empty")


def small_memory_group() -> Path | None:
    """A memory cgroup of 64 MB, of either version."""
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(root) / f"trainyard-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(64 << 20))
        except OSError:
            group.rmdir()
            continue
        return group
    return None


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True
