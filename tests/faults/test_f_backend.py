"""The backend dies: in the middle of a training, and at each point where it may leave a job half started."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import psutil
import pytest
import sqlalchemy as sa

from tests.faults.conftest import running_yard
from tests.faults.invariants import closed, states
from tests.faults.yard import Yard
from tests.real.backend import TESTS, wait_for
from tests.real.s3server import S3Server
from trainyard.db.tables import jobs

WHOLE = ["PENDING", "QUEUED", "RUNNING", "SUCCEEDED"]


def test_f01_a_training_goes_on_while_the_backend_is_dead_and_is_adopted(yard_on: Yard, tmp_path: Path) -> None:
    job_id = yard_on.submit(epochs=6, gate=tmp_path / "gate")
    yard_on.wait_state(job_id, "RUNNING")
    trainer = yard_on.trainer(job_id)
    yard_on.kill()
    (tmp_path / "gate").touch()
    yard_on.start()
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"], job["epoch"], job["progress"]) == ("SUCCEEDED", "Completed", 6, 1.0)
    assert yard_on.curve(job_id, "train/loss") == [1 / epoch for epoch in range(1, 7)]
    log = yard_on.log_text(job_id)
    assert [f"epoch {epoch} of 6" in log for epoch in range(1, 7)] == [True] * 6
    assert f"pid {trainer.pid}" in log
    assert states(yard_on, job_id) == WHOLE
    assert yard_on.starts(job_id) == 1


def test_f01_a_job_that_ended_while_the_backend_was_dead_ends_with_all_it_said(yard_on: Yard, tmp_path: Path) -> None:
    job_id = yard_on.submit("receipt-only", epochs=1, gate=tmp_path / "gate", patience=0)
    yard_on.wait_state(job_id, "RUNNING")
    shim = yard_on.shim(job_id)
    yard_on.kill()
    (tmp_path / "gate").touch()
    wait_for("its end", lambda: yard_on.run_folder(job_id).exit())
    psutil.wait_procs([shim], timeout=60)
    yard_on.start()
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"], job["progress"]) == ("SUCCEEDED", "Completed", 1.0)
    assert "epoch 1 of 1" in yard_on.log_text(job_id)
    done = [event["data"] for event in yard_on.events(job_id) if event["type"] == "done"]
    assert done == [{"status": "succeeded", "metrics": {"val/accuracy": 0.5}}]


@pytest.mark.parametrize("point", ["stored", "claimed"])
def test_f02_a_job_whose_backend_died_before_its_launch_runs_once(yard_on: Yard, point: str) -> None:
    yard_on.crash_at(point)
    with suppress(httpx2.TransportError):  # it may die before it answers
        yard_on.submit(epochs=2, key=f"f02-{point}")
    yard_on.wait_until_dead()
    yard_on.start()
    job_id = yard_on.submit(epochs=2, key=f"f02-{point}")  # as whoever got no answer does
    job = closed(yard_on, job_id)
    assert (job["state"], job["attempt"]) == ("SUCCEEDED", 1)
    assert states(yard_on, job_id) == WHOLE
    assert yard_on.starts(job_id) == 1
    assert yard_on.rows(sa.select(jobs.c.id).where(jobs.c.idempotency_key == f"f02-{point}")) == [(job_id,)]


def test_f02_a_job_whose_run_was_prepared_and_never_started_runs_once(yard: Yard) -> None:
    yard.crash_at("prepared")
    job_id = yard.submit(epochs=2)
    yard.wait_until_dead()
    # a shim that is about to start looks the same, so it is given time: 30 s, which nobody needs to wait for here
    yard.start(before="from trainyard.executors.local import executor\nexecutor._SHIM_SECONDS = 2.0")
    assert closed(yard, job_id)["state"] == "SUCCEEDED"
    assert yard.starts(job_id) == 1
    yard.stop()


@pytest.mark.parametrize("point", ["born", "launched"])
def test_f03_a_run_that_nobody_noted_is_found_and_not_started_again(yard_on: Yard, point: str, tmp_path: Path) -> None:
    yard_on.crash_at(point)
    job_id = yard_on.submit(epochs=2, gate=tmp_path / "gate")
    yard_on.wait_until_dead()
    log = yard_on.run_folder(job_id).log
    wait_for("the trainer", lambda: log.exists() and "probe starts" in log.read_text())
    trainer = yard_on.trainer(job_id)
    yard_on.start()
    yard_on.wait_state(job_id, "RUNNING")
    (tmp_path / "gate").touch()
    job = closed(yard_on, job_id)
    assert (job["state"], job["attempt"]) == ("SUCCEEDED", 1)
    assert states(yard_on, job_id) == WHOLE
    assert yard_on.starts(job_id) == 1
    assert f"pid {trainer.pid}" in yard_on.log_text(job_id)


SPOOLING = """
import os, time
del os.environ["MLFLOW_TRACKING_URI"]
import utils
from job import Job

def train(job):
    for epoch in range(1, 101):
        while epoch == 10 and not os.path.exists("GATE"):
            time.sleep(0.01)
        time.sleep(0.03)
        utils.notify_status("training", epoch, 100, {"loss": 1 / epoch})
        utils.send_validation_result(epoch, {"map": epoch})

Job().run(train)
"""


@pytest.fixture
def yard_of_spoolers(s3_server: S3Server, tmp_path: Path) -> Iterator[Yard]:
    """Its one trainer calls back as ours do: through trainer-template's own job.py and utils.py."""
    trainer = tmp_path / "trainers" / "trainer-probe"
    trainer.mkdir(parents=True)
    for name in ("job.py", "surroundings.py", "utils.py"):
        shutil.copy(TESTS.parent / "trainer-template" / name, trainer)
    shutil.copy(TESTS / "trainers" / "trainer-probe" / "trainer.toml", trainer)
    (trainer / "train.py").write_text(SPOOLING.replace("GATE", str(tmp_path / "gate")))
    (tmp_path / "trainers" / "venv-probe").symlink_to(sys.prefix)
    with running_yard(s3_server, tmp_path, trainers_dir=str(tmp_path / "trainers")) as yard:
        yield yard


def test_f14_a_trainer_that_ends_while_the_backend_is_away_tells_all_of_it_later(
    yard_of_spoolers: Yard, tmp_path: Path
) -> None:
    yard = yard_of_spoolers
    job_id = yard.submit(epochs=100)
    wait_for("some epochs", lambda: (yard.job(job_id)["epoch"] or 0) >= 3)
    yard.stop()
    (tmp_path / "gate").touch()
    log = yard.run_folder(job_id).log
    wait_for("the last epoch, with nobody to tell", lambda: "epoch 100/100" in log.read_text())
    assert "the backend is away, its calls wait" in log.read_text()
    assert yard.trainer(job_id).is_running()
    yard.start()
    job = closed(yard, job_id)
    assert (job["state"], job["reason"], job["epoch"]) == ("SUCCEEDED", "Completed", 100)
    assert yard.curve(job_id, "loss") == [1 / epoch for epoch in range(1, 101)]
    assert yard.curve(job_id, "map") == list(range(1, 101))
    assert states(yard, job_id) == WHOLE
    assert [event["message"] for event in yard.events(job_id) if event["type"] == "done"] == [""]
