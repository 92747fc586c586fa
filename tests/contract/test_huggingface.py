"""trainer-huggingface on real, small trainings: from nothing, from weights, resumed, and as two processes."""

import io
import json
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import MakeStarter, Storage, environment
from tests.contract.running import JOB, MARK, ROOT, TOKEN, TRACE, Run, Starter
from trainyard.conformance.gate import Gate
from trainyard.conformance.pictures import class_folders
from trainyard.conformance.recorder import Call, Recorder, Reply

PREFIX = f"checkpoints/job-{JOB}/"
TRAINER = ROOT / "trainer-huggingface"
SMALL = {
    "MODEL_NAME": "vit-tiny",
    "IMAGE_SIZE": "32",
    "LEARNING_RATE": "0.001",
    "EPOCHS": "3",
    "OMP_NUM_THREADS": "1",  # these models are too small for more
    "HTTPS_PROXY": "http://127.0.0.1:9",  # no hub
}
MODEL_FILES = ["config.json", "model.safetensors", "preprocessor_config.json", "run.json"]


@dataclass
class Trained:
    """A run to its end, and the checkpoints that it left."""

    run: Run
    recorder: Recorder
    best: bytes
    last: bytes

    @property
    def epochs(self) -> list[dict[str, float]]:
        return [beat.body["metrics"] for beat in self.recorder.epochs()]


@pytest.fixture(scope="module")
def trained(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    recorder, job = Recorder().up(), "hf-trained"
    variables = {"TRACE_ID": TRACE, "BACKEND_BASE_URL": recorder.url, "CALLBACK_TOKEN": TOKEN, "JOB_ID": job}
    variables |= {"DATASET_ID": "shapes", "BATCH_SIZE": "8", "SEED": "1"}
    python = environment(TRAINER / "requirements.txt")
    folder = tmp_path_factory.mktemp("trained")
    run = Starter(python, TRAINER / "train.py", folder, storage.variables | variables | SMALL, [])()
    run.succeeds(180)
    recorder.close()
    assert not recorder.problems
    return Trained(
        run, recorder, get(storage, f"checkpoints/job-{job}/best.pt"), get(storage, f"checkpoints/job-{job}/last.pt")
    )


@pytest.fixture
def start(starter: MakeStarter, storage: Storage) -> Iterator[Starter]:
    made = starter("trainer-huggingface")
    made.variables.update(SMALL)
    yield made
    for key in storage.keys("weights/"):
        storage.client.delete_object(Bucket=storage.bucket, Key=key)


def get(storage: Storage, key: str) -> bytes:
    return storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()


def put(storage: Storage, key: str, body: bytes) -> None:
    storage.client.put_object(Bucket=storage.bucket, Key=key, Body=body)


def files(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, body in content.items():
            bundle.writestr(name, body)
    return buffer.getvalue()


def fails(run: Run, said: str, code: int = 2, seconds: float = 120) -> None:
    assert run.end(seconds) == code, run.stdout[-2000:]
    if code == 2:
        (line,) = run.stderr.splitlines()
        assert line.startswith(MARK)
    assert said in run.stderr


def test_it_learns_from_nothing_and_tells_it_all(trained: Trained) -> None:
    told = trained.recorder
    assert [(beat.body["epoch"], beat.body["epochs"]) for beat in told.epochs()] == [(1, 3), (2, 3), (3, 3)]
    assert all(one.keys() == {"train/loss", "val/loss", "val/accuracy", "lr"} for one in trained.epochs)
    assert {beat.body["step"] for beat in told.epochs()} == {None}, "an epoch's metrics belong to the epoch"
    assert trained.epochs[-1]["train/loss"] < trained.epochs[0]["train/loss"] / 2
    assert trained.epochs[-1]["val/accuracy"] > 0.9
    assert [event["data"]["epoch"] for event in told.events("validation")] == [1, 2, 3]
    (ready,) = told.events("dataset_ready")
    assert ready["data"] == {"dataset_id": "shapes", "train": 48, "val": 12, "classes": ["ball", "box"]}
    assert told.events("warning") == [], "vit-tiny is made to start from nothing"
    shown = [event["data"] for event in told.events("sample")]
    assert {(one["epoch"], one["index"]) for one in shown} >= {(3, 0), (3, 1), (3, 2), (3, 3)}
    assert all(one["truth"][0]["label"] in ("ball", "box") and one["found"][0]["confidence"] for one in shown)
    assert told.done() == trained.run.receipt()
    assert told.done()["metrics"] == max(trained.epochs, key=lambda one: one["val/accuracy"])
    assert sorted(files(trained.best)) == MODEL_FILES
    assert files(trained.last).keys() > {*MODEL_FILES, "optimizer.pt", "scheduler.pt", "rng_state.pth"}
    assert "training_args.bin" not in files(trained.last), "a pickle that nothing reads"


def test_it_leaves_nothing_behind_and_prints_nothing_of_its_libraries(trained: Trained) -> None:
    assert sorted(path.name for path in trained.run.folder.iterdir()) == ["stderr", "stdout", "tmp"]
    strangers = [line for line in trained.run.stdout.splitlines() if not line.startswith(MARK)]
    assert (strangers, trained.run.stderr) == ([], "")


def test_a_cancelled_run_goes_on_to_the_very_weights_of_one_that_was_not(
    trained: Trained, start: Starter, recorder: Recorder, storage: Storage
) -> None:
    asked: list[float] = []

    def cancel(call: Call) -> Reply:
        if call.is_epoch:
            asked.append(time.monotonic())
        return Reply(cancel=call.is_epoch)

    recorder.reply = cancel
    run = start()
    assert run.end() == 143
    assert time.monotonic() - asked[0] < 20, "the end takes seconds, on a busy machine too"
    assert (recorder.done()["status"], recorder.done()["error"]) == ("cancelled", None)
    reached = recorder.epochs()[-1].body["epoch"]
    assert reached < 3
    recorder.taken.clear()
    recorder.reply = lambda _: Reply()
    again = start(ATTEMPT=2, RESUME_FROM=PREFIX + "last.pt")
    again.succeeds()
    assert f"resumes {PREFIX}last.pt after epoch {reached} of 3" in again.stdout
    assert [beat.body["metrics"] for beat in recorder.epochs()] == trained.epochs[reached:]
    finished, whole = files(get(storage, PREFIX + "last.pt")), files(trained.last)
    assert finished["model.safetensors"] == whole["model.safetensors"]
    assert finished["scheduler.pt"] == whole["scheduler.pt"]


def test_a_finished_run_is_trained_further_on_a_fresh_schedule(
    trained: Trained, start: Starter, recorder: Recorder, storage: Storage
) -> None:
    put(storage, PREFIX + "last.pt", trained.last)
    run = start(EPOCHS=1, IMAGE_SIZE=48, RESUME_FROM=PREFIX + "last.pt")  # at another size: places are interpolated
    run.succeeds()
    assert (
        f"starts a fresh schedule of 1 epochs from the weights in {PREFIX}last.pt: it has finished its 3" in run.stdout
    )
    assert recorder.epochs()[0].body["metrics"]["train/loss"] < trained.epochs[0]["train/loss"]
    assert recorder.events("warning") == []


def test_a_checkpoint_of_another_model_or_of_other_classes_is_refused(
    trained: Trained, start: Starter, storage: Storage
) -> None:
    put(storage, PREFIX + "last.pt", trained.last)
    fails(start(RESUME_FROM=PREFIX + "last.pt", MODEL_NAME="resnet-tiny"), "it is vit-tiny with the classes")
    content = files(trained.last)
    other = json.loads(content["run.json"]) | {"classes": ["cat", "dog"]}
    put(storage, PREFIX + "last.pt", zipped(content | {"run.json": json.dumps(other).encode()}))
    fails(start(RESUME_FROM=PREFIX + "last.pt"), "with the classes ['cat', 'dog']")


def test_the_teams_weights_come_first_and_patience_ends_what_gets_no_better(
    trained: Trained, start: Starter, recorder: Recorder, storage: Storage
) -> None:
    named = {f"my model/{name}": body for name, body in files(trained.best).items()}  # the zip of a folder
    put(storage, "weights/vit-tiny.zip", zipped(named | {"my model/../../escaped.json": b"{}"}))
    run = start(EPOCHS=9, LEARNING_RATE="1e-9", PARAM_PATIENCE=1)
    run.succeeds()
    assert "starts from weights/vit-tiny.zip in the storage" in run.stdout
    assert recorder.epochs()[0].body["metrics"]["val/accuracy"] == max(one["val/accuracy"] for one in trained.epochs)
    assert len(recorder.epochs()) == 2
    assert "stops early" in run.stdout
    assert not list(run.folder.parent.rglob("escaped.json"))


def test_a_model_that_runs_away_fails_in_words_and_uploads_nothing(
    trained: Trained, start: Starter, recorder: Recorder, storage: Storage
) -> None:
    content = files(trained.best)
    content["model.safetensors"] = content["model.safetensors"][:-400] + b"\0\0\xc0\x7f" * 100  # NaN
    put(storage, "weights/vit-tiny.zip", zipped(content))
    fails(start(), "after epoch 1 val/loss is nan: the model has run away", 1, 120)
    (beat,) = recorder.epochs()
    assert beat.body["metrics"]["val/loss"] == "NaN"
    error = recorder.done()["error"]
    assert (error["type"], "Lower LEARNING_RATE (0.001)" in error["message"]) == ("FloatingPointError", True)
    assert not storage.keys(PREFIX)


def test_weights_that_are_a_pickle_are_refused(start: Starter, storage: Storage) -> None:
    put(storage, "weights/vit-tiny.zip", zipped({"config.json": b"{}", "pytorch_model.bin": b"cos\nsystem"}))
    fails(start(), "weights/vit-tiny.zip can't be used: pytorch_model.bin in it is a pickle, which can run", 1)


def test_a_hub_that_hangs_costs_seconds_and_the_model_starts_from_scratch(start: Starter, recorder: Recorder) -> None:
    hub = Gate("http://127.0.0.1:9", mode="hanging")
    try:
        run = start(HTTPS_PROXY=hub.url, MODEL_NAME="facebook/deit-tiny-patch16-224", EPOCHS=1)
        run.succeeds()
    finally:
        hub.close()
    assert hub.kept_waiting, "it did not ask"
    calls = {call.name: call.at for call in recorder.taken}
    assert calls["warning"] - calls["dataset_ready"] < 8
    (warning,) = recorder.events("warning")
    assert "starts from scratch: its pretrained weights are not in the storage, and the hub can't" in warning["message"]
    assert "`trainyard weights add` puts weights into the storage, as weights/facebook--deit-tiny" in warning["message"]


def test_a_model_that_cannot_be_built_without_a_hub_says_what_to_do(start: Starter) -> None:
    run = start(MODEL_NAME="google/siglip2-base-patch16-224")
    fails(run, "MODEL_NAME=google/siglip2-base-patch16-224 can't be had: the hub can't be reached")
    assert "trainyard weights add" in run.stderr and "vit-tiny" in run.stderr
    fails(start(MODEL_NAME="nobody/knows", PARAM_PRETRAINED="false"), "MODEL_NAME=nobody/knows can't be had")


class Hub(ThreadingHTTPServer):
    """As much of the hub as its own client needs."""

    def __init__(self, content: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.content, self.asked = content, list[str]()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _Page(BaseHTTPRequestHandler):
    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride] - what serves us is always ours

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.path} {self.headers.get('User-Agent', '')}")
        listing = json.dumps({"id": "team/ours", "siblings": [{"rfilename": name} for name in self.server.content]})
        found = self.server.content.get(self.path.rsplit("/", 1)[-1], listing.encode())
        self.send_response(200)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{len(found)}-{self.path}"')
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(found)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_what_the_hub_gave_is_kept_for_the_next_run(
    trained: Trained, start: Starter, recorder: Recorder, storage: Storage
) -> None:
    content = {name: body for name, body in files(trained.best).items() if name != "run.json"}
    hub = Hub(content | {"pytorch_model.bin": b"a pickle", "modeling_ours.py": b"import os"})
    try:
        run = start(MODEL_NAME="team/ours", HF_ENDPOINT=hub.url, EPOCHS=1)
        run.succeeds()
        assert "starts from the hub's team/ours" in run.stdout
        assert recorder.epochs()[0].body["metrics"]["train/loss"] < trained.epochs[0]["train/loss"]
        assert files(get(storage, "weights/team--ours.zip")) == content
        assert not [one for one in hub.asked if "pickle" in one or "modeling" in one or ".bin" in one]
        hub.content = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}
        pickled = start(MODEL_NAME="team/old", HF_ENDPOINT=hub.url)
        fails(pickled, "the hub's team/old has no safetensors, and pickles are refused")
    finally:
        hub.shutdown()
        hub.server_close()


def test_a_batch_of_one_picture_and_every_other_knob(start: Starter, recorder: Recorder) -> None:
    knobs: dict[str, Any] = {"PARAM_AUGMENT": "strong", "PARAM_SCHEDULE": "linear", "PARAM_LABEL_SMOOTHING": "0.1"}
    knobs |= {"PARAM_PRECISION": "bf16", "PARAM_FREEZE": "true", "PARAM_WEIGHT_DECAY": "0.1"}
    # 48 pictures in batches of 47: the last one alone would stop the batch norms at this size
    run = start(**knobs, MODEL_NAME="resnet-tiny", IMAGE_SIZE=16, BATCH_SIZE=47, EPOCHS=1)
    run.succeeds()
    assert "on the CPU in bf16" in run.stdout
    assert len(recorder.epochs()) == 1
    (warning,) = recorder.events("warning")
    assert "freeze leaves all but the head as it is" in warning["message"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MODEL_NAME": "../../etc/passwd"}, "MODEL_NAME=../../etc/passwd is not valid"),
        ({"TASK_TYPE": "detect"}, "TASK_TYPE=detect is not valid: it should be one of classify"),
        ({"PARAM_FREEZE": "maybe"}, "PARAM_FREEZE=maybe is not valid: it should be one of true, false"),
        ({"PARAM_WARMUP_RATIO": "3"}, "PARAM_WARMUP_RATIO=3 is not valid"),
    ],
    ids=["path", "task", "freeze", "warmup"],
)
def test_a_bad_variable_ends_it_before_torch_is_loaded(start: Starter, changes: dict[str, Any], said: str) -> None:
    fails(start(**changes), said)


def test_a_size_that_the_model_does_not_take_is_named(start: Starter) -> None:
    run = start(MODEL_NAME="microsoft/swin-tiny-patch4-window7-224", IMAGE_SIZE=64, PARAM_PRETRAINED="false")
    fails(run, "IMAGE_SIZE=64 does not fit microsoft/swin-tiny-patch4-window7-224", seconds=60)


def test_a_dataset_with_boxes_is_one_for_another_trainer(start: Starter, recorder: Recorder) -> None:
    fails(start(DATASET_ID="boxes"), "this is a detection dataset", 1)
    assert "or use trainer-ultralytics" in recorder.done()["error"]["message"]


def test_a_predictor_answers_once_or_stays_for_more(
    trained: Trained, starter: MakeStarter, start: Starter, storage: Storage
) -> None:
    put(storage, PREFIX + "best.pt", trained.best)
    with zipfile.ZipFile(class_folders(start.folder / "again.zip")) as bundle:
        for kind in ("ball", "box"):
            name = next(name for name in bundle.namelist() if name.startswith(f"val/{kind}"))
            put(storage, f"inputs/{kind}.png", bundle.read(name))
    put(storage, "inputs/text.png", b"no picture")
    predict = starter("trainer-huggingface", "predict.py")
    predict.variables.update(SMALL, CHECKPOINT=PREFIX + "best.pt")
    once = predict(INPUT="inputs/ball.png,inputs/box.png")
    assert once.end() == 0, once.stderr
    (line,) = once.stdout.splitlines()
    found = json.loads(line)
    assert [one["label"] for one in found["predictions"]] == ["ball", "box"]
    assert all(sum(one["scores"].values()) == pytest.approx(1, abs=0.001) for one in found["predictions"])

    asked = [{"id": 1, "input": ["inputs/box.png"]}, {"id": 2, "input": ["inputs/text.png"]}]
    asked += [{"id": 3, "input": ["inputs/ball.png"], "confidence": 1.0}]
    served = subprocess.run(
        [predict.python, "-B", predict.script],
        input="".join(json.dumps(one) + "\n" for one in asked),
        env=predict.variables | {"PREDICT_SERVE": "1", "HOME": str(start.folder), "TMPDIR": str(start.folder)},
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    ready, box, broken, unsure = [json.loads(line) for line in served.stdout.splitlines()]
    assert ready == {"ready": True}
    assert box["predictions"] == [one for one in found["predictions"] if one["label"] == "box"]
    assert "can't be read as a picture" in broken["error"]["message"]
    assert (unsure["id"], unsure["count"]) == (3, 0)


TORCHRUN = """
import os, sys
torchrun = [sys.executable, "-B", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
torchrun += ["--log-dir=logs"]  # else it leaves a folder in the temporary one
os.execv(sys.executable, [*torchrun, {script!r}])
"""


@pytest.fixture
def torchrun(start: Starter) -> Starter:
    """Starts trainings as two processes; the model is small, the time goes into their imports."""
    launcher = start.folder / "torchrun.py"
    launcher.write_text(TORCHRUN.format(script=str(start.script)))
    return Starter(start.python, launcher, start.folder, start.variables, start.running)


def test_two_processes_train_one_model_and_one_of_them_speaks(
    torchrun: Starter, recorder: Recorder, storage: Storage
) -> None:
    run = torchrun(EPOCHS=2)
    run.succeeds(180)
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [1, 2]
    assert len([call for call in recorder.taken if call.kind == "done"]) == 1
    assert recorder.done()["status"] == "succeeded"
    saved = files(get(storage, PREFIX + "last.pt"))
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= saved.keys(), "a resumed run needs the chance of both"
    assert json.loads(saved["run.json"])["plan"]["processes"] == 2
    assert json.loads(saved["trainer_state.json"])["global_step"] == 12, "48 pictures twice, 8 a step of both together"


def test_cancelling_ends_both_processes(torchrun: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(cancel=call.is_epoch)
    run = torchrun(EPOCHS=500)
    assert run.end() != 0
    assert recorder.done()["status"] == "cancelled"
    assert len(recorder.epochs()) < 5


FAILING = f"""
import os, sys
sys.path.insert(0, {str(TRAINER)!r})
import train
from job import Job

class OutOfCoffee(Exception):
    pass

def training(job):
    import transformers
    def on_epoch_end(self, args, state, control, **_):
        if os.environ["RANK"] == "1":
            raise OutOfCoffee("the second process has had enough")
    transformers.TrainerCallback.on_epoch_end = on_epoch_end
    train.train(job)

Job().run(training)
"""


def test_a_failure_in_the_second_process_is_the_runs(torchrun: Starter, recorder: Recorder, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    torchrun.script.write_text(TORCHRUN.format(script=str(script)))
    run = torchrun()
    assert run.end() != 0
    done = recorder.done()
    assert (done["status"], done["error"]["type"]) == ("failed", "OutOfCoffee"), done["error"]
    assert "the second process has had enough" in done["error"]["traceback"]
