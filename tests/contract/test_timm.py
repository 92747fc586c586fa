"""trainer-timm on real, small trainings."""

import io
import json
import resource
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.contract import pictures
from tests.contract.conftest import MakeStarter, Storage, environment
from tests.contract.running import JOB, MARK, ROOT, Starter
from tests.real.s3server import free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Recorder, Reply

PREFIX = f"checkpoints/job-{JOB}/"
LEARNED = {"train/loss", "train/top1", "val/loss", "val/top1", "lr", "images/s"}
HUB_AWAY = {"HF_ENDPOINT": "http://127.0.0.1:9"}


@pytest.fixture
def start(starter: MakeStarter) -> Starter:
    made = starter("trainer-timm")
    made.variables |= {"MODEL_NAME": "test_resnet", "IMAGE_SIZE": "32", "PARAM_AUGMENT": "none", "OMP_NUM_THREADS": "1"}
    made.variables |= {"PARAM_PRETRAINED": "false", "EPOCHS": "2", "LEARNING_RATE": "0.01", **HUB_AWAY}
    return made


def test_a_run_tells_all_it_learns_and_its_checkpoint_predicts_cold_and_warm(
    start: Starter, starter: MakeStarter, recorder: Recorder, storage: Storage
) -> None:
    start.variables |= {"MLFLOW_TRACKING_URI": (start.folder / "tracked").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    run = start(EPOCHS=3, PARAM_WORKERS=2)
    run.succeeds()
    assert [(beat.body["epoch"], beat.body["epochs"]) for beat in recorder.epochs()] == [(1, 3), (2, 3), (3, 3)]
    for beat in recorder.epochs():
        assert beat.body["metrics"].keys() >= LEARNED
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == [1, 2, 3]
    (ready,) = recorder.events("dataset_ready")
    assert ready["data"] == {"dataset_id": "shapes", "train": 48, "val": 12, "classes": ["ball", "box"]}
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]
    sizes = {event["data"]["kind"]: event["data"]["bytes"] for event in recorder.events("checkpoint")}
    assert sizes["best"] < sizes["last"] / 2
    assert {(event["data"]["epoch"], event["data"]["index"]) for event in recorder.events("sample")} >= {(3, 0), (3, 3)}
    assert not recorder.events("warning")
    done = recorder.done()
    assert done == run.receipt()
    assert (done["status"], done["checkpoint"]) == ("succeeded", PREFIX + "best.pt")
    assert done["metrics"].keys() >= {"val/accuracy/ball", "val/accuracy/box"}
    assert done["metrics"]["val/top1"] == max(beat.body["metrics"]["val/top1"] for beat in recorder.epochs())
    (table,) = start.folder.glob("tracked/**/classes.json")
    counted = json.loads(table.read_text())
    right = sum(one["right"] for one in counted["classes"].values())
    assert right == pytest.approx(12 * done["metrics"]["val/top1"])
    assert right + sum(one["pictures"] for one in counted["mistaken"]) == 12
    with Image.open(table.with_name("confusion.png")) as picture:
        assert picture.width > 200
    assert run.stderr == ""

    storage.client.put_object(Bucket=storage.bucket, Key="inputs/one.png", Body=pictures.one_scene())
    predict = starter("trainer-timm", "predict.py")
    cold = predict(CHECKPOINT=PREFIX + "best.pt", INPUT="inputs/one.png")
    asked = predict.folder / "asked"
    asked.write_text('{"id": 1, "input": ["inputs/one.png"]}\n{"id": 2, "input": ["inputs/one.png"]}\n')
    warm = subprocess.run(
        [predict.python, "-B", predict.script],
        env=predict.variables | {"CHECKPOINT": PREFIX + "best.pt", "PREDICT_SERVE": "1", "HOME": str(predict.folder)},
        input=asked.read_text(),
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    assert cold.end(150) == 0, cold.stderr
    (found,) = json.loads(cold.stdout.splitlines()[-1])["predictions"]
    assert (found["input"], found["label"] in ("ball", "box")) == ("inputs/one.png", True)
    assert sum(found["scores"].values()) == pytest.approx(1, abs=0.001)
    ready, *answers = [json.loads(line) for line in warm.stdout.splitlines()]
    assert ready == {"ready": True}
    assert [(one["id"], one["predictions"]) for one in answers] == [(1, [found]), (2, [found])]


def tensors(storage: Storage, key: str) -> dict[str, bytes]:
    """The numbers in a checkpoint: weights and the optimizer's, by their place in it."""
    body = storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as bundle:
        return {name.partition("/")[2]: bundle.read(name) for name in bundle.namelist() if "/data/" in name}


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    chances = {"PARAM_AUGMENT": "rand", "PARAM_MIXUP": 0.2, "PARAM_CUTMIX": 1, "PARAM_DROP_RATE": 0.2}
    start.variables |= {name: str(value) for name, value in chances.items()}
    start.variables |= {"EPOCHS": "4", "PARAM_WARMUP_EPOCHS": "1", "PARAM_LABEL_SMOOTHING": "0.1"}
    whole = start(JOB_ID="whole", BACKEND_BASE_URL=None)
    recorder.reply = lambda call: Reply(cancel=call.is_epoch and call.body["epoch"] == 2)
    assert start().end() == 143
    assert recorder.done()["status"] == "cancelled"
    assert not any("train/top1" in beat.body["metrics"] for beat in recorder.epochs()), "no picture has one label"
    recorder.taken.clear()
    recorder.reply = lambda call: Reply()
    again = start(ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt", PARAM_WORKERS=2)
    again.succeeds()
    first = recorder.epochs()[0].body["epoch"]
    assert f"resumes {PREFIX}last.pt after epoch {first - 1} of 4, with its optimizer" in again.stdout
    assert first in (2, 3, 4)
    whole.succeeds()
    assert tensors(storage, "checkpoints/job-whole/last.pt") == tensors(storage, PREFIX + "last.pt")


def test_the_teams_weights_are_used_and_a_finished_run_gets_a_fresh_schedule(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    start(EPOCHS=3).succeeds()
    reached = recorder.done()["metrics"]
    assert reached["val/top1"] > 0.9
    source = {"Bucket": storage.bucket, "Key": PREFIX + "best.pt"}
    storage.client.copy_object(Bucket=storage.bucket, Key="weights/test_resnet.pt", CopySource=source)
    recorder.taken.clear()
    try:
        fresh = start(EPOCHS=3, JOB_ID="fresh", BACKEND_BASE_URL=None, RESUME_FROM=PREFIX + "last.pt")
        start.variables |= {"PARAM_FREEZE": "true", "LEARNING_RATE": "1e-9", "PARAM_PRETRAINED": "true"}
        run = start(EPOCHS=1, JOB_ID=JOB + "2")
        run.succeeds()
    finally:
        storage.client.delete_object(Bucket=storage.bucket, Key="weights/test_resnet.pt")
    assert "starts from weights/test_resnet.pt in the storage" in run.stdout
    assert not recorder.events("warning")
    assert recorder.done()["metrics"]["val/loss"] == pytest.approx(reached["val/loss"], rel=1e-4)
    fresh.succeeds()
    said = f"starts a fresh schedule of 3 epochs from the weights in {PREFIX}last.pt: its own is finished"
    assert said in fresh.stdout


PIECES = f"""
import os, sys
sys.path.insert(0, {str(ROOT / "trainer-timm")!r})
import train, model, torch, utils
from job import Job

def refused(call, *given):
    try:
        call(*given)
    except utils.BadConfiguration as error:
        return str(error)
    raise AssertionError("it was taken")

def look(job):
    for name, value, part in [
        ("MODEL_NAME", "resnet81", "did you mean resnet"),
        ("MODEL_NAME", "resnet18.a7_in1k", "timm knows it as resnet18.a1_in1k"),
        ("MODEL_NAME", "../../etc/passwd", "timm has no such model"),
        ("PARAM_FREEZE", "10", "PARAM_FREEZE=10 is not valid: it should be true, false"),
        ("TASK_TYPE", "detect", "TASK_TYPE=detect is not valid: it should be classify"),
    ]:
        before, os.environ[name] = os.getenv(name, ""), value
        text = refused(train.read_settings)
        assert part in text, text
        os.environ[name] = before
    for size in (32, 64):
        model.check_size(model.make("test_vit", 3, size), "test_vit", size)
    text = refused(model.check_size, model.make("test_vit", 3, 50), "test_vit", 50)
    assert "IMAGE_SIZE=50 does not fit test_vit (made for 160)" in text, text
    assert "IMAGE_SIZE=8 does not fit gmlp_s16_224" in refused(model.make, "gmlp_s16_224", 3, 8)
    os.environ["HF_HOME"] = str(job.folder / "hub")
    full = model.make("test_resnet", 1000, 32).state_dict()
    model.answers, model.download = lambda url: True, lambda known: full
    first = model.start(job, "test_resnet", 3, 32, 0, True, False).state_dict()
    model.download = lambda known: 1 / 0
    again = model.start(job, "test_resnet", 3, 32, 0, True, False).state_dict()
    assert all(torch.equal(first[name], again[name]) == (not name.startswith("fc.")) for name in first)
    assert first["fc.weight"].shape[0] == 3
    model.start(job, "test_convnext", 3, 32, 0, True, True)

Job().run(look)
"""


def test_names_sizes_and_the_hubs_weights_are_judged_and_kept(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    start.script = start.folder / "pieces.py"
    start.script.write_text(PIECES)
    try:
        run = start()
        run.succeeds()
        assert storage.keys("weights/") == ["weights/test_resnet.safetensors"]
    finally:
        storage.client.delete_object(Bucket=storage.bucket, Key="weights/test_resnet.safetensors")
    dropped = "; their head for 1000 classes is dropped, one for 3 learns anew"
    assert "starts from the hub's weights" + dropped in run.stdout
    assert "starts from weights/test_resnet.safetensors in the storage" + dropped in run.stdout
    assert "the hub does not give the weights of test_convnext: ZeroDivisionError" in run.stdout
    first, second = recorder.events("warning")
    assert "the head alone learns, upon layers that know nothing" in first["message"]
    assert "test_convnext starts from scratch" in second["message"]


def test_what_does_not_fit_is_named(start: Starter, recorder: Recorder) -> None:
    unknown = start(MODEL_NAME="resnet81", BACKEND_BASE_URL=None)
    boxes = start(DATASET_ID="boxes", JOB_ID="boxes")
    assert unknown.end(150) == 2
    (line,) = unknown.stderr.splitlines()
    assert line.startswith(MARK + "MODEL_NAME=resnet81 is not valid: timm has no such model; did you mean resnet")
    assert boxes.end(150) == 1
    assert "use trainer-ultralytics for this one" in recorder.done()["error"]["message"]


def test_a_hub_that_hangs_costs_a_few_seconds_and_is_told(start: Starter, recorder: Recorder) -> None:
    hub = Gate("http://127.0.0.1:9", mode="hanging")
    away = start(PARAM_PRETRAINED="true", EPOCHS=1, BACKEND_BASE_URL=None, JOB_ID="away")
    try:
        run = start(PARAM_PRETRAINED="true", HF_ENDPOINT=hub.url, JOB_ID="hangs")
        recorder.wait_for(lambda seen: seen.events("warning"))
        run.stop()
        assert run.end(60) == 143
    finally:
        hub.close()
    asked, told = (next(c.at for c in recorder.taken if c.name == name) for name in ("dataset_ready", "warning"))
    assert told - asked < 10
    assert "does not answer within 5 s" in run.stdout
    (warning,) = recorder.events("warning")
    assert "test_resnet starts from scratch" in warning["message"]
    assert "weights/test_resnet.safetensors" in warning["message"]
    away.succeeds()
    assert "does not answer" in away.stdout
    assert "WARNING test_resnet starts from scratch" in away.stdout


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def gone(processes: list[psutil.Process], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while alive(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(processes)


def test_a_cancel_in_an_epoch_and_a_kill_leave_no_worker(start: Starter, recorder: Recorder) -> None:
    start.variables |= {"EPOCHS": "3000", "PARAM_WORKERS": "2", "HEARTBEAT_SECONDS": "0.1"}
    run = start()
    beat = recorder.wait_for(lambda seen: [c for c in seen.taken if c.body.get("step") and not c.is_epoch])[0].body
    assert (beat["phase"], beat["epochs"]) in (("training", 3000), ("validating", 3000))
    assert 0 < beat["progress"] < 1
    workers = psutil.Process(run.process.pid).children(recursive=True)
    assert len(workers) >= 2
    run.stop()
    assert run.end(60) == 143
    done = recorder.done()
    assert (done["status"], done["error"]) == ("cancelled", None)
    assert gone(workers)
    recorder.taken.clear()
    run = start(JOB_ID="killed")
    recorder.wait_for(lambda seen: seen.epochs())
    workers = psutil.Process(run.process.pid).children(recursive=True)
    run.stop(signal.SIGKILL)
    run.process.wait()
    assert gone(workers)


def test_a_model_that_runs_away_fails_in_words_and_uploads_nothing(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    run = start(LEARNING_RATE=1e6, PARAM_OPTIMIZER="sgd", PARAM_SCHEDULE="constant", MODEL_NAME="test_vit")
    assert run.end(150) == 1
    (beat,) = recorder.epochs()
    assert beat.body["metrics"]["val/loss"] == "NaN"
    error = recorder.done()["error"]
    assert error["type"] == "FloatingPointError"
    assert "Lower LEARNING_RATE (1e+06)" in error["message"]
    assert not storage.keys(PREFIX)


TOGETHER = """
import sys
from torch.distributed.run import main
main(["--nproc-per-node", "2", "--master-port", "{port}", "--log-dir", {logs!r}, {script!r}])
"""
BROKEN = f"""
import os, sys
sys.path.insert(0, {str(ROOT / "trainer-timm")!r})
import train
from job import Job

good = train.learn
def learn(*given):
    if given[-1] == 2 and os.environ["RANK"] == "1":
        raise ArithmeticError("the second process is broken")
    return good(*given)

train.learn = learn
Job().run(train.train)
"""


def together(start: Starter, script: Path) -> None:
    """From here on it starts two processes of this script with torchrun."""
    (port,) = free_ports(1)
    start.script = start.folder / "together.py"
    start.script.write_text(TOGETHER.format(port=port, logs=str(start.folder / "logs"), script=str(script)))


def test_two_processes_train_one_model_and_one_speaks(start: Starter, recorder: Recorder, storage: Storage) -> None:
    together(start, start.script)
    recorder.reply = lambda call: Reply(cancel=call.job == "cancelled" and call.is_epoch)
    run = start(EPOCHS=3)
    run.succeeds()
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [1, 2, 3]
    assert recorder.done()["metrics"]["val/top1"] > 0.9
    assert run.stdout.count("settings: ") == 1
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]
    recorder.taken.clear()
    run = start(EPOCHS=3000, JOB_ID="cancelled")
    recorder.wait_for(lambda seen: seen.epochs())
    processes = psutil.Process(run.process.pid).children(recursive=True)
    began = time.monotonic()
    assert run.end(60) != 0
    assert time.monotonic() - began < 20
    assert (recorder.done()["status"], recorder.done()["error"]) == ("cancelled", None)
    assert gone(processes)


def test_what_breaks_in_the_second_process_is_the_runs_failure(start: Starter, recorder: Recorder) -> None:
    broken = start.folder / "broken.py"
    broken.write_text(BROKEN)
    together(start, broken)
    assert start(EPOCHS=3).end() != 0
    done = recorder.done()
    assert (done["status"], done["error"]["type"]) == ("failed", "ArithmeticError")
    assert "the second process is broken" in done["error"]["traceback"]


def test_a_small_model_learns_the_digits_within_a_minute(start: Starter, recorder: Recorder, storage: Storage) -> None:
    python = environment(ROOT / "trainer-sklearn" / "requirements.txt")
    digits = start.folder / "digits.zip"
    subprocess.run([python, ROOT / "trainer-sklearn" / "make_digits.py", digits], check=True, cwd=start.folder)
    storage.client.upload_file(str(digits), storage.bucket, "datasets/digits.zip")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = start(DATASET_ID="digits", EPOCHS=2, BATCH_SIZE=32, LEARNING_RATE=0.005, SEED=0)
    run.succeeds(180)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 60, "a minute of one core, however busy the machine is"
    metrics = recorder.done()["metrics"]
    assert metrics["val/top1"] > 0.8
    assert metrics["val/top5"] >= metrics["val/top1"]
    assert sum(name.startswith("val/accuracy/") for name in metrics) == 10
