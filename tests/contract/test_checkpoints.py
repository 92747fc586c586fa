"""Going on from a checkpoint, and keeping those of the newest epochs."""

import pytest

from tests.contract.conftest import MakeProbe, MakeStarter, Storage
from tests.contract.running import JOB, Starter
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply


def names(storage: Storage, job: str = JOB) -> list[str]:
    return sorted(key.rpartition("/")[2] for key in storage.keys(f"checkpoints/job-{job}/"))


def test_the_newest_epochs_stay_and_are_announced(start: Starter, recorder: Recorder, storage: Storage) -> None:
    start(EPOCHS=12, KEEP_EPOCHS=3).succeeds()
    assert names(storage) == ["best.pt", "epoch-10.pt", "epoch-11.pt", "epoch-12.pt", "last.pt"]
    kinds = [event["data"]["kind"] for event in recorder.events("checkpoint")]
    assert [kind for kind in kinds if kind.startswith("epoch-")][-3:] == ["epoch-10", "epoch-11", "epoch-12"]


def test_a_storage_that_was_away_still_gets_the_newest_epochs(
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
    run = template(MINIO_ENDPOINT=gate_to_storage.url, EPOCHS=20, IMAGE_SIZE=128, BATCH_SIZE=1, KEEP_EPOCHS=2)
    recorder.wait_for(lambda seen: any(call.body.get("epoch") == 10 for call in seen.epochs()))
    waiting = list((run.folder / "tmp").rglob("upload-*-last.pt"))
    assert len(waiting) <= 4, "checkpoints that wait for the storage are bounded"
    run.succeeds()
    assert names(storage) == ["best.pt", "epoch-19.pt", "epoch-20.pt", "last.pt"]


@pytest.mark.parametrize("origin", ["last", "epoch-2"])
def test_an_interrupted_run_ends_exactly_where_an_uninterrupted_one_does(
    start: Starter, recorder: Recorder, origin: str
) -> None:
    slow = {"IMAGE_SIZE": "128"} if start.script.parent.name == "trainer-template" else {}
    start.variables.update({"EPOCHS": "20", "BATCH_SIZE": "1"} | slow)  # to be stopped on its way
    start(JOB_ID=JOB + "1").succeeds()
    straight = recorder.epochs()[-1].body["metrics"]
    recorder.reply = lambda call: Reply(cancel=call.body.get("epoch") == 3 and bool(call.body.get("metrics")))
    assert start(KEEP_EPOCHS=99, JOB_ID=JOB + "2").end() == 143
    recorder.reply = lambda call: Reply()
    recorder.taken.clear()
    start(JOB_ID=JOB + "3", RESUME_FROM=f"checkpoints/job-{JOB}2/{origin}.pt").succeeds()
    assert recorder.epochs()[0].body["epoch"] > 2
    assert recorder.epochs()[-1].body["metrics"] == straight, "to the last digit"


def test_a_finished_run_is_trained_for_as_many_epochs_again(start: Starter, recorder: Recorder) -> None:
    start(EPOCHS=3, JOB_ID=JOB + "1").succeeds()
    recorder.taken.clear()
    run = start(EPOCHS=2, JOB_ID=JOB + "2", RESUME_FROM=f"checkpoints/job-{JOB}1/last.pt")
    run.succeeds()
    assert [call.body["epoch"] for call in recorder.epochs()] == [1, 2]
    assert "checkpoints/job-" in run.stdout


def test_an_upload_that_outlasts_epochs_is_not_cut_short_by_newer_ones(
    template: Starter, probe: MakeProbe, recorder: Recorder, storage: Storage, gate_to_storage: Gate
) -> None:
    gate_to_storage.upload_delay = 3.0
    template.variables["MINIO_ENDPOINT"] = gate_to_storage.url
    run = probe(
        """
        from pathlib import Path
        path = job.folder / "model"
        for epoch in range(1, 7):
            path.write_bytes(bytes([epoch]))
            with path.open("r+b") as file:
                file.truncate(120_000_000)  # fifteen parts, ten at a time: each opens the file anew
            utils.upload_checkpoint(path, "last.pt", epoch, move=True)
            if epoch == 1:
                job.event("first")
                while not Path("go").exists():
                    time.sleep(0.01)
            time.sleep(0.01)
        """
    )
    recorder.wait_for(lambda seen: seen.events("first"))
    recorder.wait_for(lambda _: any(one.method == "PUT" for one in gate_to_storage.requests))  # and waits there
    gate_to_storage.upload_delay = 0.0
    (run.folder / "go").touch()
    run.succeeds()
    epochs = [event["data"]["epoch"] for event in recorder.events("checkpoint")]
    assert epochs == [1, 6], "the one that was under way, and the newest"
    assert "is away" not in run.stdout
    newest = {"Bucket": storage.bucket, "Key": f"checkpoints/job-{JOB}/last.pt"}
    assert storage.client.head_object(**newest)["ContentLength"] == 120_000_000
    assert storage.client.get_object(**newest, Range="bytes=0-0")["Body"].read() == bytes([6])


def test_another_jobs_best_becomes_ones_own_where_the_run_goes_on(
    probe: MakeProbe, recorder: Recorder, storage: Storage
) -> None:
    storage.client.put_object(Bucket=storage.bucket, Key="checkpoints/job-parent/best.pt", Body=b"the best")
    probe(
        """
        assert not job.inherit_best("checkpoints/job-none/last.pt")
        assert job.inherit_best("checkpoints/job-parent/last.pt")
        """
    ).succeeds()
    own = f"checkpoints/job-{JOB}/best.pt"
    assert storage.client.get_object(Bucket=storage.bucket, Key=own)["Body"].read() == b"the best"
    assert recorder.done()["checkpoint"] == own
    (told,) = recorder.events("checkpoint")
    assert told["data"] == {"key": own, "kind": "best", "epoch": None, "bytes": 8}


def interrupted(start: Starter, recorder: Recorder, **changes: str | int) -> str:
    """A run cancelled in its third epoch or soon after; its last checkpoint's key."""
    start.variables.update({"EPOCHS": "20", "BATCH_SIZE": "1", "IMAGE_SIZE": "64"})
    recorder.reply = lambda call: Reply(cancel=call.body.get("epoch") == 3 and bool(call.body.get("metrics")))
    assert start(JOB_ID=JOB + "1", **changes).end() == 143
    recorder.reply = lambda call: Reply()
    return f"checkpoints/job-{JOB}1/last.pt"


def test_a_run_that_goes_on_keeps_the_best_of_before_until_it_is_better(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    still = 0 if start.script.parent.name == "trainer-template" else 1e-9  # so no epoch is better than the first
    start.variables.update({"LEARNING_RATE": str(still)})
    key = interrupted(start, recorder)
    best = recorder.epochs()[0].body["metrics"]
    recorder.taken.clear()
    start(JOB_ID=JOB + "2", RESUME_FROM=key).succeeds()
    assert recorder.epochs()[0].body["epoch"] > 1
    assert [event["data"]["kind"] for event in recorder.events("checkpoint")].count("best") == 1
    assert recorder.done()["checkpoint"] == f"checkpoints/job-{JOB}2/best.pt"
    assert recorder.done()["metrics"] == best, "those of best.pt"
    kept = [
        storage.client.get_object(Bucket=storage.bucket, Key=f"checkpoints/job-{JOB}{number}/best.pt")["Body"].read()
        for number in (1, 2)
    ]
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("checkpoint", "changes"),
    [("last.pt", {"LEARNING_RATE": "0.02"}), ("last.pt", {"BATCH_SIZE": "7"}), ("best.pt", {})],
    ids=["rate", "batch", "best"],
)
def test_another_plan_and_a_best_checkpoint_begin_a_fresh_schedule(
    start: Starter, recorder: Recorder, checkpoint: str, changes: dict[str, str]
) -> None:
    key = interrupted(start, recorder).replace("last.pt", checkpoint)
    recorder.taken.clear()
    run = start(**{"JOB_ID": JOB + "2", "RESUME_FROM": key} | changes)
    recorder.wait_for(lambda seen: seen.epochs())
    run.stop()
    assert run.end(60) == 143
    assert recorder.epochs()[0].body["epoch"] == 1
    assert "fresh schedule" in run.stdout


def test_sklearn_refuses_a_checkpoint_of_another_model(starter: MakeStarter, recorder: Recorder) -> None:
    start = starter("trainer-sklearn")
    start(EPOCHS=1).succeeds()
    run = start(MODEL_NAME="sgd", RESUME_FROM=f"checkpoints/job-{JOB}/last.pt")
    assert run.end(60) == 2
    assert "MODEL_NAME was mlp and is sgd now" in run.stderr
