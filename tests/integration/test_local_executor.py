"""The local executor with real processes: how runs start, what is seen of them, and how they end."""

import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.localruns import Runs, is_gone, wait_for
from trainyard.contract.callbacks import Done
from trainyard.contract.vocabulary import DoneStatus, Execution, Reason
from trainyard.errors import NotAvailable
from trainyard.executors.base import Absent, Alive, Exited, LaunchFailed, Preparing, RunId, RunSpec
from trainyard.executors.codestore import CodeStore
from trainyard.executors.local.executor import LocalExecutor
from trainyard.executors.local.run_folder import RunFolder, ShimRecord
from trainyard.executors.registry import Executors
from trainyard.storage.store import Store


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path) as runs:
        yield runs


def test_a_script_runs_and_its_end_its_log_and_its_receipt_are_seen(runs: Runs) -> None:
    run = runs.start("""
        import json, os
        print("working")
        done = {"attempt": 1, "seq": 9, "status": "succeeded", "metrics": {"accuracy": 0.9}}
        print(f"[TRACE:{os.environ['TRACE_ID']}] DONE {json.dumps(done)}")
    """)
    end = runs.end(run)
    assert (end.exit_code, end.signal, end.reason) == (0, None, None)
    assert end.receipt == Done(attempt=1, seq=9, status=DoneStatus.SUCCEEDED, metrics={"accuracy": 0.9})
    assert "working\n" in end.tail
    assert abs(end.at - time.time()) < 60
    own_lines = [line for line in runs.log(run).splitlines() if "[trainyard]" in line]
    assert len(own_lines) == 2
    assert all(line.startswith(f"[TRACE:{run.trace_id}] [trainyard] ") for line in own_lines)


def test_a_receipt_of_another_attempt_or_a_broken_one_does_not_count(runs: Runs) -> None:
    run = runs.start("""
        import os
        mark = f"[TRACE:{os.environ['TRACE_ID']}] DONE "
        print(mark + '{"attempt": 2, "seq": 1, "status": "succeeded"}')
        print(mark + '{"attempt": 1, "se')
    """)
    assert runs.end(run).receipt is None


def test_a_crash_shows_its_exit_code_and_its_last_traceback(runs: Runs) -> None:
    run = runs.start("""
        def inner():
            raise ValueError("no such column: width")
        inner()
    """)
    end = runs.end(run)
    assert end.exit_code == 1
    assert end.traceback.startswith("Traceback (most recent call last):")
    assert end.traceback.endswith("ValueError: no such column: width")


def test_watch_tells_of_an_end_at_once(runs: Runs) -> None:
    run = runs.start("input")
    wait_for(lambda: runs.changed, "the news")
    assert runs.changed == [run.job_id]
    assert isinstance(runs.executor.observe(run), Exited)


def test_an_executor_made_later_adopts_a_run_and_hears_of_its_end(runs: Runs) -> None:
    run = runs.start("import time; print('on'); time.sleep(60)")
    runs.wait_for_line(run, "\non")
    later, heard = LocalExecutor(runs.settings), list[str]()
    later.watch(heard.append)
    try:
        seen = later.observe(run)
        assert isinstance(seen, Alive)
        assert abs(seen.started_at - time.time()) < 30
        runs.child(run).kill()
        assert wait_for(lambda: heard, "the news") == [run.job_id]
        assert runs.end(run).signal == 9
    finally:
        later.close()


def test_where_the_kernel_has_no_pidfds_an_end_is_heard_of_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    with Runs(tmp_path) as runs:
        run = runs.start("pass")
        assert wait_for(lambda: runs.changed, "the news") == [run.job_id]


def test_a_listener_that_fails_does_not_deafen_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Runs(tmp_path) as runs:
        later, heard = LocalExecutor(runs.settings), list[str]()

        def listener(job_id: str) -> None:
            heard.append(job_id)
            raise ValueError("a mistake")

        later.watch(listener)
        for _ in range(2):
            run = runs.start("import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)")
            later.observe(run)  # while it lives: only then is its end news
            (runs.folder / "go").touch()
            wait_for(lambda run=run: run.job_id in heard, "the news")
        later.close()
        assert "a mistake" in caplog.text


def test_a_system_without_fork_is_told_what_to_do(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = runs.spec("pass")
    monkeypatch.delattr(os, "fork")
    with pytest.raises(LaunchFailed, match="WSL"):
        runs.executor.submit(spec, print)


def test_submitting_the_same_attempt_again_starts_nothing(runs: Runs) -> None:
    spec = runs.spec("open('count', 'a').write('x'); import time; time.sleep(1)")
    runs.started.append(spec.run)
    threads = [threading.Thread(target=runs.executor.submit, args=(spec, print)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs.executor.submit(spec, print)
    assert runs.end(spec.run).exit_code == 0
    runs.executor.submit(spec, print)
    assert (runs.folder / "count").read_text() == "x"


def test_what_is_not_there_is_absent(runs: Runs) -> None:
    nobody = RunId("job-20260101-000000-aaaa", 1, "feed")
    assert runs.executor.observe(nobody) == Absent()
    runs.executor.clean_up(nobody)
    assert runs.executor.log_path(nobody) is None


def test_a_missing_script_and_a_missing_trainer_are_named(runs: Runs) -> None:
    run = RunId("job-20260101-000000-bbbb", 1, "feed")
    with pytest.raises(LaunchFailed, match=r"no script .*nothing\.py"):
        runs.executor.submit(RunSpec(run, "none", {}, script=runs.folder / "nothing.py"), print)
    with pytest.raises(LaunchFailed, match=r"no trainer nosuch.*trainer\.toml is missing"):
        runs.executor.submit(RunSpec(run, "nosuch", {}), print)


def test_a_program_that_cannot_be_started_ends_with_that_reason(runs: Runs) -> None:
    broken = runs.folder / "venv-broken" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a program")
    spec = runs.spec("pass")
    spec = RunSpec(spec.run, "broken", spec.env, script=spec.script)
    runs.executor.submit(spec, print)
    end = runs.end(spec.run)
    assert (end.exit_code, end.reason) == (127, Reason.LAUNCH_FAILED)
    assert "venv-broken" in end.message
    assert "Permission denied" in end.message


def test_the_trainer_sees_its_variables_and_none_of_the_platform(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINYARD_SIGNING_KEY", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("PYTHONPATH", "canary")
    run = runs.start(
        """
        import json, os
        print("ENV " + json.dumps(dict(os.environ)))
    """,
        EPOCHS="3",
    )
    runs.end(run)
    log = runs.log(run)
    assert '"EPOCHS": "3"' in log
    assert '"CUDA_VISIBLE_DEVICES": ""' in log
    assert '"PYTHONUNBUFFERED": "1"' in log
    assert "canary" not in log


def test_leased_gpus_are_the_visible_ones(runs: Runs) -> None:
    spec = runs.spec("pass")
    plan = runs.executor.plan(RunSpec(spec.run, "none", spec.env, script=spec.script, gpus=(1, 3)))
    assert plan["variables"]["CUDA_VISIBLE_DEVICES"] == "1,3"
    assert plan["variables"]["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"  # as nvidia-smi counts


@pytest.mark.parametrize("code", [0, 74])
def test_a_run_that_ends_before_its_supervisor_is_seen_was_launched(
    runs: Runs, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = RunFolder.shim, list[int]()

    def late(folder: RunFolder) -> ShimRecord | None:
        looks.append(1)
        seen = read(folder)
        if len(looks) == 2:  # the first look after the start
            wait_for(lambda: folder.exit() and is_gone(read(folder).pid), "its end")
            return None
        return seen

    monkeypatch.setattr(RunFolder, "shim", late)
    assert runs.end(runs.start(f"raise SystemExit({code})")).exit_code == code


def test_no_secret_is_written_to_the_run_folder_and_others_cannot_read_it(runs: Runs) -> None:
    run = runs.start("import time; print('on'); time.sleep(30)")
    runs.wait_for_line(run, "\non")
    runs.child(run)  # its files are written by now
    folder = runs.files(run).path
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert b"s3cret" not in path.read_bytes(), path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("depth", [0, 12], ids=["short path", "path too long for a socket"])
def test_temporary_files_are_its_own_and_gone_afterwards(tmp_path: Path, depth: int) -> None:
    with Runs(tmp_path, data_dir=tmp_path / ("deeper/" * depth)) as runs:
        run = runs.start("""
            import multiprocessing.connection, os, tempfile
            folder = tempfile.mkdtemp()
            open(folder + "/left", "w").write("x")
            listener = multiprocessing.connection.Listener(family="AF_UNIX")
            print("TMP", os.environ["TMPDIR"])
        """)
        end = runs.end(run)
        assert end.exit_code == 0, end.tail
        tmp = end.tail.partition("TMP ")[2].split("\n")[0]
        assert tmp
        assert not os.path.lexists(tmp)
        assert not (runs.files(run).path / "tmp").exists()


def test_cancel_asks_and_the_trainer_may_end_by_itself(runs: Runs) -> None:
    run = runs.start("""
        import signal, sys, time
        def stop(*_):
            print("uploading"); sys.exit(143)
        signal.signal(signal.SIGTERM, stop)
        print("ready")
        time.sleep(60)
    """)
    runs.wait_for_line(run, "\nready")
    runs.executor.cancel(run)
    runs.executor.cancel(run)
    end = runs.end(run)
    assert (end.exit_code, end.stopped_on_request) == (143, True)
    assert "\nuploading" in end.tail
    assert f"[TRACE:{run.trace_id}] [trainyard] asked to stop" in end.tail


def test_a_cancel_before_the_launch_means_that_nothing_is_started(runs: Runs) -> None:
    spec = runs.spec("open('ran', 'w')")
    runs.executor.cancel(spec.run)
    assert runs.executor.observe(spec.run) == Absent()
    runs.executor.submit(spec, print)
    end = runs.end(spec.run)
    assert end.stopped_on_request
    assert end.message == "It was cancelled before its process was started."
    assert not (runs.folder / "ran").exists()


def test_clean_up_ends_a_run_that_nobody_wants_any_more(tmp_path: Path) -> None:
    with Runs(tmp_path, grace_seconds=600) as runs:
        run = runs.start("""
            import signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("ready")
            time.sleep(600)
        """)
        runs.wait_for_line(run, "\nready")
        child, shim = runs.child(run), runs.shim(run)
        runs.executor.clean_up(run)
        assert is_gone(child.pid)
        assert is_gone(shim.pid)
        assert isinstance(runs.executor.observe(run), Exited)


def test_an_attached_run_is_prepared_and_waits_for_its_terminal(runs: Runs) -> None:
    spec = runs.spec("print('ran')", attached=True)
    runs.executor.submit(spec, print)
    assert isinstance(runs.executor.observe(spec.run), Preparing)
    command = runs.executor.attach_command(spec.run)
    assert command[0] == sys.executable
    assert command[-1] == "--tty"
    assert runs.files(spec.run).shim() is None


def test_a_tier_whose_cluster_cannot_be_had_is_refused_and_the_others_work(runs: Runs, tmp_path: Path) -> None:
    settings = runs.settings.model_copy(update={"kubeconfig": tmp_path / "none"})
    executors = Executors(settings, CodeStore(Store.from_settings(settings)))
    assert isinstance(executors.get(Execution.LOCAL), LocalExecutor)
    assert executors.get(Execution.LOCAL) is executors.get(Execution.LOCAL)
    with pytest.raises(NotAvailable, match="no cluster"):
        executors.get(Execution.K8S)
    executors.close()
