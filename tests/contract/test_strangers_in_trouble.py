"""The trainers that hold none of our code, in trouble: stopped, badly configured, with servers away or a full disk."""

import os
import signal
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import pictures
from tests.contract.conftest import Storage
from tests.contract.running import JOB, MARK, TOKEN, Starter
from tests.contract.test_callbacks import told_once_and_in_order
from tests.contract.test_strangers import in_the_middle, put
from tests.real.s3server import free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply

PREFIX = f"checkpoints/job-{JOB}/"
FOREVER = 1_000_000


def test_a_timer_beats_while_the_dataset_is_on_its_way(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    gate_to_storage.set("hanging")
    run = stranger(MINIO_ENDPOINT=gate_to_storage.url, HEARTBEAT_SECONDS=0.1)
    beats = recorder.wait_for(lambda seen: [b for b in seen.heartbeats() if b["phase"] == "downloading"][3:])
    assert not beats[0].get("metrics")
    run.stop()
    assert run.end(25) == 143
    assert recorder.done()["status"] == "cancelled"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_cancels_a_run(
    stranger: Starter, recorder: Recorder, storage: Storage, number: int, code: int
) -> None:
    run = in_the_middle(recorder, stranger)
    for _ in range(5):
        if run.process.poll() is None:
            run.stop(number)
    assert run.end(60) == code
    assert recorder.done() == run.receipt()
    assert (recorder.done()["status"], recorder.done()["error"]) == ("cancelled", None)
    assert storage.has(PREFIX + "last.pt")


def test_the_backend_cancels_in_its_answer(stranger: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(cancel=call.kind == "heartbeat" and call.body.get("epoch") == 2)
    assert stranger(EPOCHS=FOREVER).end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_a_signal_during_the_last_upload_cuts_it_short(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    def hang_after_the_download(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("hanging")
            gate_to_storage.upload_delay = 0.0
        return Reply()

    gate_to_storage.upload_delay = 10.0  # nothing is stored before it hangs
    recorder.reply = hang_after_the_download
    run = stranger(EPOCHS=3, MINIO_ENDPOINT=gate_to_storage.url, HEARTBEAT_SECONDS=0.1)
    recorder.wait_for(lambda seen: [beat for beat in seen.heartbeats() if beat["phase"] == "uploading"])
    run.stop()
    assert run.end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_an_outage_loses_nothing_and_changes_no_order(stranger: Starter, recorder: Recorder) -> None:
    recorder.down()
    run = stranger(EPOCHS=5)
    while "epoch 5/5" not in run.stdout:
        assert run.process.poll() is None, run.stderr
    recorder.up()
    run.succeeds()
    assert told_once_and_in_order(recorder)
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == [1, 2, 3, 4, 5]
    assert recorder.taken[-1].kind == "done"
    assert run.stdout.count("WARNING the backend is away") == 1


def test_a_lost_answer_means_the_same_call_again(stranger: Starter, recorder: Recorder) -> None:
    tried: set[int] = set()

    def lose_the_first_answer(call: Call) -> Reply:
        first = call.seq not in tried
        tried.add(call.seq)
        return Reply(lost=first and call.kind != "heartbeat")

    recorder.reply = lose_the_first_answer
    stranger(EPOCHS=2, SAMPLE_COUNT=0).succeeds()
    for call in recorder.taken:
        copies = [other.body for other in recorder.arrived if other.seq == call.seq]
        assert copies == [call.body] * (1 if call.kind == "heartbeat" else 2)
    assert told_once_and_in_order(recorder)


def test_server_errors_are_tried_again_and_refusals_are_not(stranger: Starter, recorder: Recorder) -> None:
    answers = iter([500, 503, 429, 408])
    refused = "dataset_ready"
    recorder.reply = lambda call: Reply(422 if call.body.get("type") == refused else next(answers, 200))
    run = stranger(EPOCHS=2)
    run.succeeds()
    assert [call.seq for call in recorder.arrived[:5]] == [1, 1, 1, 1, 1]
    assert len([call for call in recorder.arrived if call.body.get("type") == refused]) == 1
    assert "WARNING the backend refused a call" in run.stdout
    assert recorder.done()["status"] == "succeeded"


def test_a_renewed_token_is_used_from_then_on(stranger: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(token="second.token.value" if call.body.get("epoch") == 1 else None)
    stranger(EPOCHS=3).succeeds()
    renewal = next(call.seq for call in recorder.taken if call.body.get("epoch") == 1)
    assert {call.token for call in recorder.taken if call.seq <= renewal} == {TOKEN}
    assert {call.token for call in recorder.taken if call.seq > renewal} == {"second.token.value"}


def test_a_refused_token_ends_the_calls_but_not_the_training(stranger: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(status=401)
    run = stranger(EPOCHS=3)
    run.succeeds(60)
    assert len(recorder.arrived) == 1
    assert run.stdout.count("(401)") == 1
    assert run.receipt()["status"] == "succeeded"


def test_a_backend_that_stays_away_leaves_the_receipt(stranger: Starter, recorder: Recorder) -> None:
    recorder.down()
    run = stranger(FLUSH_SECONDS=1)
    run.succeeds(60)
    assert run.receipt()["status"] == "succeeded"
    assert "the receipt decides" in run.stdout


def test_without_addresses_it_trains_and_says_so(stranger: Starter, recorder: Recorder) -> None:
    run = stranger(BACKEND_BASE_URL=None, CALLBACK_TOKEN=None, JOB_ID=None)
    run.succeeds()
    assert "without callbacks and MLflow: no address is set" in run.stdout
    assert not recorder.arrived


def test_a_slow_backend_does_not_slow_the_training(stranger: Starter, recorder: Recorder) -> None:
    shown = threading.Event()

    def answer(_: Call) -> Reply:
        shown.wait(60)
        return Reply()

    recorder.reply = answer
    run = stranger(EPOCHS=5, SAMPLE_COUNT=0)
    recorder.wait_for(lambda seen: "epoch 5/5" in run.stdout)
    assert not recorder.taken, "training waited for the answers"
    shown.set()
    run.succeeds()


def test_numbers_that_json_lacks_travel_as_text(stranger: Starter, recorder: Recorder) -> None:
    stranger(EPOCHS=2, LEARNING_RATE="1e308", BATCH_SIZE=1).succeeds()
    told = [value for beat in recorder.epochs() for value in beat.body["metrics"].values()]
    assert {"NaN", "Infinity"} & set(map(str, told))
    assert recorder.done()["metrics"] == recorder.epochs()[-1].body["metrics"]


def test_a_hanging_mlflow_does_not_stall_a_training(stranger: Starter, recorder: Recorder, mlflow_url: str) -> None:
    gate = Gate(mlflow_url, "hanging")
    run = stranger(MLFLOW_TRACKING_URI=gate.url, EPOCHS=20, FLUSH_SECONDS=2)
    recorder.wait_for(lambda seen: "epoch 20/20" in run.stdout, 45)
    run.succeeds(60)
    gate.close()
    (warning,) = recorder.events("warning")
    assert "MLflow misses" in warning["message"]
    assert (recorder.done()["status"], recorder.done()["mlflow_run_id"]) == ("succeeded", None)


@pytest.mark.parametrize(
    ("changes", "variable", "wanted"),
    [
        ({"DATASET_ID": None}, "DATASET_ID", "the id of a dataset"),
        ({"EPOCHS": "many"}, "EPOCHS", "a whole number from 1"),
        ({"LEARNING_RATE": "nan"}, "LEARNING_RATE", "a number from"),
        ({"IMAGE_SIZE": "100000"}, "IMAGE_SIZE", "from 4 to 256"),
        ({"TASK_TYPE": "detect"}, "TASK_TYPE", "classify"),
        ({"STORAGE_TYPE": "ftp"}, "STORAGE_TYPE", "minio or r2"),
        ({"MINIO_SECRET_KEY": None}, "MINIO_SECRET_KEY", "its secret key"),
        ({"STORAGE_TYPE": "r2"}, "R2_ENDPOINT", "the storage's address"),
        ({"HEARTBEAT_SECONDS": "soon"}, "HEARTBEAT_SECONDS", "a number from"),
        ({"SAMPLE_COUNT": "-1"}, "SAMPLE_COUNT", "a whole number from 0"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_variable_is_named_in_one_line(
    stranger: Starter, recorder: Recorder, changes: dict[str, str | None], variable: str, wanted: str
) -> None:
    run = stranger(**changes)
    assert run.end(60) == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(MARK + variable)
    assert wanted in line
    assert recorder.done()["error"]["type"] == "BadConfiguration"
    assert variable in recorder.done()["error"]["message"]


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ("nowhere", "datasets/nowhere.zip: it is not there"),
        ("broken", "the dataset broken is no sound zip"),
        ("slipping", "points out of it"),
        ("linking", "points out of it"),
        ("bombing", "more than 100 times its size"),
        ("boxes", "classifies"),
    ],
)
def test_a_dataset_that_is_none_fails_with_the_reason(
    stranger: Starter, recorder: Recorder, dataset: str, said: str
) -> None:
    run = stranger(DATASET_ID=dataset)
    assert run.end(60) == 1
    assert recorder.done()["status"] == "failed"
    assert said in recorder.done()["error"]["message"]
    assert "train." in recorder.done()["error"]["traceback"]  # train.py, train.go: where it failed
    assert not list(run.folder.rglob("escaped*"))


def test_a_best_checkpoint_that_cannot_be_uploaded_fails_the_run(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    def shut_after_the_download(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("shut")
            gate_to_storage.upload_delay = 0.0
        return Reply()

    gate_to_storage.upload_delay = 10.0  # nothing is stored before it is shut
    recorder.reply = shut_after_the_download
    run = stranger(MINIO_ENDPOINT=gate_to_storage.url, FLUSH_SECONDS=2, EPOCHS=20)
    assert run.end(60) == 1
    done = recorder.done()
    assert (done["error"]["type"], done["checkpoint"]) == ("CheckpointUpload", None)
    assert "best" in done["error"]["message"]
    assert not recorder.events("checkpoint")
    assert len(recorder.epochs()) == 20


def test_a_storage_that_is_back_in_time_gets_the_checkpoints(
    stranger: Starter, recorder: Recorder, storage: Storage, gate_to_storage: Gate
) -> None:
    def shut_for_a_while(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("shut")
            gate_to_storage.upload_delay = 0.0
        if call.body.get("epoch") == 20:
            gate_to_storage.set("open")
        return Reply()

    gate_to_storage.upload_delay = 10.0  # nothing is stored before it is shut
    recorder.reply = shut_for_a_while
    stranger(MINIO_ENDPOINT=gate_to_storage.url, EPOCHS=20).succeeds()
    assert {event["data"]["kind"] for event in recorder.events("checkpoint")} == {"best", "last"}
    assert storage.has(recorder.done()["checkpoint"])


def test_a_storage_that_is_not_there_is_named_and_no_secret_is(stranger: Starter, recorder: Recorder) -> None:
    (port,) = free_ports(1)
    run = stranger(MINIO_ENDPOINT=f"http://127.0.0.1:{port}", MINIO_SECRET_KEY="secret-canary")
    assert run.end(60) == 1
    assert f"http://127.0.0.1:{port}" in recorder.done()["error"]["message"]
    run = stranger(MINIO_SECRET_KEY="secret-canary", JOB_ID=JOB + "2")
    assert run.end(60) == 1
    assert "does not give datasets/shapes.zip" in run.receipt()["error"]["message"]
    assert "canary" not in run.stdout + run.stderr + str(recorder.taken)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "small-disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("needs to mount a tmpfs: run as root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_is_named(stranger: Starter, recorder: Recorder, storage: Storage, small_disk: Path) -> None:
    with zipfile.ZipFile(pictures.class_folders(stranger.folder / "bulky.zip"), "a") as bundle:
        bundle.writestr("notes.bin", os.urandom(2 << 20))
    put(storage, "datasets/bulky.zip", (stranger.folder / "bulky.zip").read_bytes())
    assert stranger(DATASET_ID="bulky", TMPDIR=small_disk).end(60) == 1
    assert list(small_disk.iterdir()) == []
    assert recorder.done()["error"]["type"] == "DiskFull"
    assert "no space is left on the disk" in recorder.done()["error"]["message"]
