"""What to do about each reason of a failure, where nothing more is known than the reason."""

from collections.abc import Callable
from dataclasses import dataclass

from trainyard.contract.manifest import Scalar
from trainyard.contract.vocabulary import Reason
from trainyard.jobs.remedies import Knobs


@dataclass(frozen=True, slots=True)
class Advice:
    text: str
    again: bool = False  # the same run may well succeed the next time
    change: Callable[[Knobs], dict[str, Scalar]] | None = None


ADVICE = {
    Reason.TRAINER_ERROR: Advice("The traceback names file and line; the log shows what came before it."),
    Reason.BAD_CONFIGURATION: Advice("Correct what the line names and submit the training again."),
    Reason.OUT_OF_MEMORY: Advice(
        "A smaller batch_size, image_size or number of workers needs less.", change=Knobs.less_memory
    ),
    Reason.KILLED: Advice(
        "Find out who did it: the system's own log (`journalctl -k`, `dmesg`) names what it killed itself.", again=True
    ),
    Reason.HEARTBEAT_LOST: Advice(
        "The log's last lines show where it was. A trainer that waits for a lock, a worker or the network "
        "for ever needs a limit there; one that only computes for long may send heartbeats from a thread.",
        again=True,
    ),
    Reason.EXITED_WITHOUT_DONE: Advice(
        "A trainer tells its end by `done`: `Job().run(train)` does it. Look for os._exit, or for a library that ends "
        "the process. A trainer that owes no callbacks says callbacks = false in its trainer.toml."
    ),
    Reason.LAUNCH_FAILED: Advice("Correct what it says, then try again.", again=True),
    Reason.ENVIRONMENT_FAILED: Advice(
        "Correct requirements.txt of its trainer, or the way to the package index, then try again: what is there "
        "already is kept.",
        again=True,
    ),
    Reason.SUPERVISOR_LOST: Advice(
        "Nothing is wrong with the training; what ended its supervisor may have left a word in the system's log.",
        again=True,
    ),
    Reason.MACHINE_RESTARTED: Advice("Nothing is wrong with the training.", again=True),
    Reason.DISK_FULL: Advice(
        "Make room (`trainyard status` shows what is free in the data folder), then try again.", again=True
    ),
    Reason.CHECKPOINT_LOST: Advice(
        "The training itself went well. Look at the storage (`trainyard status`), then try again.", again=True
    ),
    Reason.TIMEOUT: Advice(
        "Raise the limit in the settings, or train for fewer epochs; what it had reached is kept.", again=True
    ),
    Reason.EVICTED: Advice("Nothing is wrong with the training.", again=True),
    Reason.IMAGE_PULL: Advice("Correct the image's name, or let the cluster pull it, then try again.", again=True),
    Reason.UNSCHEDULABLE: Advice("Ask for less, or for what there is.", again=True),
}

# said by the backend itself: the trainer's last words explain none of these
OURS = frozenset(
    {
        Reason.KILLED,
        Reason.HEARTBEAT_LOST,
        Reason.EXITED_WITHOUT_DONE,
        Reason.ENVIRONMENT_FAILED,
        Reason.SUPERVISOR_LOST,
        Reason.MACHINE_RESTARTED,
        Reason.TIMEOUT,
        Reason.UNSCHEDULABLE,
        Reason.IMAGE_PULL,
        Reason.EVICTED,
    }
)
WANTS_LOG = frozenset({Reason.HEARTBEAT_LOST, Reason.TIMEOUT, Reason.EXITED_WITHOUT_DONE, Reason.KILLED})
