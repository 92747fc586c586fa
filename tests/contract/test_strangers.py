"""Trainers that hold none of our code keep the whole contract: one in Python's standard library alone, one in Go."""

import io
import json
import os
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.contract import pictures
from tests.contract.conftest import MakeStarter, Storage
from tests.contract.running import JOB, MARK, TOKEN, TRACE, Starter
from tests.contract.test_callbacks import told_once_and_in_order
from tests.contract.test_mlflow import ask, history
from tests.real.go import built_trainer
from tests.real.s3server import free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply
from trainyard.contract.manifest import read_manifest

PREFIX = f"checkpoints/job-{JOB}/"
FOREVER = 1_000_000


@pytest.fixture(params=["plain", "go"])
def stranger(request: pytest.FixtureRequest, starter: MakeStarter, storage: Storage) -> Iterator[Starter]:
    made = starter(f"tests/trainers/trainer-{request.param}")
    yield replace(made, command=(built_trainer(), "train")) if request.param == "go" else made
    for key in storage.keys("samples/"):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)


def predictor(stranger: Starter) -> Starter:
    if stranger.command:
        return replace(stranger, command=(built_trainer(), "predict"))
    return replace(stranger, script=stranger.script.with_name("predict.py"))


def read(storage: Storage, key: str) -> bytes:
    return storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()


def put(storage: Storage, key: str, body: bytes) -> None:
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=body)


def in_the_middle(recorder: Recorder, start: Starter, **changes: str | float) -> Any:
    run = start(EPOCHS=FOREVER, **changes)
    recorder.wait_for(lambda seen: len(seen.epochs()) >= 2)
    return run


def test_its_trainer_toml_names_what_is_started(stranger: Starter) -> None:
    manifest = read_manifest(stranger.script.with_name("trainer.toml"))
    assert stranger.script.parent.name == f"trainer-{manifest.framework}"
    assert manifest.predict.warm
    if stranger.command:
        assert (manifest.command, manifest.predict.command) == (["./trainer", "train"], ["./trainer", "predict"])


def test_a_run_learns_and_tells_it_all(stranger: Starter, recorder: Recorder) -> None:
    run = stranger(EPOCHS=8)
    run.succeeds()
    calls = recorder.taken
    assert [call.seq for call in calls] == list(range(1, len(calls) + 1))
    assert {(call.job, call.token, call.body["attempt"]) for call in calls} == {(JOB, TOKEN, 1)}
    assert (calls[0].body["type"], calls[-1].kind) == ("running", "done")
    assert [(beat.body["epoch"], beat.body["progress"]) for beat in recorder.epochs()] == [
        (epoch, epoch / 8) for epoch in range(1, 9)
    ]
    for beat in recorder.epochs():
        assert beat.body["metrics"].keys() >= {"train/loss", "train/accuracy", "val/loss", "val/accuracy"}
    measured = [event["data"] for event in recorder.events("validation")]
    assert [one["epoch"] for one in measured] == list(range(1, 9))
    assert measured[-1]["metrics"]["val/accuracy"] > 0.9
    assert measured[-1]["metrics"]["val/loss"] < measured[0]["metrics"]["val/loss"]
    (ready,) = recorder.events("dataset_ready")
    assert ready["data"] == {"dataset_id": "shapes", "train": 48, "val": 12, "classes": ["ball", "box"]}
    done = recorder.done()
    assert (done["status"], done["checkpoint"], done["error"]) == ("succeeded", PREFIX + "best.pt", None)
    assert done == run.receipt()
    lines = (run.stdout + run.stderr).splitlines()
    assert [line for line in lines if not line.startswith(MARK)] == []


def test_a_checkpoint_is_complete_before_it_is_announced(
    stranger: Starter, storage: Storage, recorder: Recorder
) -> None:
    sizes: list[tuple[int, int]] = []

    def look(call: Call) -> Reply:
        if call.body.get("type") == "checkpoint" and call.body["data"]["kind"] == "best":
            sizes.append((len(read(storage, call.body["data"]["key"])), call.body["data"]["bytes"]))
        return Reply()

    recorder.reply = look
    stranger(EPOCHS=2).succeeds()
    assert sizes
    assert all(stored > 0 and told > 0 for stored, told in sizes)
    announced = {(event["data"]["kind"], event["data"]["key"]) for event in recorder.events("checkpoint")}
    assert announced == {("best", PREFIX + "best.pt"), ("last", PREFIX + "last.pt")}
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    stranger: Starter, storage: Storage, recorder: Recorder
) -> None:
    stranger(EPOCHS=4, JOB_ID=JOB + "whole").succeeds()
    stranger(EPOCHS=2, JOB_ID=JOB + "half").succeeds()
    recorder.taken.clear()
    stranger(EPOCHS=4, JOB_ID=JOB + "rest", RESUME_FROM=f"checkpoints/job-{JOB}half/last.pt").succeeds()
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [3, 4]
    whole, half, rest = (read(storage, f"checkpoints/job-{JOB}{name}/last.pt") for name in ("whole", "half", "rest"))
    assert whole == rest != half
    assert recorder.done()["checkpoint"] == f"checkpoints/job-{JOB}rest/best.pt"


def test_an_interrupted_run_goes_on_at_its_epoch(stranger: Starter, recorder: Recorder) -> None:
    run = in_the_middle(recorder, stranger)
    recorder.wait_for(lambda seen: [one for one in seen.events("checkpoint") if one["data"]["epoch"] >= 2])
    run.stop()
    run.end()
    reached = max(one["data"]["epoch"] for one in recorder.events("checkpoint") if one["data"]["kind"] == "last")
    recorder.taken.clear()
    resumed = stranger(EPOCHS=FOREVER, ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt")
    first = recorder.wait_for(lambda seen: seen.epochs())[0].body
    resumed.stop()
    resumed.end()
    assert first["epoch"] == reached + 1
    assert {call.body["attempt"] for call in recorder.taken} == {2}


def test_a_finished_checkpoint_is_trained_anew_and_it_says_so(stranger: Starter, recorder: Recorder) -> None:
    stranger(EPOCHS=6).succeeds()
    before = recorder.epochs()[0].body["metrics"]["train/loss"]
    recorder.taken.clear()
    run = stranger(EPOCHS=2, JOB_ID=JOB + "2", RESUME_FROM=PREFIX + "last.pt")
    run.succeeds()
    assert "had finished its 6 epochs" in run.stdout
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [1, 2]
    assert recorder.epochs()[0].body["metrics"]["train/loss"] < before


def test_a_checkpoint_of_another_dataset_is_refused(stranger: Starter, recorder: Recorder, storage: Storage) -> None:
    put(storage, "datasets/swapped.zip", renamed(stranger.folder / "swapped.zip", {"ball": "moon", "box": "brick"}))
    stranger(EPOCHS=1).succeeds()
    recorder.taken.clear()
    run = stranger(DATASET_ID="swapped", JOB_ID=JOB + "2", RESUME_FROM=PREFIX + "last.pt")
    assert run.end() == 2
    assert recorder.done()["error"]["message"].startswith("RESUME_FROM=")


def renamed(path: Path, names: dict[str, str]) -> bytes:
    """The shapes under other names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(pictures.class_folders(path)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            split, label, file = entry.split("/")
            new.writestr(f"{split}/{names[label]}/{file}", old.read(entry))
    return buffer.getvalue()


def test_another_dataset_gives_another_checkpoint_and_its_own_labels(
    stranger: Starter, storage: Storage, recorder: Recorder
) -> None:
    put(storage, "datasets/crossed.zip", renamed(stranger.folder / "crossed.zip", {"ball": "box", "box": "ball"}))
    put(storage, "inputs/ball.png", pictures.one_scene())
    found = {}
    for dataset in ("shapes", "crossed"):
        stranger(EPOCHS=8, DATASET_ID=dataset, JOB_ID=JOB + dataset).succeeds()
        checkpoint = f"checkpoints/job-{JOB}{dataset}/best.pt"
        run = predictor(stranger)(CHECKPOINT=checkpoint, INPUT="inputs/ball.png")
        assert run.end() == 0, run.stderr
        (one,) = json.loads(run.stdout.splitlines()[-1])["predictions"]
        found[dataset] = one["label"], read(storage, f"checkpoints/job-{JOB}{dataset}/last.pt")
    assert (found["shapes"][0], found["crossed"][0]) == ("ball", "box")
    assert found["shapes"][1] != found["crossed"][1]


def test_the_newest_epochs_are_kept(stranger: Starter, storage: Storage, recorder: Recorder) -> None:
    stranger(EPOCHS=3, KEEP_EPOCHS=2).succeeds()
    assert storage.has(PREFIX + "epoch-3.pt")
    stranger(EPOCHS=5, KEEP_EPOCHS=2, ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt").succeeds()
    assert sorted(storage.keys(PREFIX)) == [
        PREFIX + name for name in ("best.pt", "epoch-4.pt", "epoch-5.pt", "last.pt")
    ]
    assert read(storage, PREFIX + "epoch-5.pt") == read(storage, PREFIX + "last.pt")
    assert "epoch-5" in {event["data"]["kind"] for event in recorder.events("checkpoint")}


def test_the_same_pictures_are_shown_each_epoch(stranger: Starter, storage: Storage, recorder: Recorder) -> None:
    stranger(EPOCHS=8, SAMPLE_COUNT=3).succeeds()
    samples = [event["data"] for event in recorder.events("sample")]
    home = f"samples/job-{JOB}/"
    last = [one for one in samples if one["epoch"] == 8]
    assert sorted(one["index"] for one in last) == [0, 1, 2]
    for one in samples:
        assert one["key"] == f"{home}epoch-{one['epoch']}/{one['index']}.jpg"
        assert one["plain"] == f"{home}epoch-0/{one['index']}.jpg"
        assert {item["label"] for item in one["truth"] + one["found"]} <= {"ball", "box"}
        assert 0 <= one["found"][0]["confidence"] <= 1
    assert {(one["index"], one["truth"][0]["label"]) for one in samples} == {
        (one["index"], one["truth"][0]["label"]) for one in last
    }
    for one in last:
        drawn, plain = (Image.open(io.BytesIO(read(storage, one[name]))) for name in ("key", "plain"))
        assert (drawn.format, plain.format) == ("JPEG", "JPEG")
        red, green, _ = drawn.convert("RGB").getpixel((2, drawn.height // 2))  # type: ignore[misc]
        assert (green > red) == (one["truth"][0]["label"] == one["found"][0]["label"])
        red, green, blue = plain.convert("RGB").getpixel((2, plain.height // 2))  # type: ignore[misc]
        assert max(red, green, blue) < 140  # no frame on it: all its edges are dark


def test_without_samples_there_are_none(stranger: Starter, storage: Storage, recorder: Recorder) -> None:
    stranger(EPOCHS=2, SAMPLE_COUNT=0).succeeds()
    assert not recorder.events("sample")
    assert not storage.keys("samples/")


def test_a_timer_beats_while_the_dataset_is_on_its_way(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    gate_to_storage.set("hanging")
    run = stranger(MINIO_ENDPOINT=gate_to_storage.url, HEARTBEAT_SECONDS=0.1)
    beats = recorder.wait_for(lambda seen: [b for b in seen.heartbeats() if b["phase"] == "downloading"][3:])
    assert not beats[0].get("metrics")
    run.stop()
    assert run.end(10) == 143
    assert recorder.done()["status"] == "cancelled"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_cancels_a_run(
    stranger: Starter, recorder: Recorder, storage: Storage, number: int, code: int
) -> None:
    run = in_the_middle(recorder, stranger)
    for _ in range(5):
        if run.process.poll() is None:
            run.stop(number)
    assert run.end(10) == code
    assert recorder.done() == run.receipt()
    assert (recorder.done()["status"], recorder.done()["error"]) == ("cancelled", None)
    assert storage.has(PREFIX + "last.pt")


def test_the_backend_cancels_in_its_answer(stranger: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(cancel=call.kind == "heartbeat" and call.body.get("epoch") == 2)
    assert stranger(EPOCHS=FOREVER).end(20) == 143
    assert recorder.done()["status"] == "cancelled"


def test_a_signal_during_the_last_upload_cuts_it_short(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    def hang_after_the_download(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("hanging")
        return Reply()

    recorder.reply = hang_after_the_download
    run = stranger(EPOCHS=3, MINIO_ENDPOINT=gate_to_storage.url, HEARTBEAT_SECONDS=0.1)
    recorder.wait_for(lambda seen: [beat for beat in seen.heartbeats() if beat["phase"] == "uploading"])
    run.stop()
    assert run.end(15) == 143
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
    run.succeeds(30)
    assert len(recorder.arrived) == 1
    assert run.stdout.count("(401)") == 1
    assert run.receipt()["status"] == "succeeded"


def test_a_backend_that_stays_away_leaves_the_receipt(stranger: Starter, recorder: Recorder) -> None:
    recorder.down()
    run = stranger(FLUSH_SECONDS=1)
    run.succeeds(20)
    assert run.receipt()["status"] == "succeeded"
    assert "the receipt decides" in run.stdout


def test_without_addresses_it_trains_and_says_so(stranger: Starter, recorder: Recorder) -> None:
    run = stranger(BACKEND_BASE_URL=None, CALLBACK_TOKEN=None, JOB_ID=None)
    run.succeeds()
    assert "without callbacks and MLflow: no address is set" in run.stdout
    assert not recorder.arrived


def test_a_slow_backend_does_not_slow_the_training(stranger: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(delay=0.2)
    run = stranger(EPOCHS=5, SAMPLE_COUNT=0)
    recorder.wait_for(lambda seen: "epoch 5/5" in run.stdout)
    assert len(recorder.taken) <= 5, "training waited for the answers"
    run.succeeds()


def test_numbers_that_json_lacks_travel_as_text(stranger: Starter, recorder: Recorder) -> None:
    stranger(EPOCHS=2, LEARNING_RATE="1e308", BATCH_SIZE=1).succeeds()
    told = [value for beat in recorder.epochs() for value in beat.body["metrics"].values()]
    assert {"NaN", "Infinity"} & set(map(str, told))
    assert recorder.done()["metrics"] == recorder.epochs()[-1].body["metrics"]


def test_mlflow_is_told_params_metrics_and_the_end(stranger: Starter, recorder: Recorder, mlflow_url: str) -> None:
    job = f"{JOB}-{stranger.script.parent.name[8:]}"
    stranger(MLFLOW_TRACKING_URI=mlflow_url, MLFLOW_EXPERIMENT_NAME="project-strange", JOB_ID=job).succeeds()
    (told,) = recorder.events("mlflow_run")
    run = ask(mlflow_url, f"runs/get?run_id={told['data']['run_id']}")["run"]
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert (run["info"]["run_name"], run["info"]["status"]) == (f"job-{job}", "FINISHED")
    assert (tags["job_id"], tags["trace_id"]) == (job, TRACE)
    assert {"key": "epochs", "value": "3"} in run["data"]["params"]
    losses = [(call.body["epoch"], call.body["metrics"]["val/loss"]) for call in recorder.epochs()]
    assert history(mlflow_url, run["info"]["run_id"], "val/loss") == losses
    assert recorder.done()["mlflow_run_id"] == told["data"]["run_id"]
    recorder.taken.clear()
    stranger(MLFLOW_TRACKING_URI=mlflow_url, MLFLOW_EXPERIMENT_NAME="project-strange", JOB_ID=job, ATTEMPT=2).succeeds()
    assert recorder.done()["mlflow_run_id"] == told["data"]["run_id"]


def test_a_hanging_mlflow_does_not_stall_a_training(stranger: Starter, recorder: Recorder, mlflow_url: str) -> None:
    gate = Gate(mlflow_url, "hanging")
    run = stranger(MLFLOW_TRACKING_URI=gate.url, EPOCHS=20, FLUSH_SECONDS=2)
    recorder.wait_for(lambda seen: "epoch 20/20" in run.stdout, 15)
    run.succeeds(15)
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
    assert run.end(30) == 2
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
    assert run.end(30) == 1
    assert recorder.done()["status"] == "failed"
    assert said in recorder.done()["error"]["message"]
    assert "train." in recorder.done()["error"]["traceback"]  # train.py, train.go: where it failed
    assert not list(run.folder.rglob("escaped*"))


def test_pictures_without_a_split_are_split_by_the_seed(stranger: Starter, recorder: Recorder) -> None:
    stranger(DATASET_ID="unsplit", EPOCHS=1).succeeds()
    (ready,) = recorder.events("dataset_ready")
    assert (ready["data"]["train"], ready["data"]["val"]) == (48, 12)


def test_a_best_checkpoint_that_cannot_be_uploaded_fails_the_run(
    stranger: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    def shut_after_the_download(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("shut")
        return Reply()

    recorder.reply = shut_after_the_download
    run = stranger(MINIO_ENDPOINT=gate_to_storage.url, FLUSH_SECONDS=2, EPOCHS=20)
    assert run.end(30) == 1
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
        if call.body.get("epoch") == 20:
            gate_to_storage.set("open")
        return Reply()

    recorder.reply = shut_for_a_while
    stranger(MINIO_ENDPOINT=gate_to_storage.url, EPOCHS=20).succeeds()
    assert {event["data"]["kind"] for event in recorder.events("checkpoint")} == {"best", "last"}
    assert storage.has(recorder.done()["checkpoint"])


def test_a_storage_that_is_not_there_is_named_and_no_secret_is(stranger: Starter, recorder: Recorder) -> None:
    (port,) = free_ports(1)
    run = stranger(MINIO_ENDPOINT=f"http://127.0.0.1:{port}", MINIO_SECRET_KEY="secret-canary")
    assert run.end(30) == 1
    assert f"http://127.0.0.1:{port}" in recorder.done()["error"]["message"]
    run = stranger(MINIO_SECRET_KEY="secret-canary", JOB_ID=JOB + "2")
    assert run.end(30) == 1
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
    assert stranger(DATASET_ID="bulky", TMPDIR=small_disk).end(30) == 1
    assert list(small_disk.iterdir()) == []
    assert recorder.done()["error"]["type"] == "DiskFull"
    assert "no space is left on the disk" in recorder.done()["error"]["message"]


def test_the_same_storage_under_the_names_of_r2(stranger: Starter, storage: Storage) -> None:
    same = {"R2_ENDPOINT": "MINIO_ENDPOINT", "R2_BUCKET": "MINIO_BUCKET"}
    same |= {"R2_ACCESS_KEY_ID": "MINIO_ACCESS_KEY", "R2_SECRET_ACCESS_KEY": "MINIO_SECRET_KEY"}
    values = {name: storage.variables[other] for name, other in same.items()}
    stranger(**values, **dict.fromkeys(same.values()), STORAGE_TYPE="r2", EPOCHS=1).succeeds()
    assert storage.has(PREFIX + "best.pt")


def trained(stranger: Starter, storage: Storage) -> dict[str, str]:
    """A checkpoint, two pictures in the storage, and the variables to predict with."""
    stranger(EPOCHS=8).succeeds()
    with zipfile.ZipFile(pictures.class_folders(stranger.folder / "again.zip")) as bundle:
        for kind in ("ball", "box"):
            name = next(name for name in bundle.namelist() if name.startswith(f"val/{kind}"))
            put(storage, f"inputs/{kind}.png", bundle.read(name))
    return storage.variables | {"CHECKPOINT": PREFIX + "best.pt", "CONFIDENCE": "0.5"}


def test_predict_answers_with_one_json_object(stranger: Starter, storage: Storage) -> None:
    run = predictor(stranger)(**trained(stranger, storage), INPUT="inputs/ball.png, inputs/box.png")
    assert run.end() == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["count"] == 2
    found = [(one["input"], one["label"]) for one in answer["predictions"]]
    assert found == [("inputs/ball.png", "ball"), ("inputs/box.png", "box")]
    for one in answer["predictions"]:
        assert one["scores"].keys() == {"ball", "box"}
        assert one["confidence"] == one["scores"][one["label"]] >= 0.5
    sure = predictor(stranger)(CHECKPOINT=PREFIX + "best.pt", INPUT="inputs/ball.png", CONFIDENCE="1")
    assert sure.end() == 0
    assert json.loads(sure.stdout.splitlines()[-1])["count"] == 0


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"CHECKPOINT": None}, 2, "CHECKPOINT is not set"),
        ({"INPUT": " "}, 2, "INPUT is not set"),
        ({"CONFIDENCE": "2"}, 2, "CONFIDENCE=2 is not valid"),
        ({"CHECKPOINT": "checkpoints/none.pt"}, 1, "checkpoints/none.pt: it is not there"),
    ],
)
def test_predict_says_what_is_wrong(stranger: Starter, changes: dict[str, str | None], code: int, said: str) -> None:
    run = predictor(stranger)(**({"CHECKPOINT": "a", "INPUT": "b"} | changes))
    assert run.end() == code
    (line,) = run.stderr.splitlines()
    assert said in line


def test_a_warm_predictor_answers_a_line_with_a_line(stranger: Starter, storage: Storage) -> None:
    variables = trained(stranger, storage)
    put(storage, "inputs/broken.png", b"no picture")
    asking = predictor(stranger)
    temporary = stranger.folder / "warm-tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        asking.command or [asking.python, "-B", asking.script],
        env=variables | {"PREDICT_SERVE": "1", "PATH": os.environ["PATH"], "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout

    def say(**request: object) -> dict[str, Any]:
        process.stdin.write(json.dumps(request) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return json.loads(process.stdout.readline())  # type: ignore[union-attr]

    assert json.loads(process.stdout.readline()) == {"ready": True}
    both = say(id="1", input=["inputs/ball.png", "inputs/box.png"], confidence=None)
    assert (both["id"], both["count"], [one["label"] for one in both["predictions"]]) == ("1", 2, ["ball", "box"])
    assert both["seconds"] >= 0
    broken = say(id="2", input=["inputs/broken.png"], confidence=0.1)
    assert (broken["id"], broken["error"].keys()) == ("2", {"type", "message"})
    assert say(id="3", input=["inputs/missing.png"], confidence=None)["error"]["message"].count("it is not there")
    assert say(id="4", input=["inputs/ball.png"], confidence=1)["count"] == 0
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stdout.read() == ""
    process.stdout.close()
    assert list(temporary.iterdir()) == []
