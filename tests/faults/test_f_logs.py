"""Trainers print too much, or what nobody can read, and the disk they print to is full."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import running_yard
from tests.faults.invariants import closed
from tests.faults.yard import Yard
from tests.real.backend import wait_for
from tests.real.s3server import S3Server

MB = 1 << 20


def test_f26_100_mb_that_nobody_reads_stop_no_training(yard: Yard, tmp_path: Path) -> None:
    job_id = yard.submit("flood", gate=tmp_path / "gate")
    yard.wait_state(job_id, "RUNNING")
    yard.kill()
    (tmp_path / "gate").touch()
    log = yard.run_folder(job_id).log
    wait_for("100 MB of output", lambda: log.stat().st_size > 95 * MB)
    wait_for("the line behind them", lambda: b"the flood is over" in log.read_bytes()[-4096:])
    assert yard.trainer(job_id).is_running()
    yard.start()
    job = closed(yard, job_id)
    assert (job["state"], job["epoch"]) == ("SUCCEEDED", 3)
    assert log.stat().st_blocks * 512 < 70 * MB
    text = yard.log_text(job_id)
    assert "probe starts" in text
    assert "MB of output were cut here" in whole_log(yard, job_id)
    assert "epoch 3 of 3" in tail_of(yard, job_id)


def tail_of(yard: Yard, job_id: str) -> str:
    return yard.http.get(f"/v1/jobs/{job_id}/log", params={"tail": 4096}).text


def whole_log(yard: Yard, job_id: str) -> str:
    """Page by page, none of them larger than was asked for."""
    text, offset = "", 0
    while True:
        answer = yard.http.get(f"/v1/jobs/{job_id}/log", params={"offset": offset, "limit": MB})
        assert answer.status_code == 200
        assert len(answer.content) <= 4 * MB  # what is no text costs up to three bytes for each one
        if not answer.text:
            return text
        text, offset = text + answer.text, int(answer.headers["x-next-offset"])


@pytest.mark.parametrize("mode", ["garbage", "garbage-crash"])
def test_f27_a_10_mb_line_and_binary_output_harm_nobody(yard_on: Yard, mode: str) -> None:
    assert yard_on.process is not None
    before = psutil.Process(yard_on.process.pid).memory_info().rss
    job_id = yard_on.submit(mode)
    job = closed(yard_on, job_id)
    assert (job["state"], job["reason"]) == (
        ("SUCCEEDED", "Completed") if mode == "garbage" else ("FAILED", "TrainerError")
    )
    text = whole_log(yard_on, job_id)
    assert text.count("z") > 10 * MB
    assert "\r50%\r100%\n" in text
    followed = yard_on.http.get(f"/v1/jobs/{job_id}/log/stream").text
    assert json.loads(followed.rpartition("event: end\ndata: ")[2]) == {}
    assert psutil.Process(yard_on.process.pid).memory_info().rss - before < 100 * MB
    if mode == "garbage-crash":
        assert "last" in job["message"]
        assert "words" in job["evidence"]["tail"]
        assert len(json.dumps(job["evidence"])) < 64 * 1024


@pytest.fixture
def yard_with_small_disk(s3_server: S3Server, tmp_path: Path) -> Iterator[Yard]:
    """Run folders have a disk of 2 MB to themselves."""
    runs = tmp_path / "data" / "runs"
    runs.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(runs)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("needs to mount a tmpfs: run as root")
    try:
        with running_yard(s3_server, tmp_path) as yard:
            yield yard
    finally:
        subprocess.run(["umount", "-l", str(runs)], check=True)


def test_f52_a_full_disk_of_run_folders_is_named_and_the_backend_lives(yard_with_small_disk: Yard) -> None:
    yard = yard_with_small_disk
    flooded = closed(yard, yard.submit("flood"))
    assert (flooded["state"], flooded["reason"]) == ("FAILED", "DiskFull")
    for log in (yard.folder / "data" / "runs").rglob("output.log"):
        log.unlink()
    filler = yard.folder / "data" / "runs" / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"\0" * (4 * MB))
    refused = closed(yard, yard.submit())
    assert (refused["state"], refused["reason"]) == ("FAILED", "DiskFull")
    filler.unlink()
    assert closed(yard, yard.submit())["state"] == "SUCCEEDED"
