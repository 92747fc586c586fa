"""trainer-ultralytics on real, small trainings of both tasks."""

import json

import pytest

from tests.contract import pictures
from tests.contract.conftest import MakeStarter, Storage
from tests.contract.running import JOB, MARK, ROOT, Starter
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Recorder, Reply

PREFIX = f"checkpoints/job-{JOB}/"
BOXES = {
    "train/box_loss",
    "train/cls_loss",
    "train/dfl_loss",
    "val/mAP50",
    "val/mAP50-95",
    "val/precision",
    "val/recall",
}


@pytest.fixture
def start(starter: MakeStarter) -> Starter:
    made = starter("trainer-ultralytics")
    made.variables.update(EPOCHS="2", IMAGE_SIZE="64", DATASET_ID="boxes")
    return made


def test_a_detector_trains_tells_and_predicts(
    start: Starter, starter: MakeStarter, recorder: Recorder, storage: Storage
) -> None:
    run = start()
    run.succeeds()
    assert [(beat.body["epoch"], beat.body["epochs"]) for beat in recorder.epochs()] == [(1, 2), (2, 2)]
    for beat in recorder.epochs():
        assert beat.body["metrics"].keys() >= BOXES | {"lr"}
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == [1, 2]
    (ready,) = recorder.events("dataset_ready")
    assert ready["data"] == {"dataset_id": "boxes", "train": 32, "val": 8, "classes": ["box", "ball"]}
    (warning,) = recorder.events("warning")
    assert "starts from scratch (yolo11n.yaml)" in warning["message"]
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]
    assert recorder.done() == run.receipt()
    assert (recorder.done()["status"], recorder.done()["checkpoint"]) == ("succeeded", PREFIX + "best.pt")
    assert not list(run.folder.rglob("hostile")), "data.yaml's download script ran"
    shown = [event["data"] for event in recorder.events("sample")]
    assert [(one["epoch"], one["index"]) for one in shown] == [(epoch, k) for epoch in (1, 2) for k in range(4)]
    assert [one["truth"] for one in shown[:4]] == [one["truth"] for one in shown[4:]]
    assert all(0 <= side <= 1 for one in shown for mark in one["truth"] for side in mark["box"])
    assert storage.keys("samples/") == sorted({one[name] for one in shown for name in ("key", "plain")})
    assert run.stderr == ""

    with (start.folder / "picture.png").open("w+b") as file:
        file.write(pictures.one_scene())
        file.seek(0)
        storage.client.put_object(Bucket=storage.bucket, Key="inputs/one.png", Body=file)
    predict = starter("trainer-ultralytics", "predict.py")
    answer = predict(CHECKPOINT=PREFIX + "best.pt", INPUT="inputs/one.png", CONFIDENCE="0.0001")
    assert answer.end(60) == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found["count"] == len(found["predictions"])
    assert all(one["label"] in ("box", "ball") and len(one["box"]) == 4 for one in found["predictions"])


def test_a_classifier_trains_from_the_teams_weights_and_resumes(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    variables = {"TASK_TYPE": "classify", "MODEL_NAME": "yolo11n-cls", "DATASET_ID": "unsplit"}
    start(**variables).succeeds()
    for beat in recorder.epochs():
        assert beat.body["metrics"].keys() >= {"train/loss", "val/loss", "val/top1", "val/top5", "lr"}
    assert recorder.events("dataset_ready")[0]["data"]["classes"] == ["ball", "box"]
    for event in recorder.events("sample"):
        assert event["data"]["truth"][0]["label"] in ("ball", "box")
        assert 0.5 <= event["data"]["found"][0]["confidence"] <= 1
    source = {"Bucket": storage.bucket, "Key": PREFIX + "best.pt"}
    storage.client.copy_object(Bucket=storage.bucket, Key="weights/yolo11n-cls.pt", CopySource=source)
    recorder.taken.clear()
    try:
        run = start(**variables, EPOCHS=1, JOB_ID=JOB + "2")
        run.succeeds()
    finally:
        storage.client.delete_object(Bucket=storage.bucket, Key="weights/yolo11n-cls.pt")
    assert "starts from weights/yolo11n-cls.pt in the storage" in run.stdout
    assert not recorder.events("warning")
    run = start(**variables, EPOCHS=1, JOB_ID=JOB + "3", RESUME_FROM=PREFIX + "last.pt")
    run.succeeds()
    assert "starts a fresh schedule of 1 epochs" in run.stdout


def test_a_signal_in_the_middle_of_an_epoch_cancels_and_its_checkpoint_resumes(
    start: Starter, recorder: Recorder
) -> None:
    run = start(EPOCHS=300, HEARTBEAT_SECONDS=0.2)
    recorder.wait_for(lambda seen: [e for e in seen.events("checkpoint") if e["data"]["kind"] == "last"], 120)
    seen = len(recorder.taken)
    recorder.wait_for(lambda now: [c for c in now.taken[seen:] if c.body.get("phase") == "training"])
    run.stop()
    assert run.end(60) == 143
    done = recorder.done()
    assert (done["status"], done["error"]) == ("cancelled", None)
    assert done == run.receipt()
    reached = max(event["data"]["epoch"] for event in recorder.events("checkpoint") if event["data"]["kind"] == "last")
    recorder.taken.clear()
    again = start(EPOCHS=300, ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt")
    first = recorder.wait_for(lambda now: now.epochs(), 120)[0].body
    again.stop()
    assert again.end(60) == 143
    assert first["epoch"] == reached + 1
    assert f"resumes {PREFIX}last.pt after epoch {reached} of 300" in again.stdout


def test_an_interrupted_run_ends_about_where_an_uninterrupted_one_does(start: Starter, recorder: Recorder) -> None:
    """About: its checkpoints hold the averaged weights in half precision, so no continuation can be exact."""
    start.variables.update(EPOCHS="4", LEARNING_RATE="0.002", PARAM_OPTIMIZER="AdamW")
    start(JOB_ID=JOB + "1").succeeds()
    straight = {beat.body["epoch"]: beat.body["metrics"] for beat in recorder.epochs()}
    recorder.taken.clear()
    recorder.reply = lambda call: Reply(cancel=call.body.get("epoch") == 2 and bool(call.body.get("metrics")))
    assert start(JOB_ID=JOB + "2").end() == 143
    recorder.reply = lambda call: Reply()
    recorder.taken.clear()
    start(JOB_ID=JOB + "3", RESUME_FROM=f"checkpoints/job-{JOB}2/last.pt").succeeds()
    resumed = {beat.body["epoch"]: beat.body["metrics"] for beat in recorder.epochs()}
    assert list(resumed)[-1] == 4
    for epoch, metrics in resumed.items():
        assert metrics["lr"] == pytest.approx(straight[epoch]["lr"])
        for name in ("train/box_loss", "train/cls_loss", "train/dfl_loss"):
            assert metrics[name] == pytest.approx(straight[epoch][name], rel=0.1), (epoch, name)
    assert recorder.events("checkpoint")[0]["data"]["epoch"] is None, "the best of before"
    recorder.taken.clear()
    other = start(JOB_ID=JOB + "4", RESUME_FROM=f"checkpoints/job-{JOB}2/last.pt", LEARNING_RATE="0.001")
    assert recorder.wait_for(lambda now: now.epochs(), 120)[0].body["epoch"] == 1
    other.stop()
    assert other.end(60) == 143
    assert "starts a fresh schedule of 4 epochs" in other.stdout and "planned with lr0=0.002" in other.stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MODEL_NAME": "../../etc/passwd"}, "MODEL_NAME="),
        ({"TASK_TYPE": "classify", "MODEL_NAME": "yolo11n"}, "MODEL_NAME=yolo11n is not valid: task classify"),
        ({"PARAM_OPTIMIZER": "magic"}, "PARAM_OPTIMIZER=magic is not valid: it should be auto, SGD, AdamW"),
    ],
    ids=["path", "task", "optimizer"],
)
def test_a_bad_variable_ends_it_before_torch_is_loaded(start: Starter, changes: dict[str, str], said: str) -> None:
    run = start(**changes)
    assert run.end(60) == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(MARK + said)


@pytest.mark.parametrize(
    ("task", "dataset", "said"),
    [
        ("detect", "shapes", "task detect needs a YOLO dataset"),
        ("classify", "boxes", "this dataset is for task detect"),
    ],
)
def test_a_dataset_of_the_other_task_is_named(
    start: Starter, recorder: Recorder, task: str, dataset: str, said: str
) -> None:
    model = "yolo11n" if task == "detect" else "yolo11n-cls"
    assert start(TASK_TYPE=task, MODEL_NAME=model, DATASET_ID=dataset).end() == 1
    assert said in recorder.done()["error"]["message"]


FROM_A_HUB = f"""
import sys
sys.path.insert(0, {str(ROOT / "trainer-ultralytics")!r})
import requests, train, utils
from job import Job

def weigh(job):
    ultralytics = train.load_ultralytics(job.folder)
    from ultralytics.utils import downloads
    requests.head = lambda *_, **__: None
    downloads.attempt_download_asset = lambda path, **_: ultralytics.YOLO("yolo11n.yaml").save(path)
    first = train.find_weights(job, "yolo11n")
    first.rename(job.folder / "first.pt")
    assert train.find_weights(job, "yolo11n").read_bytes() == (job.folder / "first.pt").read_bytes()
    downloads.attempt_download_asset = lambda path, **_: path.write_bytes(b"half of it")
    train.find_weights(job, "yolo11s")

Job().run(weigh)
"""


def test_what_the_hub_gave_is_kept_for_the_next_run_if_it_is_whole(start: Starter, storage: Storage) -> None:
    start.script = start.folder / "weigh.py"
    start.script.write_text(FROM_A_HUB)
    try:
        run = start()
        run.succeeds()
        assert storage.keys("weights/") == ["weights/yolo11n.pt"]
    finally:
        storage.client.delete_object(Bucket=storage.bucket, Key="weights/yolo11n.pt")
    assert "starts from weights/yolo11n.pt in the storage" in run.stdout
    assert "could not keep weights/yolo11s.pt" in run.stdout


def test_a_hub_that_hangs_does_not_hold_up_the_run(start: Starter, recorder: Recorder) -> None:
    hub = Gate("http://127.0.0.1:9", mode="hanging")
    try:
        run = start(HTTPS_PROXY=hub.url, NO_PROXY="127.0.0.1", EPOCHS=1)
        recorder.wait_for(lambda seen: seen.events("warning"), 90)
        run.stop()
        assert run.end(60) == 143
    finally:
        hub.close()
