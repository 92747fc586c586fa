"""Why a run ended, in the words a user reads."""

import pytest

from trainyard.contract.callbacks import Done, TrainerFault
from trainyard.contract.vocabulary import DoneStatus, Reason, State
from trainyard.executors.base import Exited
from trainyard.jobs.endings import of_done, of_exit

TRACEBACK = """loading
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    import torchh
ModuleNotFoundError: No module named 'torchh'
bye"""


def done(status: DoneStatus, **given: object) -> Done:
    return Done.model_validate({"attempt": 1, "seq": 1, "status": status, **given})


@pytest.mark.parametrize(
    ("seen", "callbacks", "state", "reason"),
    [
        (Exited(0), False, State.SUCCEEDED, Reason.COMPLETED),
        (Exited(0), True, State.FAILED, Reason.EXITED_WITHOUT_DONE),
        (Exited(2, tail="LEARNING_RATE must be a number"), True, State.FAILED, Reason.BAD_CONFIGURATION),
        (Exited(2, tail="usage: x"), False, State.FAILED, Reason.TRAINER_ERROR),
        (Exited(1, tail=TRACEBACK), True, State.FAILED, Reason.TRAINER_ERROR),
        (Exited(None, signal=9), True, State.FAILED, Reason.KILLED),
        (Exited(None, signal=11), True, State.FAILED, Reason.TRAINER_ERROR),
        (Exited(None, signal=15), True, State.CANCELLED, Reason.CANCELLED_BY_SIGNAL),
        (Exited(None, signal=9, out_of_memory=True), True, State.FAILED, Reason.OUT_OF_MEMORY),
        (Exited(0, out_of_memory=True), False, State.FAILED, Reason.OUT_OF_MEMORY),
        (Exited(1, tail="torch.OutOfMemoryError: CUDA out of memory."), True, State.FAILED, Reason.OUT_OF_MEMORY),
        (Exited(1, tail="OSError: [Errno 28] No space left on device"), True, State.FAILED, Reason.DISK_FULL),
        (Exited(None, reason=Reason.MACHINE_RESTARTED, message="m"), True, State.FAILED, Reason.MACHINE_RESTARTED),
        (Exited(0, receipt=done(DoneStatus.SUCCEEDED)), True, State.SUCCEEDED, Reason.COMPLETED),
        (Exited(143, receipt=done(DoneStatus.CANCELLED)), True, State.CANCELLED, Reason.CANCELLED_BY_SIGNAL),
        (Exited(143, stopped_on_request=True), True, State.CANCELLED, Reason.CANCELLED_BY_SIGNAL),
    ],
)
def test_an_exit_is_named(seen: Exited, callbacks: bool, state: State, reason: Reason) -> None:
    ending = of_exit(seen, callbacks=callbacks, cancel_requested=False)
    assert (ending.state, ending.reason) == (state, reason)
    assert ending.message


def test_the_traceback_is_the_evidence() -> None:
    ending = of_exit(Exited(1, tail=TRACEBACK), callbacks=True, cancel_requested=False)
    assert ending.evidence["traceback"].endswith("ModuleNotFoundError: No module named 'torchh'")
    assert ending.evidence["exit_code"] == 1


def test_a_cancel_by_a_user_is_not_called_a_signal() -> None:
    ending = of_exit(Exited(143), callbacks=True, cancel_requested=True)
    assert (ending.state, ending.reason) == (State.CANCELLED, Reason.CANCELLED_BY_USER)


def test_a_trainer_that_finished_despite_a_cancel_has_finished() -> None:
    ending = of_done(done(DoneStatus.SUCCEEDED), cancel_requested=True)
    assert (ending.state, ending.reason) == (State.SUCCEEDED, Reason.COMPLETED)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (TrainerFault(type="BadConfiguration", message="EPOCHS must be at least 1"), Reason.BAD_CONFIGURATION),
        (TrainerFault(type="OutOfMemoryError", message="CUDA out of memory"), Reason.OUT_OF_MEMORY),
        (TrainerFault(type="OSError", message="[Errno 28] No space left on device"), Reason.DISK_FULL),
        (TrainerFault(type="DiskFull", message="no space is left on the disk"), Reason.DISK_FULL),
        (TrainerFault(type="CheckpointUpload", message="best.pt could not be uploaded"), Reason.CHECKPOINT_LOST),
        (TrainerFault(type="ValueError", message="shapes differ"), Reason.TRAINER_ERROR),
        (None, Reason.TRAINER_ERROR),
    ],
)
def test_a_failure_the_trainer_reports_is_named(fault: TrainerFault | None, reason: Reason) -> None:
    given = {"error": fault.model_dump()} if fault else {}
    ending = of_done(done(DoneStatus.FAILED, **given), cancel_requested=False)
    assert (ending.state, ending.reason) == (State.FAILED, reason)
    assert ending.message
