"""A job with two GPUs is two processes of its trainer. The GPUs are leases without a card behind them: torch then takes
the CPU, and gloo instead of NCCL; all else is what happens with cards."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import backends
from tests.contract.conftest import environment
from tests.real.backend import TESTS, Backend, wait_for
from tests.real.installation import ROOT
from tests.real.localruns import is_gone
from tests.real.s3server import S3Server
from trainyard.contract.manifest import Manifest, read_manifest
from trainyard.executors.base import RunId, RunSpec
from trainyard.executors.local.launch_plan import make_plan
from trainyard.settings import load_settings

RUN = RunId("job-20261121-101112-k3f9", 1, "c0ffee0123456789")
SMALL: dict[str, Any] = {"image_size": 32, "batch_size": 8, "augment": "none", "pretrained": False, "seed": 1}
# no torch in them: these two are about what torchrun makes of an end
LATE = """import os
import time

import utils
from job import Job

while os.environ["RANK"] == "0":
    time.sleep(1)

def train(job):
    raise utils.BadConfiguration("MODEL_NAME is not valid")

Job().run(train)
"""
BROKEN = """import os
import time

from job import Job

def train(job):
    if os.environ["RANK"] == "1":
        raise ArithmeticError("the second process is broken")
    while True:
        job.check()
        time.sleep(0.05)

Job().run(train)
"""


def timm_with(folder: Path, framework: str, train: str) -> None:
    """A copy of trainer-timm in which this is train.py."""
    copy = folder / f"trainer-{framework}"
    shutil.copytree(ROOT / "trainer-timm", copy, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
    (copy / "train.py").write_text(train)
    declared = (copy / "trainer.toml").read_text()
    (copy / "trainer.toml").write_text(declared.replace('framework = "timm"', f'framework = "{framework}"'))


@pytest.fixture(scope="module")
def yard(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("torchrun")
    trainers = folder / "trainers"
    trainers.mkdir()
    (trainers / "trainer-timm").symlink_to(ROOT / "trainer-timm")
    timm_with(trainers, "late", LATE)
    timm_with(trainers, "broken", BROKEN)
    python = environment(ROOT / "trainer-timm" / "requirements.txt")
    for framework in ("timm", "late", "broken"):
        (trainers / f"venv-{framework}").symlink_to(python.parents[1])
    with backends(s3_server, folder) as make:
        yield make(gpus="0,1", trainers_dir=str(trainers), grace_seconds="20").start().with_sample()


def submit(yard: Backend, framework: str = "timm", model: str = "test_resnet", **params: Any) -> str:
    body = {"framework": framework, "model": model, "dataset_id": "cats-dogs-classes", "params": SMALL | params}
    return str(yard.ask("POST", "/v1/jobs", json=body | {"gpus": 2})["id"])


def nothing_is_left(yard: Backend, job_id: str) -> bool:
    status = yard.ask("GET", "/v1/status")
    return not yard.processes_of(job_id) and (status["slots_in_use"], status["gpus_in_use"]) == (0, 0)


def test_two_gpus_are_two_processes_of_one_training_and_one_of_them_speaks(yard: Backend) -> None:
    job_id = submit(yard, epochs=2)
    ended = yard.wait_closed(job_id, 240)
    log = yard.log_text(job_id)
    assert (ended["state"], ended["reason"]) == ("SUCCEEDED", "Completed"), log[-3000:]
    assert "trains on the CPU, processes: 2" in log
    assert log.count("DONE {") == 1
    assert len(yard.curve(job_id, "val/top1")) == 2
    assert [e["data"]["epoch"] for e in yard.events(job_id) if e["type"] == "validation"] == [1, 2]
    assert nothing_is_left(yard, job_id)


def test_a_cancel_in_mid_epoch_ends_torchrun_and_both_processes(yard: Backend) -> None:
    job_id = submit(yard, epochs=5000)
    wait_for("the training", lambda: yard.job(job_id)["progress"], 120)
    processes = yard.processes_of(job_id)
    assert len(processes) >= 4, "the shim, torchrun and its two"
    yard.ask("POST", f"/v1/jobs/{job_id}/cancel")
    ended = yard.wait_closed(job_id)
    assert (ended["state"], ended["reason"]) == ("CANCELLED", "CancelledByUser")
    assert all(is_gone(pid) for pid in processes)
    assert nothing_is_left(yard, job_id)


def test_what_fails_in_the_second_process_is_the_jobs_failure(yard: Backend) -> None:
    job_id = submit(yard, "broken", epochs=3)
    ended = yard.wait_closed(job_id)
    assert (ended["state"], ended["reason"]) == ("FAILED", "TrainerError")
    assert "ArithmeticError: the second process is broken" in ended["message"]
    assert 'raise ArithmeticError("the second process is broken")' in str(ended["evidence"])
    assert nothing_is_left(yard, job_id)


def test_a_second_process_that_is_killed_is_no_cancel(yard: Backend) -> None:
    job_id = submit(yard, epochs=5000)
    wait_for("the training", lambda: yard.job(job_id)["progress"], 120)
    (second,) = [one for one in map(psutil.Process, yard.processes_of(job_id)) if one.environ().get("RANK") == "1"]
    second.kill()
    ended = yard.wait_closed(job_id)
    assert (ended["state"], ended["reason"]) == ("FAILED", "TrainerError"), yard.log_text(job_id)[-3000:]
    assert "process 1 of 2 was killed" in ended["message"]
    assert nothing_is_left(yard, job_id)


def test_bad_configuration_keeps_its_name_though_torchruns_exit_code_is_another(yard: Backend) -> None:
    """And though torchrun ends the first process, which would tell it, before that one has begun."""
    job_id = submit(yard, "late", epochs=1)
    ended = yard.wait_closed(job_id)
    assert (ended["state"], ended["reason"]) == ("FAILED", "BadConfiguration"), yard.log_text(job_id)[-3000:]
    assert ended["message"] == "MODEL_NAME is not valid"


def argv_for(folder: Path, framework: str, gpus: tuple[int, ...], trainers: Path) -> list[str]:
    settings = load_settings(_env_file=None, data_dir=folder, trainers_dir=trainers)
    plan = make_plan(settings, RunSpec(RUN, framework, {}, gpus=gpus), Path("python"))
    assert plan["variables"]["CUDA_VISIBLE_DEVICES"] == ",".join(map(str, gpus))
    return plan["argv"]


def test_torchrun_is_for_several_gpus_of_a_trainer_that_says_so(tmp_path: Path) -> None:
    script = str(ROOT / "trainer-timm" / "train.py")
    argv = argv_for(tmp_path, "timm", (1, 3), ROOT)
    assert argv[:3] == ["python", "-m", "torch.distributed.run"]
    assert argv[3:] == [
        "--standalone",
        "--local-addr=127.0.0.1",
        "--nproc-per-node=2",
        f"--log-dir={tmp_path / 'runs' / RUN.job_id / 'a1' / 'torchrun'}",
        script,
    ]
    assert argv_for(tmp_path, "timm", (3,), ROOT) == ["python", script]
    assert argv_for(tmp_path, "timm", (), ROOT) == ["python", script]
    probe = TESTS / "trainers" / "trainer-probe" / "train.py"
    assert argv_for(tmp_path, "probe", (0, 1), TESTS / "trainers") == ["python", str(probe)]


def test_a_command_of_its_own_is_not_started_twice() -> None:
    declared = read_manifest(ROOT / "trainer-timm" / "trainer.toml").model_dump()
    assert declared["distributed"]
    with pytest.raises(ValueError, match="distributed = true is for an entrypoint in Python"):
        Manifest.model_validate(declared | {"command": ["./build/trainer"]})
