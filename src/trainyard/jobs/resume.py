"""What resuming a job means: which jobs can be, whether the child goes on or begins a fresh schedule, and in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from trainyard.contract.manifest import Scalar
from trainyard.contract.vocabulary import State
from trainyard.errors import Conflict, InvalidInput
from trainyard.jobs.checkpoints import Checkpoint
from trainyard.jobs.model import Job


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a job that was not submitted afresh comes from."""

    parent_id: str
    resume_from: str | None
    words: str  # its first event, and its message until it is queued


@dataclass(frozen=True, slots=True)
class Plan:
    epochs: int
    words: str


def require_resumable(job: Job) -> None:
    """Raises Conflict, and says why."""
    if not job.state.is_terminal:
        raise Conflict(f"{job.id} has not ended yet.", hint="Cancel it first, or wait.")
    if job.script is not None or not job.callbacks:
        raise Conflict(
            f"{job.id} ran a script of its own: what that keeps, and how it goes on from there, only it knows.",
            hint="Run the script again, or write a trainer.",
        )


def plan(job: Job, checkpoint: Checkpoint, epochs: int | None, params: Mapping[str, Scalar]) -> Plan:
    """How many epochs the child is for, and what that means. Raises InvalidInput where the parent had all of its own.

    The trainer decides by the same facts: the epoch and the settings in the checkpoint, and those of the child.
    """
    planned = int(job.params["epochs"])
    through = _is_through(job, checkpoint, planned)
    if through and epochs is None:
        raise InvalidInput(_why_through(job, planned), hint="Say how many more: --epochs N", field="epochs")
    total = planned if epochs is None else epochs
    at = f"epoch {checkpoint.epoch} of {planned}"
    through = through and not (total == planned and _is_amid(checkpoint, planned))
    if through or total != planned or checkpoint.kind == "best":  # best.pt holds weights only
        kind = f"{checkpoint.kind}, {at}" if _is_amid(checkpoint, planned) else checkpoint.kind
        return Plan(total, f"Starts a fresh schedule of {counted(total)} from the weights of {job.id} ({kind}).")
    begin = f"from {at}" if checkpoint.epoch is not None else f"from its checkpoint {checkpoint.kind}"
    changed = sorted(name for name, value in params.items() if str(value) != str(job.params.get(name)))
    other = f", with another {', '.join(changed)}: its log says whether it goes on or starts a fresh schedule"
    return Plan(total, f"Continues {job.id} {begin}{other if changed else ''}.")


def _is_amid(checkpoint: Checkpoint, planned: int) -> bool:
    """Such a last.pt, of an early stop too, looks to a trainer like that of any other interruption."""
    return checkpoint.epoch is not None and checkpoint.epoch < planned


def _is_through(job: Job, checkpoint: Checkpoint, planned: int) -> bool:
    """Nothing of the parent's plan is left after this checkpoint. An early stop is the end of a plan, too."""
    if checkpoint.kind.startswith("epoch-"):
        return (checkpoint.epoch or 0) >= planned
    if job.state is State.SUCCEEDED:
        return True
    reached = job.epoch if checkpoint.epoch is None else checkpoint.epoch
    return (reached or 0) >= planned


def _why_through(job: Job, planned: int) -> str:
    if job.state is State.SUCCEEDED and job.epoch is not None and job.epoch < planned:
        return f"{job.id} ended by itself after epoch {job.epoch} of {planned}."
    return f"{job.id} finished all of its {counted(planned)}." if planned > 1 else f"{job.id} finished its only epoch."


def counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
