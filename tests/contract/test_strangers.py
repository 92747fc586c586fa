"""Trainers that hold none of our code keep the whole contract: one in Python's standard library alone, one in Go."""

import io
import json
import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.contract import pictures
from tests.contract.conftest import Storage
from tests.contract.running import JOB, MARK, TOKEN, TRACE, Starter
from tests.contract.test_mlflow import ask, history
from tests.real.go import built_trainer
from trainyard.conformance.recorder import Call, Recorder, Reply
from trainyard.contract.manifest import read_manifest

PREFIX = f"checkpoints/job-{JOB}/"
FOREVER = 1_000_000


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
    recorder.taken.clear()
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


def test_pictures_without_a_split_are_split_by_the_seed(stranger: Starter, recorder: Recorder) -> None:
    stranger(DATASET_ID="unsplit", EPOCHS=1).succeeds()
    (ready,) = recorder.events("dataset_ready")
    assert (ready["data"]["train"], ready["data"]["val"]) == (48, 12)


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
    assert process.wait(60) == 0
    assert process.stdout.read() == ""
    process.stdout.close()
    assert list(temporary.iterdir()) == []
