"""What is to happen to a job, given how its run looks: pure, so every case is a line in a test."""

from dataclasses import dataclass

from trainyard.contract.vocabulary import Reason, State
from trainyard.executors.base import Absent, Alive, Exited, Observation, Preparing, Unseen
from trainyard.jobs import endings
from trainyard.jobs.model import Job
from trainyard.jobs.transition import Ending

ATTACH_SECONDS = 60.0  # a terminal that was told to start its run has so long to do it
VANISH_SECONDS = 10.0  # a run just launched may not be visible at once
ASK_SECONDS = 2.0  # a run not seen yet is asked to stop for so long before it counts as never started
EXPLAIN_SECONDS = 1.5  # a pod takes about that long on its way
LINGER_SECONDS = 10.0  # a trainer that said `done` may take so long to leave


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are, and since when we have been looking: silence while we were away is not counted."""

    silence: float
    stuck: float
    launch: float
    run: float
    relaunches: int
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
class Explain:
    """It waits where it was sent to: say for what."""

    why: str


@dataclass(frozen=True, slots=True)
class Relaunch:
    """It was taken away for no fault of its own: the next attempt goes on where this one was."""

    why: str


@dataclass(frozen=True, slots=True)
class Launch:
    """It has its leases, but the run was never started (or we died before noting that it was)."""


Decision = Start | AskToStop | Kill | MarkStuck | Close | Explain | Relaunch | Launch | Ending | None


def decide(job: Job, seen: Observation, now: float, limits: Limits) -> Decision:
    """The one next step for a job, or None: leave it."""
    if job.state.is_terminal:
        return _after_the_end(job, seen, now)
    if job.state is State.PENDING or job.claim == 0:
        return None  # waits for its turn
    if isinstance(seen, Exited):
        if _deserves_another(job, seen, limits):
            return Relaunch(seen.message)
        return endings.of_exit(seen, callbacks=job.callbacks, cancel_requested=job.cancel_requested_at is not None)
    if job.cancel_requested_at is not None and not isinstance(seen, Absent):
        return AskToStop()
    match seen:
        case Absent():
            return _absent(job, now)
        case Preparing():
            return _too_long(job, seen, now, limits) or _explained(job, seen, now)
        case Alive():
            return _alive(job, seen, now, limits)
        case Unseen():
            return _unseen(job, seen, now, limits)


def _after_the_end(job: Job, seen: Observation, now: float) -> Decision:
    if isinstance(seen, (Exited, Absent)):
        return Close()
    if isinstance(seen, Unseen):
        return None
    if isinstance(seen, Preparing) and job.launched_at is not None:
        return Kill()  # handed over, and never started
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


def _deserves_another(job: Job, seen: Exited, limits: Limits) -> bool:
    told = seen.receipt is not None or job.cancel_requested_at is not None
    return seen.relaunch and not told and job.attempt <= limits.relaunches


def _too_long(job: Job, seen: Preparing, now: float, limits: Limits) -> Decision:
    waited = now - max(job.launched_at or job.queued_at or now, limits.since)
    if waited <= limits.launch or job.state is not State.QUEUED:
        return None
    late = f"It was not started within {limits.launch:.0f} s (setting TRAINYARD_LAUNCH_SECONDS)."
    if seen.reason is None:
        return Ending(State.FAILED, Reason.TIMEOUT, late)
    return Ending(State.FAILED, seen.reason, f"{seen.message} {late}", seen.evidence)


def _explained(job: Job, seen: Preparing, now: float) -> Decision:
    """While it is being launched, the launcher itself tells; what passes at once is not worth a word."""
    if job.launched_at is None or now - job.launched_at < EXPLAIN_SECONDS or job.state is not State.QUEUED:
        return None
    if job.message == seen.message:
        return None
    return Explain(seen.message)


def _unseen(job: Job, seen: Unseen, now: float, limits: Limits) -> Decision:
    """Nothing is concluded from it: only a silence that would end a run in sight ends this one."""
    silent = now - max(job.seen_at or 0, job.launched_at or now, limits.since)
    if job.state is State.RUNNING and job.callbacks and silent > limits.stuck:
        what = f"The trainer said nothing for {silent:.0f} s, and nobody could look: {seen.message}"
        return Ending(State.FAILED, Reason.HEARTBEAT_LOST, what, {"silent_seconds": round(silent)})
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
