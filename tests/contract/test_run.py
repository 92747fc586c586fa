"""A whole run of a trainer, from its first callback to its last line."""

import json
import re
import shutil
import zipfile
from pathlib import Path

from tests.contract import pictures
from tests.contract.conftest import MakeStarter, Storage
from tests.contract.running import JOB, MARK, TOKEN, Starter
from trainyard.conformance.recorder import Call, Recorder, Reply

PREFIX = f"checkpoints/job-{JOB}/"


def test_a_run_learns_and_tells_it_all(start: Starter, recorder: Recorder) -> None:
    run = start(EPOCHS=8)
    run.succeeds()
    calls = recorder.taken
    assert [call.seq for call in calls] == list(range(1, len(calls) + 1))
    assert {(call.job, call.token, call.body["attempt"]) for call in calls} == {(JOB, TOKEN, 1)}
    assert calls[0].body["type"] == "running"
    assert [beat.body["epoch"] for beat in recorder.epochs()] == list(range(1, 9))
    assert [beat.body["progress"] for beat in recorder.epochs()] == [epoch / 8 for epoch in range(1, 9)]
    for beat in recorder.epochs():
        assert beat.body["metrics"].keys() >= {"train/loss", "train/accuracy", "val/loss", "val/accuracy"}
    measured = recorder.events("validation")
    assert [event["data"]["epoch"] for event in measured] == list(range(1, 9))
    assert measured[-1]["data"]["metrics"]["val/accuracy"] > 0.9
    (ready,) = recorder.events("dataset_ready")
    assert ready["data"] == {"dataset_id": "shapes", "train": 48, "val": 12, "classes": ["ball", "box"]}
    done = recorder.done()
    assert (done["status"], done["checkpoint"], done["error"]) == ("succeeded", PREFIX + "best.pt", None)
    assert done == run.receipt()


def test_every_line_of_the_trainer_bears_its_trace(start: Starter) -> None:
    run = start(EPOCHS=2)
    run.succeeds()
    strangers = [line for line in (run.stdout + run.stderr).splitlines() if not line.startswith(MARK)]
    assert strangers == []


def test_a_checkpoint_is_complete_before_it_is_announced(start: Starter, storage: Storage, recorder: Recorder) -> None:
    sizes: list[tuple[int, int]] = []

    def look(call: Call) -> Reply:
        if call.body.get("type") == "checkpoint":
            data = call.body["data"]
            found = storage.client.head_object(Bucket=storage.bucket, Key=data["key"])
            sizes.append((found["ContentLength"], data["bytes"]))
        return Reply()

    recorder.reply = look
    start(EPOCHS=2).succeeds()
    assert sizes
    assert all(stored > 0 for stored, _ in sizes)
    announced = {(event["data"]["kind"], event["data"]["key"]) for event in recorder.events("checkpoint")}
    assert announced == {("best", PREFIX + "best.pt"), ("last", PREFIX + "last.pt")}
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]


def test_a_timer_beats_between_epochs_without_metrics(template: Starter, recorder: Recorder) -> None:
    run = template(EPOCHS=200000, HEARTBEAT_SECONDS=0.05, IMAGE_SIZE=256, BATCH_SIZE=1)  # slow epochs
    recorder.wait_for(lambda seen: len([b for b in seen.heartbeats() if not b.get("metrics") and b["epoch"]]) >= 3)
    run.stop()
    run.end()
    timers = [beat for beat in recorder.heartbeats() if not beat.get("metrics") and beat["epoch"]]
    assert {"training"} <= {beat["phase"] for beat in timers} <= {"training", "uploading"}


def test_pictures_without_a_split_are_split_by_the_seed(start: Starter, recorder: Recorder) -> None:
    start(DATASET_ID="unsplit", EPOCHS=1).succeeds()
    (ready,) = recorder.events("dataset_ready")
    assert (ready["data"]["train"], ready["data"]["val"]) == (48, 12)


def test_the_same_seed_gives_the_same_run(start: Starter, recorder: Recorder) -> None:
    first = start(EPOCHS=2)
    first.succeeds()
    recorder.taken.clear()
    second = start(EPOCHS=2)
    second.succeeds()
    assert first.receipt()["metrics"] == second.receipt()["metrics"]


def test_a_run_resumes_from_a_checkpoint(start: Starter, recorder: Recorder) -> None:
    start(EPOCHS=6).succeeds()
    before = recorder.epochs()[0].body["metrics"]["train/loss"]
    recorder.taken.clear()
    start(EPOCHS=6, JOB_ID=JOB + "2", RESUME_FROM=PREFIX + "last.pt").succeeds()
    assert recorder.epochs()[0].body["metrics"]["train/loss"] < before
    assert recorder.done()["checkpoint"] == f"checkpoints/job-{JOB}2/best.pt"


def test_an_interrupted_run_of_sklearn_goes_on_at_its_epoch(starter: MakeStarter, recorder: Recorder) -> None:
    start = starter("trainer-sklearn")
    run = start(EPOCHS=100000)
    recorder.wait_for(lambda seen: [event for event in seen.events("checkpoint") if event["data"]["epoch"] >= 2])
    run.stop()
    run.end()
    reached = max(event["data"]["epoch"] for event in recorder.events("checkpoint") if event["data"]["kind"] == "last")
    recorder.taken.clear()
    resumed = start(EPOCHS=100000, ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt")
    first = recorder.wait_for(lambda seen: seen.epochs())[0].body
    resumed.stop()
    resumed.end()
    assert (first["attempt"], first["epoch"]) == (2, reached + 1)


def test_early_stopping_ends_a_run_that_gets_no_better(starter: MakeStarter, recorder: Recorder) -> None:
    run = starter("trainer-sklearn")(EPOCHS=500, PARAM_PATIENCE=2)
    run.succeeds()
    assert 3 <= len(recorder.epochs()) < 500
    assert "stops early" in run.stdout


def test_a_shared_cache_serves_the_dataset_twice(template: Starter, storage: Storage, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    template(EPOCHS=1, DATASET_CACHE_DIR=cache).succeeds()
    (folder,) = cache.iterdir()
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    assert len(stamps) == 60
    template(EPOCHS=1, DATASET_CACHE_DIR=cache).succeeds()
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")} == stamps


def test_a_trainer_runs_by_hand_with_a_dotenv_alone(template: Starter, recorder: Recorder, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(template.script.parent, folder, ignore=shutil.ignore_patterns(".venv*"))
    wanted = {
        name: value for name, value in template.variables.items() if name.startswith(("MINIO", "STORAGE", "DATASET"))
    }
    lines = ["# settings of my own", *(f"export {name}='{value}'" for name, value in wanted.items()), "EPOCHS=1 # few"]
    (folder / ".env").write_text("\n".join(lines))
    run = Starter(template.python, folder / "train.py", tmp_path, {}, template.running)()
    assert run.end() == 0, run.stderr
    assert "without callbacks and MLflow: no address is set" in run.stdout
    assert '"status": "succeeded"' in run.stdout.splitlines()[-1]
    assert len(re.findall(r"epoch \d+/1 ", run.stdout)) == 1
    assert not recorder.arrived


def test_predict_answers_with_one_json_object(start: Starter, starter: MakeStarter, storage: Storage) -> None:
    start(EPOCHS=8).succeeds()
    with zipfile.ZipFile(pictures.class_folders(start.folder / "again.zip")) as bundle:
        for kind in ("ball", "box"):
            name = next(name for name in bundle.namelist() if name.startswith(f"val/{kind}"))
            storage.client.put_object(Bucket=storage.bucket, Key=f"inputs/{kind}.png", Body=bundle.read(name))
    predict = starter(start.script.parent.name, "predict.py")
    run = predict(CHECKPOINT=PREFIX + "best.pt", INPUT="inputs/ball.png,inputs/box.png", CONFIDENCE="0.5")
    assert run.end() == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["count"] == 2
    assert [(one["input"], one["label"]) for one in answer["predictions"]] == [
        ("inputs/ball.png", "ball"),
        ("inputs/box.png", "box"),
    ]


def test_the_same_storage_under_the_names_of_r2(template: Starter, storage: Storage) -> None:
    same = {"R2_ENDPOINT": "MINIO_ENDPOINT", "R2_BUCKET": "MINIO_BUCKET"}
    same |= {"R2_ACCESS_KEY_ID": "MINIO_ACCESS_KEY", "R2_SECRET_ACCESS_KEY": "MINIO_SECRET_KEY"}
    values = {name: storage.variables[other] for name, other in same.items()}
    template(**values, **dict.fromkeys(same.values()), STORAGE_TYPE="r2", EPOCHS=1).succeeds()
    assert storage.has(PREFIX + "best.pt")
