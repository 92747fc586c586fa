"""`trainyard check` as people and CI call it: exit codes, reports, what it keeps and what it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conformance.broken import BROKEN, PLAIN, make_copy

Check = Callable[..., "subprocess.CompletedProcess[str]"]


def environment_of(tmp_path: Path, mlflow_environment: Path) -> dict[str, str]:
    """A new installation, whose MLflow is installed already."""
    data = tmp_path / "data"
    (data / "envs").mkdir(parents=True)
    (data / "envs" / "mlflow").symlink_to(mlflow_environment)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    given = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
    return given | {"TRAINYARD_DATA_DIR": str(data), "TMPDIR": str(scratch), "COLUMNS": "80"}


@pytest.fixture
def run_check(tmp_path: Path, mlflow_environment: Path) -> Check:
    env = environment_of(tmp_path, mlflow_environment)

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "trainyard.cli.main", "check", *map(str, arguments)]
        return subprocess.run(argv, env=env, capture_output=True, text=True, cwd=tmp_path, timeout=200)

    return run


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "scratch").glob("trainyard-check-*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "There is no folder"),
        (["empty"], "it has no trainer.toml"),
        ([PLAIN, "--clause", "frobnicate"], "There is no clause frobnicate"),
        ([PLAIN, "--set", "momentum=1"], "There is no parameter momentum"),
        ([PLAIN, "--set", "epochs=many"], "must be a whole number"),
        ([PLAIN, "--task", "detect"], "has no task detect"),
        ([PLAIN, "--model", "resnet50"], "has no model resnet50"),
        ([PLAIN, "--python", "nowhere/python"], "There is no Python"),
    ],
    ids=lambda value: "".join(map(str, value[-1:])) if isinstance(value, list) else "",
)
def test_bad_input_is_named_with_code_2(
    arguments: list[str | Path], said: str, run_check: Check, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = run_check(*arguments)
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
    assert not kept(tmp_path)


def test_a_folder_that_the_platform_would_not_find_is_bad_input(run_check: Check, tmp_path: Path) -> None:
    copy = make_copy(tmp_path, []).rename(tmp_path / "plain")
    done = run_check(copy)
    assert done.returncode == 2
    assert "Rename it to trainer-plain" in done.stderr


def test_one_clause_plays_only_what_it_needs_and_reports_to_machines(run_check: Check, tmp_path: Path) -> None:
    done = run_check(PLAIN, "--clause", "environment.dataset-id", "--json", "--junit", tmp_path / "report.xml")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (row,) = report["clauses"]
    assert (row["id"], row["result"], row["scenarios"]) == ("environment.dataset-id", "pass", ["no-dataset-id"])
    assert report["summary"] == {"pass": 1, "fail": 0, "n/a": 0, "not judged": 0}
    suite = ET.parse(tmp_path / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert [line for line in done.stderr.splitlines() if " took " in line] == [done.stderr.strip()]
    assert not kept(tmp_path)


def test_a_failure_is_explained_in_80_columns_and_its_runs_are_kept(run_check: Check, tmp_path: Path) -> None:
    copy = make_copy(tmp_path, BROKEN["environment.dataset-id"])
    done = run_check(copy, "--clause", "environment.dataset-id", "--junit", tmp_path / "report.xml")
    assert done.returncode == 1
    (folder,) = kept(tmp_path)
    run = folder / "runs" / "no-dataset-id"
    assert {path.name for path in run.iterdir()} >= {"stdout", "stderr", "callbacks.json"}
    assert json.loads((run / "callbacks.json").read_text())["calls"][-1]["call"] == "done"
    assert not (folder / "services").exists()
    assert str(run) in done.stdout
    assert "exit code 2, and a line that names DATASET_ID" in done.stdout
    assert all(len(line) <= 80 or str(folder) in line for line in done.stdout.splitlines())
    (failure,) = ET.parse(tmp_path / "report.xml").getroot().iter("failure")
    assert "exit code 1" in (failure.get("message") or "")


def test_a_trainer_without_callbacks_owes_none(run_check: Check, tmp_path: Path) -> None:
    copy = make_copy(tmp_path, [("trainer.toml", 'framework = "plain"\n', 'framework = "plain"\ncallbacks = false\n')])
    done = run_check(
        copy, "-c", "callbacks.running", "-c", "signals.training", "-c", "environment.bad-number", "--json"
    )
    assert done.returncode == 0, done.stderr
    results = {row["id"]: row["result"] for row in json.loads(done.stdout)["clauses"]}
    assert results == {"callbacks.running": "n/a", "signals.training": "n/a", "environment.bad-number": "pass"}
    assert done.stderr.count(" took ") == 1


def test_ctrl_c_ends_the_trainer_and_the_services(tmp_path: Path, mlflow_environment: Path) -> None:
    env = environment_of(tmp_path, mlflow_environment)
    argv = [sys.executable, "-m", "trainyard.cli.main", "check", str(PLAIN), "--clause", "callbacks.timer"]
    with subprocess.Popen(argv, env=env, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        try:
            started = wait_for(lambda: [one for one in descendants(process) if "train.py" in one["cmdline"]])
            assert started, "the trainer never started"
            everything = descendants(process)
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 130
        finally:
            process.kill()
    assert wait_for(lambda: not any(psutil.pid_exists(one["pid"]) for one in everything)), everything
    assert not any((one / "services").exists() for one in kept(tmp_path))


def descendants(process: "subprocess.Popen[bytes]") -> list[dict[str, Any]]:
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            found.append({"pid": child.pid, "cmdline": " ".join(child.cmdline())})
        except psutil.Error:
            continue
    return found


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    return None
