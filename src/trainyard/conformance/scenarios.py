"""What a trainer is put through: each scenario is one start of it and gives the evidence that several clauses judge."""

from collections.abc import Callable
from dataclasses import dataclass

from trainyard.conformance import predicting, troubles
from trainyard.conformance.evidence import Evidence, Seen
from trainyard.conformance.recorder import Call, Reply
from trainyard.conformance.run import RENEWED, Run, Stage
from trainyard.conformance.services import BROKEN, MISSING, SHAPES
from trainyard.contract.vocabulary import Task

Play = Callable[[Stage, Seen], Evidence]


@dataclass(frozen=True)
class Scenario:
    id: str
    play: Play
    after: tuple[str, ...] = ()  # what must have been played before
    alone: bool = False  # it ends before it would need the storage or MLflow
    idle: bool = False  # it mostly waits, so it takes nobody's place


def _ends_by_itself(name: str, **changes: str | None) -> Play:
    def play(stage: Stage, _: Seen) -> Evidence:
        run = Run(stage, name, changes=dict(changes)).start()
        run.end()
        return run.evidence()

    return play


def _whole(stage: Stage, _: Seen) -> Evidence:
    """Everything is as it should be, the dataset comes late and uploads take a moment; one answer renews the token."""
    run = Run(stage, "whole", keep_epochs=2, beat=stage.timing.beat)
    run.storage.hold(stage.timing.hold)
    run.storage.upload_delay = 0.15

    def renew(call: Call) -> Reply:
        if call.body.get("epoch") and "renewed" not in run.moments:
            run.note("renewed")
            return Reply(token=RENEWED)
        return Reply()

    run.on_call = renew
    run.start().end()
    return run.evidence(tracked=True)


def _resume(stage: Stage, seen: Seen) -> Evidence:
    """Goes on from the interrupted run's last.pt with the same plan; stopped once it has told an epoch."""
    before = seen["interrupt"]
    run = Run(stage, "resume", attempt=2, epochs=before.epochs, resume_from=before.key("last.pt"))
    if before.key("last.pt") not in before.stored:
        return run.nothing("the interrupted run left no last.pt")
    run.start()
    if run.wait_for(lambda recorder: any(call.is_epoch for call in recorder.taken)):
        run.stop()
        run.end(stage.timing.grace)
    return run.evidence()


def _missing_dataset(stage: Stage, _: Seen) -> Evidence:
    """A dataset that is not there, among variables it never heard of and with settings of others in its home."""
    strangers: dict[str, str | None] = {"PARAM_CHECK_UNKNOWN": "1", "CHECK_STRANGER": "x", "LEARNING_RATES": "many"}
    run = Run(stage, "dataset-missing", dataset=MISSING, changes=strangers)
    (run.home / ".aws").mkdir()
    (run.home / ".aws" / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (run.home / ".aws" / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = nowhere\n")
    (run.home / ".env").write_text("DATASET_ID=another\nEPOCHS=none\n")
    run.start().end()
    return run.evidence()


def _dataset(name: str, dataset_of: Callable[[Task], str]) -> Play:
    def play(stage: Stage, _: Seen) -> Evidence:
        run = Run(stage, name, dataset=dataset_of(stage.subject.task)).start()
        run.end()
        return run.evidence()

    return play


def _other_task(task: Task) -> str:
    return SHAPES.format(Task.CLASSIFY if task is Task.DETECT else Task.DETECT)


def _nan(stage: Stage, _: Seen) -> Evidence:
    """As large a learning rate as it takes."""
    rate = stage.subject.wild_rate
    run = Run(stage, "nan", params={} if rate is None else {"learning_rate": rate}).start()
    run.end()
    return run.evidence(unable="" if rate is not None else "it has no learning_rate that could be set too high")


SCENARIOS = (
    Scenario("no-dataset-id", _ends_by_itself("no-dataset-id", DATASET_ID=None), alone=True),
    Scenario("no-storage-key", _ends_by_itself("no-storage-key", MINIO_SECRET_KEY=None), alone=True),
    Scenario("bad-number", _ends_by_itself("bad-number", EPOCHS="many"), alone=True),
    Scenario("backend-trouble", troubles.backend_trouble, idle=True),
    Scenario("whole", _whole),
    Scenario("mlflow-hangs", troubles.mlflow_hangs),
    Scenario("stop-uploading", troubles.stop_uploading),
    Scenario("refused", troubles.refused_token),
    Scenario("stop-starting", troubles.stop_starting),
    Scenario("stop-training", troubles.stop_training),
    Scenario("interrupt", troubles.interrupt),
    Scenario("cancel-answer", troubles.cancel_in_answer),
    Scenario("mlflow-away", troubles.mlflow_away),
    Scenario("dataset-missing", _missing_dataset),
    Scenario("dataset-broken", _dataset("dataset-broken", lambda _: BROKEN)),
    Scenario("dataset-other-task", _dataset("dataset-other-task", _other_task)),
    Scenario("nan", _nan),
    Scenario("storage-reset", troubles.storage_reset),
    Scenario("disk-full", troubles.disk_full),
    Scenario("resume", _resume, after=("interrupt",)),
    Scenario("predict", predicting.predict, after=("whole",)),
    Scenario("serve", predicting.serve, after=("whole",)),
)
