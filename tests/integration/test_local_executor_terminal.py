"""Attached runs: a terminal is the trainer's parent, and debuggers, input and Ctrl+C work as without us."""

import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.real.localruns import Runs, is_gone, wait_for
from trainyard.executors.base import Alive, RunId

ENTER = "\r"


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """With time enough to end by themselves for trainers that do."""
    with Runs(tmp_path, grace_seconds=60.0) as runs:
        yield runs


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Runs]:
    """For trainers that have to be killed."""
    with Runs(tmp_path, grace_seconds=2.0) as runs:
        yield runs


def prepare(runs: Runs, text: str) -> tuple[RunId, list[str], dict[str, str]]:
    spec = runs.spec(text, attached=True)
    runs.started.append(spec.run)
    runs.executor.submit(spec, print)
    return spec.run, runs.executor.attach_command(spec.run), {**os.environ, **spec.env, "TERM": "dumb"}


@pytest.fixture
def attach(runs: Runs) -> Iterator["Attach"]:
    attach = Attach(runs)
    yield attach
    for terminal in attach.opened:
        terminal.close(force=True)


class Attach:
    """Runs scripts in terminals, as `trainyard train` does."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.opened: list[pexpect.spawn] = []

    def __call__(self, text: str) -> tuple[RunId, pexpect.spawn]:
        run, command, env = prepare(self._runs, text)
        terminal = pexpect.spawn(command[0], command[1:], env=env, encoding="utf-8", timeout=90, dimensions=(33, 97))
        self.opened.append(terminal)
        return run, terminal


def test_a_debugger_and_input_work_and_everything_is_in_the_log(runs: Runs, attach: Attach) -> None:
    run, terminal = attach("""
        import sys
        name = input("your name? ")
        print("hello", name, sys.stdin.isatty(), sys.stdout.isatty())
        breakpoint()
        print("behind the breakpoint")
        raise SystemExit(3)
    """)
    terminal.expect_exact("your name? ")
    assert isinstance(runs.executor.observe(run), Alive)
    terminal.send("Ann" + ENTER)
    terminal.expect_exact("hello Ann True True\r\n")
    terminal.expect_exact("(Pdb) ")
    terminal.send("p name * 2" + ENTER)
    terminal.expect_exact("'AnnAnn'")
    terminal.expect_exact("(Pdb) ")
    terminal.send("continue" + ENTER)
    terminal.expect_exact("behind the breakpoint\r\n")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 3
    end = runs.end(run)
    assert (end.exit_code, end.stopped_on_request) == (3, False)
    log = runs.log(run)
    assert "hello Ann True True\n" in log
    assert "(Pdb) p name * 2\n'AnnAnn'\n" in log
    assert "\r" not in log


def test_a_proxy_of_the_terminal_does_not_stand_between_a_trainer_and_the_platform(
    runs: Runs, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
    run, terminal = attach("""
        import http.server, threading, urllib.request
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/").status)
    """)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert runs.end(run).exit_code == 0, runs.log(run)


def test_ctrl_c_reaches_the_trainer_and_counts_as_a_request(runs: Runs, attach: Attach) -> None:
    run, terminal = attach("""
        import time
        try:
            print("ready")
            time.sleep(60)
        except KeyboardInterrupt:
            print("tidying up")
            raise SystemExit(130)
    """)
    terminal.expect_exact("ready\r\n")
    terminal.sendcontrol("c")
    terminal.expect_exact("[trainyard] asked to stop")
    terminal.expect_exact("tidying up")
    terminal.expect(pexpect.EOF)
    end = runs.end(run)
    assert (end.exit_code, end.stopped_on_request) == (130, True)


DEAF = """
    import signal, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready")
    while True:
        time.sleep(1)
"""


def test_a_second_ctrl_c_ends_a_trainer_that_ignores_the_first(tmp_path: Path) -> None:
    with Runs(tmp_path, grace_seconds=600) as runs:
        attach = Attach(runs)
        run, terminal = attach(DEAF)
        terminal.expect_exact("ready\r\n")
        terminal.sendcontrol("c")
        terminal.expect_exact("asked to stop; it has 600 s")
        terminal.sendcontrol("c")
        terminal.expect_exact("killed: Ctrl+C was pressed twice")
        terminal.expect(pexpect.EOF)
        end = runs.end(run)
        assert (end.signal, end.stopped_on_request) == (9, True)
        terminal.close()


def test_the_grace_period_holds_in_a_terminal_too(strict: Runs) -> None:
    attach = Attach(strict)
    run, terminal = attach(DEAF)
    terminal.expect_exact("ready\r\n")
    terminal.sendcontrol("c")
    terminal.expect_exact("killed: it had not ended 2 s after")
    terminal.expect(pexpect.EOF)
    assert strict.end(run).stopped_on_request
    terminal.close()


def test_a_cancel_by_the_platform_reaches_a_run_in_a_terminal(runs: Runs, attach: Attach) -> None:
    run, terminal = attach("import time; print('ready'); time.sleep(60)")
    terminal.expect_exact("ready\r\n")
    runs.executor.cancel(run)
    terminal.expect_exact("asked to stop")
    terminal.expect(pexpect.EOF)
    end = runs.end(run)
    assert (end.signal, end.stopped_on_request) == (signal.SIGTERM, True)


def test_a_closed_window_ends_the_run_and_leaves_nothing(runs: Runs, attach: Attach) -> None:
    run, terminal = attach("import time; print('ready'); time.sleep(60)")
    terminal.expect_exact("ready\r\n")
    child = runs.child(run)
    terminal.ptyproc.fileobj.close()  # SIGHUP, and the terminal is gone; pexpect's own close has no patience
    end = runs.end(run)
    assert end.stopped_on_request
    assert is_gone(child.pid)


def test_the_trainer_sees_the_window_and_its_changes(runs: Runs, attach: Attach) -> None:
    _, terminal = attach("""
        import os, signal, time
        shown = []
        def show(*_):
            shown.append(print("SIZE", *os.get_terminal_size()))
        signal.signal(signal.SIGWINCH, show)
        show()
        while len(shown) < 2:
            time.sleep(0.05)
    """)
    terminal.expect_exact("SIZE 97 33")
    terminal.setwinsize(20, 60)
    terminal.expect_exact("SIZE 60 20")
    terminal.expect(pexpect.EOF)


def test_a_program_that_reads_single_keys_gets_ctrl_c_as_a_key(runs: Runs, attach: Attach) -> None:
    run, terminal = attach("""
        import os, termios, tty
        before = termios.tcgetattr(0)
        tty.setraw(0)
        print("ready")
        key = os.read(0, 1)
        termios.tcsetattr(0, termios.TCSANOW, before)
        print("KEY", key)
    """)
    terminal.expect_exact("ready")
    terminal.sendcontrol("c")
    terminal.expect_exact("KEY b'\\x03'")
    terminal.expect(pexpect.EOF)
    end = runs.end(run)
    assert (end.exit_code, end.stopped_on_request) == (0, False)


@pytest.mark.parametrize("how", ["exit", "killed"])
def test_the_terminal_is_left_as_it_was(runs: Runs, how: str) -> None:
    run, command, env = prepare(runs, f"import time; print('ready'); time.sleep({60 if how == 'killed' else 0})")
    words = 'echo begin; read line; "$@"; echo status=$?; read end'
    shell = pexpect.spawn("/bin/sh", ["-c", words, "sh", *command], env=env, timeout=90)
    shell.expect_exact(b"begin")
    before = termios.tcgetattr(shell.child_fd)
    shell.send(b"\n")
    shell.expect_exact(b"ready")
    if how == "killed":
        runs.child(run).kill()
    shell.expect_exact(b"status=137" if how == "killed" else b"status=0")
    assert termios.tcgetattr(shell.child_fd) == before
    shell.close(force=True)


def test_without_a_terminal_input_comes_from_the_pipe_and_output_is_copied(runs: Runs) -> None:
    run, command, env = prepare(
        runs,
        """
        import sys
        print("got", sys.stdin.read().strip())
        print("x" * 3_000_000)
        print("to stderr", file=sys.stderr)
        """,
    )
    done = subprocess.run(command, env=env, input=b"from the pipe\n", capture_output=True, timeout=120, check=True)
    assert done.stdout.startswith(b"got from the pipe\n") or b"\ngot from the pipe\n" in done.stdout
    assert done.stdout.count(b"x") >= 3_000_000
    assert b"\nto stderr\n" in done.stdout
    assert done.stdout.decode() in runs.log(run)
    assert runs.end(run).exit_code == 0


def test_output_into_a_file_keeps_what_stood_there(runs: Runs, tmp_path: Path) -> None:
    run, command, env = prepare(runs, "print('ran')")
    target = tmp_path / "out.txt"
    with target.open("w") as file:
        file.write("before\n")
        file.flush()
        subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=file, timeout=120, check=True)
    assert target.read_text().startswith("before\n")
    assert target.read_text().endswith("ran\n")
    assert runs.end(run).exit_code == 0


def test_a_pager_that_nobody_scrolls_does_not_hold_up_the_end(strict: Runs) -> None:
    run, command, env = prepare(
        strict,
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("x" * 1_000_000)
        print("ready")
        time.sleep(600)
        """,
    )
    shim = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        wait_for(lambda: strict.files(run).log.exists(), "the log")
        strict.wait_for_line(run, "\nready")  # the training went on although nobody reads the pipe
        child = strict.child(run)
        strict.executor.cancel(run)
        wait_for(lambda: is_gone(child.pid), "its end after the grace period")
    finally:
        shim.communicate(timeout=120)
    assert strict.end(run).signal == 9


def test_ctrl_c_without_a_terminal_is_passed_on(runs: Runs) -> None:
    run, command, env = prepare(runs, "import time; print('ready'); time.sleep(60)")
    shim = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(lambda: runs.files(run).log.exists(), "the log")
    runs.wait_for_line(run, "\nready")
    shim.send_signal(signal.SIGINT)
    assert shim.wait(120) == 130
    end = runs.end(run)
    assert end.stopped_on_request
    assert "KeyboardInterrupt" in end.traceback
