"""The README's first command as its first reader runs it: a clean clone, an empty home, nothing in the environment."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.real.checkout import copy_checkout
from tests.real.installation import Installation, free_block

# how this machine reaches its package index is not ours to take away
NETWORK = re.compile(r"(?i)(https?|all|no)_proxy|ssl_cert_(file|dir)|requests_ca_bundle|pip_.*|uv_.*index.*")


@pytest.fixture
def clone(tmp_path: Path) -> Generator[Path]:
    """What a clone of this very state of the checkout would be, on ports of its own."""
    target = copy_checkout(tmp_path / "a clone")
    first = free_block()
    ports = {"S3_PORT": first, "PORT": first + 10, "MLFLOW_PORT": first + 11}
    (target / ".env").write_text("".join(f"TRAINYARD_{name}={port}\n" for name, port in ports.items()))
    yield target
    if (target / ".venv").exists():
        trainyard(target, "down", "--force")
    shutil.rmtree(target, ignore_errors=True)  # half a gigabyte


def trainyard(clone: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    env |= {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    return subprocess.run(
        ["./trainyard", *arguments], cwd=clone, env=env, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.mark.timeout(1200)
def test_from_a_clean_clone_to_a_trained_model_in_one_command(clone: Path) -> None:
    began = time.monotonic()
    said = trainyard(clone, "demo", "--trainer", "sklearn")
    print(f"{time.monotonic() - began:.0f} s with empty caches\n{said.stderr}{said.stdout}")
    assert said.returncode == 0
    assert [int(number) for number in re.findall(r"^epoch +(\d+)/10  val/accuracy", said.stdout, re.M)] == list(
        range(1, 11)
    )
    accuracy = re.search(r"best +val/accuracy (\S+)", said.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.9
    job = json.loads(trainyard(clone, "jobs", "last", "--json").stdout)
    assert job["state"] == "SUCCEEDED"
    assert job["url"] in said.stdout
    assert re.search(rf"MLflow +http://127\.0\.0\.1:\d+/#/experiments/\d+/runs/{job['mlflow_run_id']}", said.stdout)
    assert f"s3://trainyard/checkpoints/job-{job['id']}/best.pt" in said.stdout
    assert f"[TRACE:{job['trace_id']}]" in trainyard(clone, "logs", job["id"]).stdout
    tests = trainyard(clone, "test", "--suite", "unit", "-k", "test_states")  # the README's other command
    assert re.search(r"^\d\d passed, 0 failed$", tests.stdout, re.M), tests.stdout + tests.stderr
    again = trainyard(clone, "up", "--detach")
    assert again.returncode == 0
    assert "Already up" in again.stderr
    down = trainyard(clone, "down", "--force")
    assert down.returncode == 0, down.stderr
    place = Installation(clone.parent)
    place.data = clone / ".trainyard"
    assert not place.processes()
