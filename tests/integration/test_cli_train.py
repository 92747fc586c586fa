"""`trainyard train`: a real trainer, and plain scripts, with the terminal passed through."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.backend import Backend, free_port, wait_for
from tests.real.shell import Shell, ends, nothing_left_of

PROBE = ("--framework", "probe")


@pytest.fixture
def shell(shared: Backend, tmp_path: Path) -> Shell:
    return Shell(shared, tmp_path)


def test_a_trainer_runs_in_the_foreground_and_its_end_is_summed_up(shell: Shell) -> None:
    said = shell.run("train", *PROBE, "--epochs", "2", "--set", "epoch_seconds=0.01", "--tag", "quick")
    assert "epoch 1 of 2" in said.out
    assert "epoch 2 of 2" in said.out
    job = shell.newest()
    assert re.fullmatch(r"local-\d{8}-\d{6}-\w{4}", job["id"])
    assert (job["state"], job["reason"], job["tags"], job["attached"]) == ("SUCCEEDED", "Completed", ["quick"], True)
    assert job["dataset_id"] == "cats-dogs"
    assert f"✔ SUCCEEDED {job['id']}" in said.err
    assert "val/accuracy 0.6667 (epoch 2)" in said.err
    assert job["url"] in said.err


def test_a_trainer_s_own_script_is_that_trainer(shell: Shell) -> None:
    script = str(Path(__file__).parents[1] / "trainers" / "trainer-probe" / "train.py")
    shell.run("train", script, "--epochs", "1", "--dataset", "cats-dogs-classes")
    job = shell.newest()
    assert (job["framework"], job["script"], job["callbacks"]) == ("probe", None, True)


def test_a_plain_script_finds_its_variables_and_its_exit_code_is_passed_on(shell: Shell) -> None:
    script = shell.script(
        "mine.py",
        "import os, sys\n"
        "names = ['JOB_ID', 'MODEL_NAME', 'NUM_EPOCHS', 'EPOCHS', 'FRAMEWORK', 'PARAM_WIDTH', 'MLFLOW_TRACKING_URI',\n"
        "  'MLFLOW_EXPERIMENT_NAME', 'MLFLOW_S3_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']\n"
        "print(*[name for name in names if not os.environ[name]], 'are empty')\n"
        "assert os.environ['JOB_ID'].startswith('local-')\n"
        "print('epochs', os.environ['NUM_EPOCHS'], 'width', os.environ['PARAM_WIDTH'])\n"
        "print([name for name in os.environ if name.startswith('TRAINYARD')])\n"
        "sys.exit(7)\n",
    )
    said = shell.run("train", script, *PROBE, "--epochs", "4", "--set", "width=32", code=7)
    assert "\nare empty\n" in said.out.replace("are empty", "\nare empty\n")
    assert "epochs 4 width 32" in said.out
    assert "[]" in said.out
    job = shell.newest()
    assert (job["state"], job["reason"], job["name"]) == ("FAILED", "TrainerError", "mine.py")
    assert "exit code 7" in said.err


def test_a_plain_script_that_ends_well_has_succeeded(shell: Shell) -> None:
    said = shell.run("train", shell.script("good.py", "print('done all')"), *PROBE)
    assert "done all" in said.out
    assert shell.newest()["state"] == "SUCCEEDED"


def test_a_crash_at_import_is_told_with_its_traceback(shell: Shell) -> None:
    said = shell.run("train", *PROBE, "--set", "mode=import", code=1)
    assert "✖ FAILED" in said.err
    assert "No module named 'a_module_that_is_not_there'" in said.err
    assert f"trainyard logs {shell.newest()['id']}" in said.err
    assert shell.newest()["reason"] == "TrainerError"


def test_a_debugger_works_in_the_terminal(shell: Shell) -> None:
    script = shell.script("debug.py", "x = 41\nimport pdb; pdb.set_trace()\nprint('behind it', x)\n")
    terminal = shell.terminal("train", script, *PROBE)
    terminal.expect(r"\(Pdb\) ")
    terminal.sendline("p x + 1")
    terminal.expect("42")
    terminal.expect(r"\(Pdb\) ")
    terminal.sendline("x = 99")
    terminal.expect(r"\(Pdb\) ")
    terminal.sendline("c")
    terminal.expect("behind it 99")
    assert ends(terminal)[0] == 0
    assert shell.newest()["state"] == "SUCCEEDED"


def test_ctrl_c_ends_a_plain_script_as_cancelled(shell: Shell) -> None:
    terminal = shell.terminal("train", shell.script("long.py", "print('it runs')\nimport time; time.sleep(99)"), *PROBE)
    terminal.expect("it runs")
    terminal.sendintr()
    code, _ = ends(terminal)
    job = shell.newest()
    assert (code, job["state"]) == (130, "CANCELLED")
    nothing_left_of(shell, job["id"])


def test_ctrl_c_ends_a_trainer_as_cancelled(shell: Shell) -> None:
    terminal = shell.terminal("train", *PROBE, "--epochs", "5000")
    terminal.expect("epoch 2 of 5000")
    terminal.sendintr()
    code, said = ends(terminal)
    assert code == 130, said
    assert "CANCELLED" in said
    job = shell.newest()
    assert job["state"] == "CANCELLED"
    nothing_left_of(shell, job["id"])


def test_sigterm_is_passed_on_to_the_trainer(shell: Shell) -> None:
    with shell.start("train", *PROBE, "--epochs", "5000") as process:
        job = wait_for(
            "the job to run",
            lambda: (job := shell.newest()).get("epochs") == 5000 and job["state"] == "RUNNING" and job,
        )
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping" in out
    assert shell.backend.job(job["id"])["state"] == "CANCELLED"


def test_ctrl_c_while_waiting_for_its_turn_cancels_it(make_backend: Callable[..., Backend], tmp_path: Path) -> None:
    backend = make_backend(slots="1").start().with_sample()
    shell = Shell(backend, tmp_path)
    running = backend.submit(epochs=5000)
    backend.wait_state(running, "RUNNING")
    terminal = shell.terminal("train", *PROBE, "--dataset", "cats-dogs-classes")
    waiting = wait_for("the second job", lambda: (job := shell.newest())["id"] != running and job)
    backend.wait_state(waiting["id"], "QUEUED")
    terminal.expect("slot|turn")
    terminal.sendintr()
    code, _ = ends(terminal)
    assert code == 130
    assert backend.job(waiting["id"])["state"] == "CANCELLED"
    assert backend.job(running)["state"] == "RUNNING"


def test_100_mb_of_output_pass_through_and_the_log_stays_bounded(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    shell = Shell(make_backend(log_limit_mb="4").start(), tmp_path)
    script = shell.script("loud.py", "for _ in range(100): print('x' * (1 << 20))\nprint('the last line')\n")
    said = shell.run("train", script, *PROBE)
    assert "the last line" in said.out
    assert shell.newest()["state"] == "SUCCEEDED"
    log = shell.run("logs", "last").out
    assert len(log) < 6 << 20
    assert "were cut here" in log
    assert "the last line" in log


def test_a_backend_killed_meanwhile_has_the_whole_story_after_its_restart(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    backend = make_backend().start().with_sample()
    shell = Shell(backend, tmp_path)
    options = ("--dataset", "cats-dogs-classes", "--epochs", "20", "--set", "epoch_seconds=0.1")
    with shell.start("train", *PROBE, *options) as process:
        wait_for("the third epoch", lambda: (shell.newest().get("epoch") or 0) >= 3)
        backend.kill()
        backend.start()
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "epoch 20 of 20" in out
    assert "✔ SUCCEEDED" in err
    assert len(backend.curve(shell.newest()["id"], "train/loss")) == 20


def test_without_a_backend_a_plain_script_runs_and_says_that_nothing_is_recorded(shell: Shell) -> None:
    before = shell.jobs()
    script = shell.script(
        "alone.py",
        "import sys\n"
        "from os import environ as env\n"
        "print(env['JOB_ID'], env['MODEL_NAME'], env['NUM_EPOCHS'], 'CALLBACK_TOKEN' in env)\n"
        "sys.exit(3)\n",
    )
    said = shell.run("train", script, *PROBE, "--model", "tiny", code=3, TRAINYARD_PORT=str(free_port()))
    assert re.search(r"^local-\S+ tiny 10 False$", said.out, re.M)
    assert "nothing is recorded" in said.err
    assert "trainyard up" in said.err
    assert shell.jobs() == before


def test_without_a_backend_ctrl_c_reaches_the_script(shell: Shell) -> None:
    shell.env["TRAINYARD_PORT"] = str(free_port())
    script = shell.script("alone.py", "import time\nprint('it runs', flush=True)\ntime.sleep(99)\n")
    terminal = shell.terminal("train", script, *PROBE)
    terminal.expect("it runs")
    terminal.sendintr()
    code, said = ends(terminal)
    assert code == 130
    assert "KeyboardInterrupt" in said


def test_a_trainer_needs_the_backend(shell: Shell) -> None:
    said = shell.run("train", *PROBE, code=1, TRAINYARD_PORT=str(free_port()))
    assert "isn't running at" in said.err
    assert "`trainyard up` starts it" in said.err


def test_a_backend_on_another_machine_is_no_place_for_train(shell: Shell) -> None:
    said = shell.run("train", *PROBE, code=1, TRAINYARD_URL="http://192.0.2.1:8000")
    assert "trainyard submit" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("no-such.py",), 2, "There is no script no-such.py"),
        (("--framework", "nope"), 1, "There is no trainer 'nope'"),
        ((*PROBE, "--model", "huge"), 1, "no model 'huge'"),
        ((*PROBE, "--epochs", "0"), 1, "epochs must be at least 1"),
        ((*PROBE, "--set", "learning_rate=nan"), 1, "learning_rate must be a finite number"),
        ((*PROBE, "--set", "epochs"), 2, "is no assignment"),
        ((*PROBE, "--dataset", "nowhere"), 1, "There is no dataset 'nowhere'"),
        ((*PROBE, "--task", "fly"), 2, "fly"),
    ],
)
def test_what_can_t_be_trained_is_refused_in_a_sentence_and_leaves_no_job(
    shell: Shell, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = shell.jobs()
    said = shell.run("train", *arguments, code=code)
    assert words in said.err
    assert "Traceback" not in said.err
    assert shell.jobs() == before


def test_an_environment_that_can_t_be_made_is_the_reason_of_the_failure(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    trainers = tmp_path / "trainers"
    shutil.copytree(Path(__file__).parents[1] / "trainers" / "trainer-probe", trainers / "trainer-probe")
    (trainers / "trainer-probe" / "requirements.txt").write_text("six==99.0\n")
    shell = Shell(make_backend(trainers_dir=str(trainers)).start().with_sample(), tmp_path)
    said = shell.run("train", *PROBE, "--dataset", "cats-dogs-classes", code=1)
    assert "EnvironmentFailed" in said.err
    assert "six==99.0" in said.err
    assert "requirements.txt" in said.err
    assert shell.newest()["state"] == "FAILED"
