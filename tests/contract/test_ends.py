"""How a run ends when it doesn't succeed: cancelled, badly configured, or with a dataset that is none."""

import signal

import pytest

from tests.contract.conftest import MakeProbe, MakeStarter, Storage
from tests.contract.running import JOB, MARK, TOKEN, Run, Starter
from tests.real.s3server import free_ports
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply


def in_the_middle(recorder: Recorder, start: Starter) -> Run:
    """A run that would go on for hours, and has its second epoch behind it."""
    run = start(EPOCHS=1_000_000)
    recorder.wait_for(lambda seen: len(seen.epochs()) >= 2)
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_cancels_a_run(start: Starter, recorder: Recorder, number: int, code: int) -> None:
    run = in_the_middle(recorder, start)
    run.stop(number)
    assert run.end(60) == code
    assert recorder.done() == run.receipt()
    assert (recorder.done()["status"], recorder.done()["error"]) == ("cancelled", None)


def test_a_signal_while_a_run_starts_cancels_it(template: Starter, recorder: Recorder) -> None:
    run = template(EPOCHS=1_000_000)
    recorder.wait_for(lambda seen: seen.events("running"))
    run.stop()
    assert run.end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_many_signals_are_one_cancel(template: Starter, recorder: Recorder) -> None:
    run = in_the_middle(recorder, template)
    for _ in range(20):
        if run.process.poll() is None:
            run.stop()
    assert run.end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_the_backend_cancels_in_its_answer(start: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(cancel=call.kind == "heartbeat" and call.body.get("epoch") == 2)
    run = start(EPOCHS=1_000_000)
    assert run.end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_a_cancelled_run_keeps_the_checkpoints_it_sent(start: Starter, recorder: Recorder, storage: Storage) -> None:
    run = start(EPOCHS=1_000_000)
    recorder.wait_for(lambda seen: seen.events("checkpoint"))
    run.stop()
    run.end(60)
    assert recorder.done()["checkpoint"] == f"checkpoints/job-{JOB}/best.pt"
    assert storage.has(recorder.done()["checkpoint"])


@pytest.mark.parametrize(
    ("changes", "variable", "wanted"),
    [
        ({"DATASET_ID": None}, "DATASET_ID", "the id of a dataset"),
        ({"DATASET_ID": "  "}, "DATASET_ID", "the id of a dataset"),
        ({"EPOCHS": "many"}, "EPOCHS", "a whole number from 1"),
        ({"EPOCHS": "0"}, "EPOCHS", "a whole number from 1"),
        ({"LEARNING_RATE": "nan"}, "LEARNING_RATE", "a number from"),
        ({"IMAGE_SIZE": "100000"}, "IMAGE_SIZE", "from 4 to 256"),
        ({"STORAGE_TYPE": "ftp"}, "STORAGE_TYPE", "minio (any S3 server) or r2"),
        ({"MINIO_SECRET_KEY": None}, "MINIO_SECRET_KEY", "its secret key"),
        ({"STORAGE_TYPE": "r2"}, "R2_ENDPOINT", "the storage's address"),
        ({"HEARTBEAT_SECONDS": "soon"}, "HEARTBEAT_SECONDS", "a number from"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_variable_is_named_in_one_line(
    template: Starter, recorder: Recorder, changes: dict[str, str | None], variable: str, wanted: str
) -> None:
    run = template(**changes)
    assert run.end(60) == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(MARK + variable)
    assert wanted in line
    assert recorder.done()["error"]["type"] == "BadConfiguration"
    assert variable in recorder.done()["error"]["message"]


@pytest.mark.parametrize(
    ("variable", "value"), [("MODEL_NAME", "resnet50"), ("TASK_TYPE", "detect"), ("PARAM_PATIENCE", "-1")]
)
def test_sklearn_names_what_it_does_not_know(
    starter: MakeStarter, recorder: Recorder, variable: str, value: str
) -> None:
    run = starter("trainer-sklearn")(**{variable: value})
    assert run.end(60) == 2
    assert run.stderr.startswith(f"{MARK}{variable}={value} is not valid: it should be") or variable == "TASK_TYPE"
    assert recorder.done()["error"]["type"] == "BadConfiguration"


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ("nowhere", "datasets/nowhere.zip: it is not there"),
        ("broken", "the dataset broken is no sound zip"),
        ("slipping", "'../../escaped.txt' points out of it"),
        ("linking", "'train/link' points out of it"),
        ("bombing", "more than 100 times its size"),
        ("boxes", "classifies"),
    ],
)
def test_a_dataset_that_is_none_fails_with_the_reason(
    template: Starter, recorder: Recorder, dataset: str, said: str
) -> None:
    run = template(DATASET_ID=dataset)
    assert run.end() == 1
    done = recorder.done()
    assert done["status"] == "failed"
    assert said in done["error"]["message"]
    assert said in run.stderr
    assert not list(run.folder.rglob("escaped*"))


def test_sklearn_says_which_trainer_fits_a_detection_dataset(starter: MakeStarter, recorder: Recorder) -> None:
    assert starter("trainer-sklearn")(DATASET_ID="boxes").end(60) == 1
    assert "use trainer-ultralytics" in recorder.done()["error"]["message"]


def test_wrong_storage_keys_are_named_without_being_shown(template: Starter, recorder: Recorder) -> None:
    run = template(MINIO_SECRET_KEY="wrong-secret-canary")
    assert run.end(60) == 1
    assert "the storage does not give datasets/shapes.zip" in recorder.done()["error"]["message"]
    assert "canary" not in run.stdout + run.stderr + str(recorder.taken)


def test_a_storage_that_is_not_there_is_named(template: Starter, recorder: Recorder) -> None:
    (port,) = free_ports(1)
    assert template(MINIO_ENDPOINT=f"http://127.0.0.1:{port}").end(60) == 1
    assert f"http://127.0.0.1:{port}" in recorder.done()["error"]["message"]


def test_a_crash_is_told_with_its_traceback(template: Starter, recorder: Recorder) -> None:
    run = template(RESUME_FROM="datasets/shapes.zip")  # a checkpoint it isn't
    assert run.end(60) == 1
    error = recorder.done()["error"]
    assert error["type"] == "KeyError"
    assert "train(self)" in error["traceback"]
    assert all(line.startswith(MARK) for line in run.stderr.splitlines())
    assert recorder.done() == run.receipt()


def test_no_secret_is_printed(start: Starter, storage: Storage) -> None:
    run = start(EPOCHS=1)
    run.succeeds()
    for secret in (TOKEN, storage.variables["MINIO_SECRET_KEY"], storage.variables["MINIO_ACCESS_KEY"]):
        assert secret not in run.stdout + run.stderr


def test_a_best_checkpoint_that_cannot_be_uploaded_fails_the_run(
    template: Starter, recorder: Recorder, gate_to_storage: Gate
) -> None:
    def shut_after_the_download(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("shut")
            gate_to_storage.upload_delay = 0.0
        return Reply()

    gate_to_storage.upload_delay = 10.0  # nothing is stored before it is shut
    recorder.reply = shut_after_the_download
    run = template(MINIO_ENDPOINT=gate_to_storage.url, FLUSH_SECONDS=2, EPOCHS=50, IMAGE_SIZE=128, BATCH_SIZE=1)
    assert run.end() == 1
    done = recorder.done()
    assert (done["error"]["type"], done["checkpoint"]) == ("CheckpointUpload", None)
    assert "best.pt" in done["error"]["message"]
    assert "WARNING the storage is away" in run.stdout
    assert not recorder.events("checkpoint")
    assert len(recorder.epochs()) == 50


def test_a_storage_that_is_back_in_time_gets_the_checkpoints(
    template: Starter, recorder: Recorder, storage: Storage, gate_to_storage: Gate
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
    template(MINIO_ENDPOINT=gate_to_storage.url, EPOCHS=20, IMAGE_SIZE=128, BATCH_SIZE=1).succeeds()
    assert {event["data"]["kind"] for event in recorder.events("checkpoint")} == {"best", "last"}
    assert storage.has(recorder.done()["checkpoint"])


def test_heartbeats_go_on_while_the_last_checkpoint_is_uploaded(
    template: Starter, probe: MakeProbe, recorder: Recorder, storage: Storage, gate_to_storage: Gate
) -> None:
    gate_to_storage.set("hanging")
    template.variables.update(MINIO_ENDPOINT=gate_to_storage.url, HEARTBEAT_SECONDS="0.1")
    run = probe(
        """
        utils.notify_status("training", 1, 1, {"loss": 0.5})
        path = job.folder / "model"
        path.write_bytes(b"weights")
        utils.upload_checkpoint(path, "best.pt", 1)
        """
    )
    uploading = recorder.wait_for(lambda seen: [b for b in seen.heartbeats() if b["phase"] == "uploading"][2:])
    assert (uploading[0]["epoch"], uploading[0]["epochs"]) == (1, 1)
    gate_to_storage.set("shut")
    gate_to_storage.set("open")
    run.succeeds()
    assert recorder.taken[-1].kind == "done"
    assert storage.has(recorder.done()["checkpoint"])


LOST = """
import sys
sys.path.insert(0, {folder!r})
import train
from job import Job
good = train.predict
train.predict = lambda model, x: good(model, x) * float("nan")
Job().run(train.train)
"""


def test_the_template_fails_in_words_when_its_model_runs_away_and_uploads_nothing(
    template: Starter, recorder: Recorder, storage: Storage
) -> None:
    folder, template.script = template.script.parent, template.folder / "lost.py"
    template.script.write_text(LOST.format(folder=str(folder)))
    run = template()
    assert run.end(60) == 1
    (beat,) = recorder.epochs()
    assert beat.body["metrics"]["val/loss"] == "NaN"
    error = recorder.done()["error"]
    assert error["type"] == "FloatingPointError"
    assert "Lower LEARNING_RATE (0.1)" in error["message"]
    assert not storage.keys(f"checkpoints/job-{JOB}/")
