"""Checkpoints of real trainers meet a full disk, a connection that is cut, and the death of who uploads them."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import psutil
import pytest

from tests.contract.conftest import environment
from tests.contract.running import ROOT
from tests.faults.invariants import closed
from tests.faults.real_trainers import Workshop
from tests.real.backend import wait_for
from tests.real.proxy import PASS, Fate, Proxy
from trainyard.contract.keys import checkpoint_key
from trainyard.jobs.archive import Archive
from trainyard.storage.client import make_client
from trainyard.storage.store import Store

MB = 1 << 20
SECONDS = 150  # a machine may be busy
LARGE = {"image_size": 96}  # checkpoints of 28 MB: boto3 sends them in parts


def whole(workshop: Workshop, job_id: str) -> None:
    """Each checkpoint that can be seen has the size that was told, and its trainer can load it."""
    seen, told = workshop.checkpoints(job_id), workshop.announced(job_id)
    assert seen == told
    for key in seen:
        path = workshop.folder / "seen.pt"
        with path.open("wb") as file:
            file.writelines(workshop.bucket.open_read(key))
        python = environment(ROOT / "trainer-sklearn" / "requirements.txt")
        load = "import joblib, sys; print(joblib.load(sys.argv[1])['epoch'])"
        done = subprocess.run([python, "-c", load, path], capture_output=True, text=True, check=True)
        assert int(done.stdout) > 0


@pytest.fixture
def small_disk(workshop: Workshop) -> Iterator[Callable[[Path], None]]:
    """Puts a disk of 200 MB of its own at a folder."""
    mounted: list[Path] = []

    def mount(folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o700)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)], capture_output=True)
        if made.returncode != 0:
            pytest.skip("needs to mount a tmpfs: run as root")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    """Take what is left of its disk, and what becomes free meanwhile."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(bytes(MB)):
            pass


def test_f32_a_full_disk_of_a_real_trainer_is_named_and_no_checkpoint_is_half(
    workshop: Workshop, small_disk: Callable[[Path], None]
) -> None:
    with workshop.held_at("prepared") as is_held:
        job_id = workshop.train("sklearn", epochs=1000, **LARGE)
        wait_for("its run folder", is_held)
        disk = workshop.run_folder(job_id).path / "tmp"
        small_disk(disk)
    workshop.wait_for_event(job_id, lambda event: event["type"] == "checkpoint")

    def is_over() -> bool:
        fill(disk / "filler")
        return workshop.job(job_id)["state"] != "RUNNING"

    wait_for("its end", is_over, SECONDS)
    (disk / "filler").unlink(missing_ok=True)
    job = closed(workshop, job_id, seconds=SECONDS)
    assert (job["state"], job["reason"]) == ("FAILED", "DiskFull"), job
    assert "no space is left on the disk" in job["message"]
    assert job["epoch"] < 1000
    assert workshop.announced(job_id)
    whole(workshop, job_id)


def test_f33_parts_of_a_checkpoint_that_are_cut_off_are_sent_again(workshop: Workshop) -> None:
    workshop.storage.cut_uploads(3)
    before = len(workshop.storage.requests)
    job_id = workshop.train("sklearn", epochs=2, **LARGE)
    job = closed(workshop, job_id, seconds=SECONDS)
    assert job["state"] == "SUCCEEDED", job["message"]
    sent = [request.path for request in workshop.storage.requests[before:] if request.method == "PUT"]
    again = {path for path in sent if "partNumber=" in path and job_id in path and sent.count(path) > 1}
    assert len(again) >= 2, sent
    assert set(workshop.checkpoints(job_id)) == {checkpoint_key(job_id, kind) for kind in ("best", "last")}
    assert job["checkpoint"] == checkpoint_key(job_id, "best")
    whole(workshop, job_id)


def while_it_uploads(workshop: Workshop) -> str:
    """A job whose first checkpoints are complete, and whose next one is on its way in parts."""
    job_id = workshop.train("sklearn", epochs=1000, **LARGE)
    workshop.wait_for_event(job_id, lambda event: event["type"] == "checkpoint")
    workshop.storage.upload_delay = 5
    wait_for("an upload in parts", workshop.open_uploads, SECONDS)
    return job_id


@pytest.mark.parametrize("who", ["its trainer", "its supervisor and all below"])
def test_f35_what_was_killed_in_the_middle_of_an_upload_leaves_no_part_of_it(workshop: Workshop, who: str) -> None:
    job_id = while_it_uploads(workshop)
    assert {upload["Key"].rpartition("/")[0] for upload in workshop.open_uploads()} == {f"checkpoints/job-{job_id}"}
    workshop.storage.set("shut")
    kill(workshop, job_id, with_shim=who != "its trainer")
    assert workshop.uploads_behind_the_gate()
    workshop.storage.set("open")
    job = closed(workshop, job_id, seconds=SECONDS)
    assert job["reason"] == ("Killed" if who == "its trainer" else "SupervisorLost")
    whole(workshop, job_id)


def kill(workshop: Workshop, job_id: str, *, with_shim: bool) -> None:
    family = [workshop.trainer(job_id), *([workshop.shim(job_id)] if with_shim else [])]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # the shim's end is the trainer's
            process.kill()
    psutil.wait_procs(family, timeout=60)
    workshop.storage.upload_delay = 0


def test_f35_a_storage_that_is_away_keeps_the_job_open_and_its_slot_free(
    workshop: Workshop,
) -> None:
    job_id = while_it_uploads(workshop)
    workshop.storage.set("shut")
    kill(workshop, job_id, with_shim=False)
    job = workshop.wait_end(job_id)
    assert (job["state"], job["reason"]) == ("FAILED", "Killed")
    wait_for("its slot to be free", lambda: workshop.leases() == 0)
    assert workshop.uploads_behind_the_gate()
    workshop.storage.set("open")
    closed(workshop, job_id, seconds=SECONDS)
    whole(workshop, job_id)


@pytest.fixture
def proxied(workshop: Workshop) -> Iterator[tuple[Store, Proxy]]:
    """The workshop's bucket, through a proxy."""
    address = workshop.bucket.address
    host, _, port = address.endpoint.removeprefix("http://").partition(":")
    proxy = Proxy((host, int(port)))
    yield Store(replace(address, endpoint=proxy.url)), proxy
    proxy.close()
    workshop.bucket.drop_abandoned_uploads("", timedelta(days=-1))


def begin_upload(store: Store, key: str) -> None:
    """As one who is killed before the second part."""
    client = make_client(store.address)
    upload = client.create_multipart_upload(Bucket=store.address.bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=store.address.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"half")


def test_f35_only_the_uploads_of_the_job_are_dropped_and_what_was_missed_is_dropped_later(
    workshop: Workshop, proxied: tuple[Store, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, proxy = proxied
    archive = Archive(store)
    mine, longer, sample = (
        "checkpoints/job-a-1/last.pt",
        "checkpoints/job-a-12/last.pt",
        "samples/job-a-1/epoch-1/0.jpg",
    )
    for key in (mine, longer, sample, "datasets/x.zip"):
        begin_upload(workshop.bucket, key)
    proxy.obey(lambda request: Fate(status=501) if "uploads" in request.path else PASS)
    archive.drop_uploads("a-1")  # a storage that can't list them is no reason to stay open
    assert len(workshop.open_uploads()) == 4
    proxy.obey()
    archive.drop_uploads("a-1")
    assert {upload["Key"] for upload in workshop.open_uploads()} == {longer, "datasets/x.zip"}
    monkeypatch.setattr("trainyard.storage.store.datetime", Tomorrow)
    archive.drop_uploads("a-3")
    assert len(workshop.open_uploads()) == 2, "it has looked today"
    Archive(store).drop_uploads("a-3")
    assert {upload["Key"] for upload in workshop.open_uploads()} == {"datasets/x.zip"}


class Tomorrow(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "datetime":
        return datetime.now(tz) + timedelta(hours=25)
