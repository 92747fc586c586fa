"""What became of a Job and its pod, from their status and events alone: reason, sentence, evidence, what to do. Pure.

Plain dicts come in, as the API server answers (lightkube's `to_dict`). What is missing or odd is passed over: this
never raises. It returns None for a pod that goes about its work, or has ended well.
"""

from collections.abc import Sequence

from trainyard.contract.callbacks import Done
from trainyard.contract.vocabulary import DoneStatus, Reason
from trainyard.executors.base import Exited
from trainyard.executors.kubernetes import containers, scheduling
from trainyard.executors.kubernetes.creation import refused
from trainyard.executors.kubernetes.eviction import taken_away
from trainyard.executors.kubernetes.fields import Fields, at, condition, each, latest, moment, text, whole
from trainyard.executors.kubernetes.finding import LATER, NEVER, NOTHING_WRONG, Diagnosis


def diagnose(
    pod: Fields | None, job: Fields | None = None, events: Sequence[Fields] = (), nodes: Sequence[Fields] = ()
) -> Diagnosis | None:
    """`events` are those of both; `nodes` the cluster's, where they may be read."""
    if pod is None:
        return _without_pod(job, events)
    statuses = [(one, True) for one in each(pod, "status", "initContainerStatuses")]
    statuses += [(one, False) for one in each(pod, "status", "containerStatuses")]
    of_containers = [containers.of_status(one, pod, events, init) for one, init in statuses]
    found = next((one for one in of_containers if one is not None), None)
    stopped = _was_asked_to_go(pod) and (found is None or found.reason is Reason.TRAINER_ERROR)
    if text(pod, "status", "phase") == "Succeeded" and not stopped:
        return found  # a process was killed for memory, and the exit code is 0 all the same
    by_whom = _deadline(pod, job) or taken_away(pod) or (_deleted(pod, job) if stopped else None)
    return by_whom or found or _deleted(pod, job) or _held_up(pod, events, nodes)


def as_exit(
    found: Diagnosis | None,
    *,
    receipt: Done | None = None,
    tail: str = "",
    traceback: str = "",
    at: float = 0.0,
    stopped_on_request: bool = False,
) -> Exited:
    """The end of a run. A crash is named by the trainer's own words, not by what the cluster knows of it."""
    if found is not None and not stopped_on_request and receipt is not None and _answers_to(found, receipt.status):
        receipt, tail, traceback = None, found.tail or tail, ""
    if found is None or stopped_on_request or found.reason is Reason.TRAINER_ERROR:
        code, number = (0, None) if found is None else (found.exit_code, found.signal)
        last = tail or (found.tail if found else "")
        return Exited(code, number, at, False, stopped_on_request, receipt, last, traceback)
    return Exited(
        found.exit_code,
        found.signal,
        at,
        out_of_memory=found.reason is Reason.OUT_OF_MEMORY,
        receipt=receipt,
        tail=tail or found.tail,
        traceback=traceback,
        reason=found.reason,
        message=found.message,
        evidence=found.evidence,
        relaunch=found.relaunch,
    )


def _answers_to(found: Diagnosis, said: DoneStatus) -> bool:
    """What the trainer said was about the end that others made it: a SIGTERM that nobody asked for, or the loss of
    another pod that trained with it."""
    return said is DoneStatus.CANCELLED or (found.relaunch and said is DoneStatus.FAILED)


# -- no pod ---------------------------------------------------------------------------------------------------------


def _without_pod(job: Fields | None, events: Sequence[Fields]) -> Diagnosis | None:
    if job is None:
        return None
    deadline = _deadline({}, job)
    if deadline is not None:
        return deadline
    if at(job, "metadata", "deletionTimestamp") is not None:
        return _killed("Its Job", ["the Job has a deletionTimestamp"])
    if (known := by_policy(job)) is not None:
        return known
    failed = condition(job, "Failed") or condition(job, "FailureTarget")
    if failed is not None:
        line = f"{text(failed, 'reason')}: {text(failed, 'message')}"
        return _killed("Its pod", [line])
    said = latest(events, "FailedCreate")
    return refused(said.removeprefix("Error creating: ")) if said else None


def by_policy(job: Fields | None) -> Diagnosis | None:
    """Our Jobs have one such rule: a pod that the cluster took away. It is told also where nobody saw that pod go."""
    failed = condition(job, "Failed") or condition(job, "FailureTarget") or {}
    if text(failed, "reason") != "PodFailurePolicy":
        return None
    line = f"PodFailurePolicy: {text(failed, 'message')}"
    return Diagnosis(Reason.EVICTED, "The cluster took its pod away.", NOTHING_WRONG, [line], relaunch=True)


def _killed(which: str, lines: list[str]) -> Diagnosis:
    what = f"{which} was deleted from the cluster, and not through trainyard."
    hint = "Nothing is wrong with the training. The cluster's audit log says who deleted it."
    return Diagnosis(Reason.KILLED, what, hint, lines)


# -- ended by the cluster -------------------------------------------------------------------------------------------


def _deadline(pod: Fields, job: Fields | None) -> Diagnosis | None:
    failed = condition(job, "Failed") or condition(job, "FailureTarget") or {}
    of_job = text(failed, "reason") == "DeadlineExceeded"
    if not of_job and text(pod, "status", "reason") != "DeadlineExceeded":
        return None
    seconds = whole(job, "spec", "activeDeadlineSeconds") or whole(pod, "spec", "activeDeadlineSeconds")
    how_long = (
        f"the {seconds / 3600:.3g} hours"
        if seconds and seconds >= 3600
        else f"the {seconds} s"
        if seconds
        else "the time"
    )
    said = text(failed, "message") if of_job else text(pod, "status", "message")
    hint = "Raise the limit (setting TRAINYARD_MAX_JOB_HOURS), or train for fewer epochs; what it had reached is kept."
    return Diagnosis(
        Reason.TIMEOUT, f"It ran longer than {how_long} that it was given.", hint, [f"DeadlineExceeded: {said}"]
    )


def _was_asked_to_go(pod: Fields) -> bool:
    """Its deletion was asked for before its trainer ended: whatever exit code that gave."""
    if at(pod, "metadata", "deletionTimestamp") is None:
        return False
    grace = whole(pod, "metadata", "deletionGracePeriodSeconds") or 0
    asked = moment(text(pod, "metadata", "deletionTimestamp")) - grace
    return any(asked <= moment(end) + 1 for end in _ends(pod))  # their seconds are whole


def _ends(pod: Fields) -> list[str]:
    each_end = [text(one, "state", "terminated", "finishedAt") for one in each(pod, "status", "containerStatuses")]
    return [end for end in each_end if end]


def _deleted(pod: Fields, job: Fields | None) -> Diagnosis | None:
    if at(job, "metadata", "deletionTimestamp") is not None:
        return _killed("Its Job", ["the Job has a deletionTimestamp"])
    if at(pod, "metadata", "deletionTimestamp") is not None and at(job, "spec", "suspend") is True:
        what = "Its queue gave its place to others."
        return Diagnosis(Reason.EVICTED, what, NOTHING_WRONG, ["the Job was suspended"], relaunch=True)
    if at(pod, "metadata", "deletionTimestamp") is not None:
        return _killed("Its pod", ["the pod has a deletionTimestamp"])
    return None


# -- not started yet ------------------------------------------------------------------------------------------------


def _held_up(pod: Fields, events: Sequence[Fields], nodes: Sequence[Fields]) -> Diagnosis | None:
    phase = text(pod, "status", "phase")
    if phase == "Failed":
        said = f"{text(pod, 'status', 'reason')}: {text(pod, 'status', 'message')}".strip(": ")
        what = f"Its pod failed: {said}." if said else "Its pod failed, and the cluster gives no reason."
        return Diagnosis(
            Reason.LAUNCH_FAILED, what, "`kubectl describe pod` shows its events.", [said or "phase Failed"]
        )
    if phase not in ("Pending", ""):
        return None
    return _unscheduled(pod, events, nodes) or _not_set_up(events)


def _unscheduled(pod: Fields, events: Sequence[Fields], nodes: Sequence[Fields]) -> Diagnosis | None:
    where = condition(pod, "PodScheduled", "False")
    if where is None:
        return None
    if text(where, "reason") == "SchedulingGated":
        what, hint = (
            "It waits in the cluster's queue until it is let in.",
            "Its queue decides: `kubectl get workloads`.",
        )
        return Diagnosis(Reason.UNSCHEDULABLE, what, hint, ["SchedulingGated"], NEVER)
    said = text(where, "message") or latest(events, "FailedScheduling")
    room = scheduling.explain(said, pod, nodes)
    return Diagnosis(Reason.UNSCHEDULABLE, room.what, room.hint, [f"Unschedulable: {said}"], NEVER)


def _not_set_up(events: Sequence[Fields]) -> Diagnosis | None:
    said = latest(events, "FailedMount", "FailedAttachVolume")
    if said:
        line = f"FailedMount: {said}"
        found = containers.missing(said, line)
        if found is not None:
            return found
        if "Multi-Attach" in said:
            what, hint = "Another node still holds its volume.", "It starts once the other pod has ended."
        else:
            what, hint = f"A volume could not be mounted: {said.strip()[:400]}.", "Correct what the line names."
        return Diagnosis(Reason.LAUNCH_FAILED, what.replace("..", "."), hint, [line], LATER)
    said = latest(events, "FailedCreatePodSandBox")
    if not said:
        return None
    what = "The node could not set up the pod's network or runtime."
    hint = "The line says what the node answered; who runs the cluster can mend it."
    return Diagnosis(Reason.LAUNCH_FAILED, what, hint, [f"FailedCreatePodSandBox: {said}"], LATER)
