"""What docs/plugin-guide.md shows is run: its commands against a real backend, its program against a recorded one."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import environment
from tests.contract.running import JOB, TOKEN, TRACE
from tests.real.backend import Backend
from tests.real.shell import Shell
from tests.unit.test_plugin_guide import BLOCKS
from trainyard.conformance.recorder import Call, Recorder, Reply
from trainyard.contract.callbacks import Done
from trainyard.contract.keys import receipt_mark
from trainyard.contract.vocabulary import DoneStatus
from trainyard.stack.step_3_mlflow import LOCK

(PROGRAM,) = (text for language, text in BLOCKS if language == "python")
SHELL = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder().up()
    yield made
    made.close()
    assert made.problems == []


def run(recorder: Recorder, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The program of the guide as the platform would start it: with nothing but its variables."""
    script = folder / "train.py"
    script.write_text(PROGRAM)
    variables = {"JOB_ID": JOB, "TRACE_ID": TRACE, "ATTEMPT": "1", "EPOCHS": "3", "PATH": os.environ["PATH"]}
    variables |= {"BACKEND_BASE_URL": recorder.url, "CALLBACK_TOKEN": TOKEN}
    return subprocess.run(
        [sys.executable, "-I", script], env=variables, cwd=folder, capture_output=True, text=True, timeout=120
    )


def receipt(output: str) -> Done:
    last = output.strip().splitlines()[-1]
    assert last.startswith(receipt_mark(TRACE)), last
    return Done.model_validate_json(last.removeprefix(receipt_mark(TRACE)))


def test_the_smallest_program_makes_the_calls_of_a_whole_run(recorder: Recorder, tmp_path: Path) -> None:
    ended = run(recorder, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert [call.name for call in recorder.taken] == ["running", "heartbeat", "heartbeat", "heartbeat", "done"]
    assert [call.seq for call in recorder.taken] == [1, 2, 3, 4, 5]
    assert {(call.job, call.token) for call in recorder.taken} == {(JOB, TOKEN)}
    assert [call.body["epoch"] for call in recorder.taken if call.is_epoch] == [1, 2, 3]
    assert receipt(ended.stdout) == Done.model_validate(recorder.taken[-1].body)


def test_the_smallest_program_stops_when_it_is_asked_to(recorder: Recorder, tmp_path: Path) -> None:
    def cancel(call: Call) -> Reply:
        return Reply(cancel=call.is_epoch)

    recorder.reply = cancel
    ended = run(recorder, tmp_path)
    assert ended.returncode == 143, ended.stderr
    assert receipt(ended.stdout).status is DoneStatus.CANCELLED
    assert len([call for call in recorder.taken if call.is_epoch]) == 1


def with_mlflow(data: Path) -> None:
    """MLflow's environment as `check` would make it there, linked to the one that tests keep: it takes a minute."""
    kept = environment(LOCK).parents[1]
    (kept / "trainyard-lock").write_bytes(LOCK.read_bytes())
    (data / "envs").mkdir(parents=True)
    (data / "envs" / "mlflow").symlink_to(kept)


def test_the_commands_of_the_guide_make_show_train_and_check_a_trainer(
    make_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    trainers = tmp_path / "trainers"
    trainers.mkdir()
    backend = make_backend(trainers_dir=str(trainers))
    with_mlflow(backend.folder / "data")
    backend.start()
    shell = Shell(backend, trainers)
    words = [shlex.split(line, comments=True) for line in SHELL]
    assert [line[:2] for line in words] == [
        ["./trainyard", verb] for verb in ("new-trainer", "trainers", "train", "check")
    ]
    said = [shell.run(*line[1:]) for line in words[:3]]
    assert said[0].out.strip() == str(trainers / "trainer-mine")
    assert "classify: softmax (default)" in said[1].out
    job = shell.newest()
    assert (job["framework"], job["state"], job["params"]["epochs"]) == ("mine", "SUCCEEDED", 3)
    checked = shell.run(*words[3][1:], "--clause", "ends.success", "--clause", "predict.cold").out
    assert re.search(r"trainer-mine \(classify, softmax\): 2 pass, ", checked), checked
