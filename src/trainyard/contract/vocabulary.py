"""The words everything else is spelled with: states, reasons, tiers and tasks."""

from enum import StrEnum


class State(StrEnum):
    """Where a job is. Which may follow which stands in jobs/states.py."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class Reason(StrEnum):
    """Why a job ended. Each end carries exactly one, with its evidence beside it."""

    COMPLETED = "Completed"
    CANCELLED_BY_USER = "CancelledByUser"
    CANCELLED_BY_SIGNAL = "CancelledBySignal"
    TRAINER_ERROR = "TrainerError"
    BAD_CONFIGURATION = "BadConfiguration"
    OUT_OF_MEMORY = "OutOfMemory"
    KILLED = "Killed"
    HEARTBEAT_LOST = "HeartbeatLost"
    EXITED_WITHOUT_DONE = "ExitedWithoutDone"
    LAUNCH_FAILED = "LaunchFailed"
    ENVIRONMENT_FAILED = "EnvironmentFailed"
    SUPERVISOR_LOST = "SupervisorLost"
    MACHINE_RESTARTED = "MachineRestarted"
    DISK_FULL = "DiskFull"
    CHECKPOINT_LOST = "CheckpointLost"
    TIMEOUT = "Timeout"
    EVICTED = "Evicted"
    IMAGE_PULL = "ImagePull"
    UNSCHEDULABLE = "Unschedulable"


class Execution(StrEnum):
    """The tier a job runs on."""

    LOCAL = "local"
    K8S = "k8s"
    IMAGE = "image"

    @classmethod
    def _missing_(cls, value: object) -> "Execution | None":
        return cls.LOCAL if value == "subprocess" else None  # the old name of the local tier


class Task(StrEnum):
    """What a model learns; datasets and trainers each say which of these they are for."""

    DETECT = "detect"
    CLASSIFY = "classify"


class DoneStatus(StrEnum):
    """How a trainer says its run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
