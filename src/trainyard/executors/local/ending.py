"""How a run ended: what the shim wrote down, and what the run's log says about it."""

from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from trainyard.contract.callbacks import Done, TrainerFault
from trainyard.contract.vocabulary import DoneStatus, Reason
from trainyard.executors.base import Exited, RunId
from trainyard.executors.last_words import last_words
from trainyard.executors.local.run_folder import RunFolder

_SIGKILL = 9  # by its number: not every system has the name


def ending_of(run: RunId, folder: RunFolder, record: dict[str, Any]) -> Exited:
    """Reads the end of the log, never all of it."""
    said = last_words(run, folder.log)
    number = record["signal"]
    reason = _reason(record)
    receipt = said.receipt or (None if record["stopped_on_request"] else _fault_left(run, folder))
    return Exited(
        exit_code=record["exit_code"],
        signal=number,
        at=record["at"],
        out_of_memory=_was_killed_for_memory(record),
        stopped_on_request=record["stopped_on_request"],
        receipt=receipt,
        tail=said.tail,
        traceback=said.traceback,
        reason=reason,
        message=_message(record, reason),
    )


def _fault_left(run: RunId, folder: RunFolder) -> Done | None:
    """Of several processes one tells the end. Where another failed before that one had even started, and torchrun
    then ended it, the first fault that was left beside torchrun's own files is the run's."""
    for note in sorted(folder.torchrun.glob("*/*/*/fault.json"), key=lambda path: path.stat().st_mtime):
        with suppress(OSError, ValidationError):
            fault = TrainerFault.model_validate_json(note.read_bytes())
            return Done(attempt=run.attempt, seq=1, status=DoneStatus.FAILED, error=fault)
    return None


def _was_killed_for_memory(record: dict[str, Any]) -> bool:
    """The kernel killed somebody for memory while it ran, and a SIGKILL that wasn't ours ended it."""
    return bool(record.get("oom_kills")) and record["signal"] == _SIGKILL and not record.get("killed")


def _reason(record: dict[str, Any]) -> Reason | None:
    """Only what the executor knows better than exit code and receipt."""
    if record.get("reason"):
        return Reason(record["reason"])
    if record.get("problem"):
        return Reason.LAUNCH_FAILED
    if record.get("disk_full") and (record["exit_code"] or record["signal"]) and not record["stopped_on_request"]:
        return Reason.DISK_FULL
    return None


def _message(record: dict[str, Any], reason: Reason | None) -> str:
    match reason:
        case Reason.SUPERVISOR_LOST:
            left = record.get("left", 0)
            return f"The run's supervisor was killed; {left} of its processes were left and have been ended."
        case Reason.MACHINE_RESTARTED:
            return "The machine was restarted while it ran."
        case Reason.DISK_FULL:
            return "The disk that holds its log and temporary files was full. Make room and run it again."
        case Reason.LAUNCH_FAILED:
            return f"Its program could not be started: {record['problem']}."
        case _:
            return _other_message(record)


def _other_message(record: dict[str, Any]) -> str:
    if record.get("left"):
        return f"These processes of it could not be ended: {', '.join(map(str, record['left']))}."
    if record.get("started") is False:
        return "It was cancelled before its process was started."
    if record.get("oom_kills"):
        return f"The kernel killed {record['oom_kills']} process(es) for lack of memory while it ran."
    return ""
