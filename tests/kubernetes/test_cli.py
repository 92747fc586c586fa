"""`trainyard train --on k8s`: an edit runs in the cluster without a build, and the terminal shows its log."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kubernetes.yard import ClusterYard
from tests.real.backend import TESTS, TOKEN


@pytest.fixture
def trainers(tmp_path: Path) -> Path:
    """A checkout's trainers, to edit; with things beside the code that must not travel."""
    folder = tmp_path / "checkout"
    shutil.copytree(TESTS / "trainers" / "trainer-probe", folder / "trainer-probe")
    (folder / "trainer-probe" / ".env").write_text("SECRET=do-not-travel\n")
    (folder / "trainer-probe" / "best.pt").write_bytes(b"\0" * 1000)
    return folder


@pytest.fixture
def trainyard(yard: ClusterYard, trainers: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The command line, as somebody with this checkout types it."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        own = {"TRAINYARD_URL": yard.url, "TRAINYARD_TOKEN": TOKEN, "TRAINYARD_TRAINERS_DIR": str(trainers)}
        own |= {"TRAINYARD_DATA_DIR": str(trainers / "data"), "COLUMNS": "200"}
        argv = [sys.executable, "-m", "trainyard.cli.main", *arguments]
        return subprocess.run(argv, env=os.environ | own, cwd=trainers, capture_output=True, text=True, timeout=200)

    return run


PROBE = ("--framework", "probe", "--dataset", "cats-dogs-classes", "--on", "k8s")


def test_an_edit_runs_in_a_pod_and_its_line_is_seen_here(
    yard: ClusterYard, trainers: Path, trainyard: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    script = trainers / "trainer-probe" / "train.py"
    script.write_text(script.read_text().replace("probe starts", "the edited probe starts"))
    done = trainyard("train", *PROBE, "--epochs", "2", "--watch")
    assert done.returncode == 0, done.stderr
    assert "the edited probe starts" in done.stdout
    assert "epoch 2 of 2" in done.stdout
    job = yard.ask("GET", "/v1/jobs", params={"limit": 1})["items"][0]
    assert job["id"].startswith("dev-")
    assert job["state"] == "SUCCEEDED"
    sent = {file["path"] for file in yard.ask("GET", f"/v1/code/{job['code_hash']}")["files"]}
    assert sent == {"predict.py", "train.py", "trainer.toml"}


def test_without_watch_it_returns_with_the_job(
    yard: ClusterYard, trainyard: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    done = trainyard("train", *PROBE, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    job_id, url = done.stdout.split()
    assert url.endswith(f"/v1/jobs/{job_id}")
    assert yard.wait_end(job_id)["state"] == "SUCCEEDED"


def test_a_crash_in_the_pod_is_the_commands_end_too(
    trainyard: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    done = trainyard("train", *PROBE, "--set", "mode=crash", "--watch")
    assert done.returncode == 1
    assert "the probe was told to crash" in done.stdout + done.stderr


def test_a_script_of_ones_own_runs_there(
    trainers: Path, trainyard: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    script = trainers / "hello.py"
    script.write_text("import os\nprint('hello', os.environ['EPOCHS'], os.environ['NUM_EPOCHS'])\n")
    done = trainyard("train", str(script), *PROBE, "--epochs", "7", "--watch")
    assert done.returncode == 0, done.stderr
    assert "hello 7 7" in done.stdout


def test_the_deadline_of_a_job_is_the_clusters_too(make_yard: Callable[..., ClusterYard]) -> None:
    yard = make_yard(max_job_hours="0.002")
    job_id = yard.submit(epochs=10_000)
    job = yard.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Timeout")
