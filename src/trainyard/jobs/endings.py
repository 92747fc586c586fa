"""Why a run ended, in words: pure functions from what was seen to (state, reason, sentence, evidence)."""

import re
from typing import Any

from trainyard.contract.callbacks import Done, TrainerFault
from trainyard.contract.keys import checkpoint_prefix
from trainyard.contract.vocabulary import DoneStatus, Reason, State
from trainyard.executors.base import Exited
from trainyard.jobs.transition import Ending
from trainyard.logs.files import last_traceback

OUT_OF_MEMORY = re.compile(
    r"CUDA out of memory|OutOfMemoryError|MemoryError|Cannot allocate memory|DefaultCPUAllocator"
)
DISK_FULL = re.compile(r"No space left on device|Errno 28|ENOSPC")
BAD_EXIT = 2


def of_done(done: Done, *, cancel_requested: bool) -> Ending:
    """What a trainer says of its own end."""
    match done.status:
        case DoneStatus.SUCCEEDED:
            return Ending(State.SUCCEEDED, Reason.COMPLETED, "Completed.")
        case DoneStatus.CANCELLED:
            return _cancelled(cancel_requested, {})
        case DoneStatus.FAILED:
            fault = done.error or TrainerFault()
            evidence = {"error": fault.model_dump()} if done.error else {}
            return _failed(f"{fault.type}: {fault.message}\n{fault.traceback}", fault, evidence)


def _cancelled(by_user: bool, evidence: dict[str, Any]) -> Ending:
    if by_user:
        return Ending(State.CANCELLED, Reason.CANCELLED_BY_USER, "Cancelled on request.", evidence)
    return Ending(State.CANCELLED, Reason.CANCELLED_BY_SIGNAL, "Stopped by a signal or Ctrl+C.", evidence)


def _failed(text: str, fault: TrainerFault, evidence: dict[str, Any]) -> Ending:
    said = first_line(f"{fault.type}: {fault.message}".strip(": ")) or "the trainer gave no reason"
    if fault.type == "BadConfiguration":
        return Ending(State.FAILED, Reason.BAD_CONFIGURATION, first_line(fault.message), evidence)
    if fault.type == "CheckpointUpload":
        return Ending(State.FAILED, Reason.CHECKPOINT_LOST, first_line(fault.message), evidence)
    if OUT_OF_MEMORY.search(text):
        return Ending(
            State.FAILED,
            Reason.OUT_OF_MEMORY,
            f"Out of memory ({said}). A smaller batch_size or image_size needs less.",
            evidence,
        )
    if fault.type == "DiskFull" or DISK_FULL.search(text):
        return Ending(State.FAILED, Reason.DISK_FULL, f"A disk is full ({said}).", evidence)
    return Ending(State.FAILED, Reason.TRAINER_ERROR, said, evidence)


def of_exit(seen: Exited, *, callbacks: bool, cancel_requested: bool) -> Ending:
    """What an end of the process means where no `done` arrived before it."""
    evidence = _evidence(seen)
    if seen.out_of_memory:
        return Ending(
            State.FAILED,
            Reason.OUT_OF_MEMORY,
            seen.message
            if seen.reason is Reason.OUT_OF_MEMORY
            else "The system killed the trainer because the machine ran out of memory. "
            "A smaller batch_size, image_size or number of workers needs less.",
            {**evidence, "killed_for_memory": True},
        )
    if seen.receipt is not None:
        ending = of_done(seen.receipt, cancel_requested=cancel_requested or seen.stopped_on_request)
        return Ending(ending.state, ending.reason, ending.message, evidence | ending.evidence)
    if seen.reason is not None and not (seen.reason is Reason.KILLED and cancel_requested):
        return Ending(State.FAILED, seen.reason, seen.message, evidence)
    if cancel_requested or seen.stopped_on_request:
        return _cancelled(cancel_requested, evidence)
    return _of_code(seen, callbacks, evidence)


def _of_code(seen: Exited, callbacks: bool, evidence: dict[str, Any]) -> Ending:
    match seen.exit_code, seen.signal:
        case 0, _ if not callbacks:
            return Ending(State.SUCCEEDED, Reason.COMPLETED, "Completed.", evidence)
        case 0, _:
            return Ending(
                State.FAILED,
                Reason.EXITED_WITHOUT_DONE,
                "The trainer ended without saying how: no `done` arrived and its log has no DONE line.",
                evidence,
            )
        case _, 9:
            return Ending(
                State.FAILED, Reason.KILLED, "Something killed the trainer (SIGKILL) that was not trainyard.", evidence
            )
        case _, int() as number if number in (2, 15):
            return _cancelled(False, evidence)
        case code, _ if code == BAD_EXIT and callbacks:
            return Ending(State.FAILED, Reason.BAD_CONFIGURATION, last_words(seen), evidence)
        case code, number:
            how = f"signal {number}" if number else f"exit code {code}"
            fault = TrainerFault(message=last_words(seen) or how)
            ending = _failed(seen.tail, fault, evidence)
            return Ending(ending.state, ending.reason, f"{ending.message} ({how})", evidence)


def _evidence(seen: Exited) -> dict[str, Any]:
    evidence: dict[str, Any] = {"exit_code": seen.exit_code, "signal": seen.signal, **seen.evidence}
    traceback = seen.traceback or last_traceback(seen.tail)
    if traceback:
        evidence["traceback"] = traceback
    elif seen.tail:
        evidence["tail"] = seen.tail[-4_000:]
    return evidence


def results(job_id: str, checkpoint: str | None = None, mlflow_run_id: str | None = None) -> dict[str, str]:
    """What a trainer says it left, as columns of its job; a checkpoint counts only under the job's own prefix."""
    told = {"mlflow_run_id": mlflow_run_id[:100] if mlflow_run_id else ""}
    if checkpoint and checkpoint.startswith(checkpoint_prefix(job_id)):
        told["checkpoint"] = checkpoint[:500]
    return {name: text.replace("\0", "") for name, text in told.items() if text}


def first_line(text: str) -> str:
    return text.strip().splitlines()[0][:500] if text.strip() else ""


def last_words(seen: Exited) -> str:
    """The line that says most: the exception's own, else the last the trainer printed (not what we added)."""
    traceback = seen.traceback or last_traceback(seen.tail)
    lines = [line for line in (traceback or seen.tail).splitlines() if line.strip() and "] [trainyard] " not in line]
    return lines[-1].strip()[:500] if lines else ""
