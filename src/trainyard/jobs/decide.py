"""What is to happen to a job, given how its run looks: pure, so every case is a line in a test."""

from dataclasses import dataclass

from trainyard.contract.vocabulary import Reason, State
from trainyard.executors.base import Absent, Alive, Exited, Observation, Preparing
from trainyard.jobs import endings
from trainyard.jobs.model import Job
from trainyard.jobs.transition import Ending

ATTACH_SECONDS = 60.0  # a terminal that was told to start its run has so long to do it
VANISH_SECONDS = 10.0  # a run just launched may not be visible at once
ASK_SECONDS = 2.0  # a run not seen yet is asked to stop for so long before it counts as never started
LINGER_SECONDS = 10.0  # a trainer that said `done` may take so long to leave


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are, and since when we have been looking: silence while we were away is not counted."""

    silence: float
    stuck: float
    launch: float
    run: float
    since: float


@dataclass(frozen=True, slots=True)
class Start:
    """It runs and owes no callbacks: RUNNING."""


@dataclass(frozen=True, slots=True)
class AskToStop:
    """Somebody wants it cancelled: pass that on (harmless to repeat)."""


@dataclass(frozen=True, slots=True)
class Kill:
    """It ended for us, but something of it still runs."""


@dataclass(frozen=True, slots=True)
class MarkStuck:
    """Silent but busy: shown, not killed."""

    since: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing of it runs any more: archive the log, free its leases."""


@dataclass(frozen=True, slots=True)
class Launch:
    """It has its leases, but the run was never started (or we died before noting that it was)."""


Decision = Start | AskToStop | Kill | MarkStuck | Close | Launch | Ending | None


def decide(job: Job, seen: Observation, now: float, limits: Limits) -> Decision:
    """The one next step for a job, or None: leave it."""
    if job.state.is_terminal:
        return _after_the_end(job, seen, now)
    if job.state is State.PENDING or job.claim == 0:
        return None  # waits for its turn
    if isinstance(seen, Exited):
        return endings.of_exit(seen, callbacks=job.callbacks, cancel_requested=job.cancel_requested_at is not None)
    if job.cancel_requested_at is not None and not isinstance(seen, Absent):
        return AskToStop()
    match seen:
        case Absent():
            return _absent(job, now)
        case Preparing():
            return _too_long(job, now, limits)
        case Alive():
            return _alive(job, seen, now, limits)


def _after_the_end(job: Job, seen: Observation, now: float) -> Decision:
    if isinstance(seen, (Exited, Absent)):
        return Close()
    we_ended_it = job.reason in (Reason.HEARTBEAT_LOST, Reason.TIMEOUT, Reason.SUPERVISOR_LOST)
    lingers = now - (job.finished_at or now) < LINGER_SECONDS
    return None if lingers and not we_ended_it else Kill()


def _absent(job: Job, now: float) -> Decision:
    if job.cancel_requested_at is not None:
        # asked first, so that a run which is only about to appear refuses to start
        told = now - job.cancel_requested_at > ASK_SECONDS
        return (
            Ending(State.CANCELLED, Reason.CANCELLED_BY_USER, "Cancelled before it started.") if told else AskToStop()
        )
    if job.launched_at is None:
        return Launch()
    patience = ATTACH_SECONDS if job.attached else VANISH_SECONDS
    if now - job.launched_at < patience:
        return None
    if job.attached and job.state is State.QUEUED:
        return Ending(
            State.FAILED, Reason.LAUNCH_FAILED, "The terminal that was to run it went away before it started."
        )
    return Ending(
        State.FAILED, Reason.SUPERVISOR_LOST, "Its run can't be found any more: its folder was removed or never made."
    )


def _too_long(job: Job, now: float, limits: Limits) -> Decision:
    waited = now - max(job.launched_at or job.queued_at or now, limits.since)
    if waited > limits.launch:
        return Ending(
            State.FAILED,
            Reason.TIMEOUT,
            f"It was not started within {limits.launch:.0f} s (setting TRAINYARD_LAUNCH_SECONDS).",
        )
    return None


def _alive(job: Job, seen: Alive, now: float, limits: Limits) -> Decision:
    if not job.callbacks:
        if job.state is State.QUEUED:
            return Start()
        return _ran_too_long(job, now, limits)
    silent = now - max(job.seen_at or 0, job.launched_at or 0, seen.started_at, limits.since)
    if silent <= limits.silence:
        return MarkStuck(None) if job.stuck_since is not None else _ran_too_long(job, now, limits)
    if not seen.busy or silent > limits.stuck:
        what = "worked on but" if seen.busy else "stood still and"
        return Ending(
            State.FAILED,
            Reason.HEARTBEAT_LOST,
            f"The trainer {what} said nothing for {silent:.0f} s.",
            {"silent_seconds": round(silent), "busy": seen.busy, "last_phase": job.phase},
        )
    return MarkStuck(now - silent) if job.stuck_since is None else _ran_too_long(job, now, limits)


def _ran_too_long(job: Job, now: float, limits: Limits) -> Decision:
    if job.started_at is not None and now - job.started_at > limits.run:
        return Ending(
            State.FAILED,
            Reason.TIMEOUT,
            f"It ran longer than {limits.run / 3600:g} hours (setting TRAINYARD_MAX_JOB_HOURS).",
        )
    return None
