"""How a run stands, from what the cluster says of its Job and pods: it waits, it runs, or it is over. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes.diagnosis import by_policy, diagnose
from trainyard.executors.kubernetes.fields import Fields, at, each, latest, moment, text
from trainyard.executors.kubernetes.finding import NOTHING_WRONG, Diagnosis
from trainyard.executors.kubernetes.manifest import COMPLETE, QUEUE_LABEL

GONE = Diagnosis(
    Reason.KILLED,
    "Its Job is gone from the cluster, and trainyard did not delete it.",
    "Nothing is wrong with the training. The cluster's audit log says who deleted it.",
    ["neither its Job nor a pod of it is there"],
)


TAKEN = Diagnosis(
    Reason.EVICTED,
    "The cluster took its pod away.",
    NOTHING_WRONG,
    ["its pod was taken away, and is no longer there"],
    relaunch=True,
)


@dataclass(frozen=True, slots=True)
class Waits:
    """It has not started; `found`: what is in its way, if anything. `nearly`: its container may run already, and the
    cluster tells a moment later."""

    message: str
    found: Diagnosis | None = None
    nearly: bool = False


@dataclass(frozen=True, slots=True)
class Runs:
    started_at: float


@dataclass(frozen=True, slots=True)
class Over:
    """No process of it is left; without a finding it ended well."""

    found: Diagnosis | None
    at: float


Standing = Waits | Runs | Over | None


def standing(
    job: Fields | None,
    pods: Sequence[Fields],
    is_there: Callable[[Fields], bool],
    events: Sequence[Fields] = (),
    nodes: Sequence[Fields] = (),
) -> Standing:
    """None where nothing of it is in the cluster, or a Job only that misses what it needs: whoever sent it died on the
    way. `pods` may hold some that are gone, as they last were."""
    if not pods and at(job, "metadata", "annotations", COMPLETE) is None:
        return None
    if not pods:
        return None if job is None else _without_pods(job, events)
    going = [pod for pod in pods if is_there(pod) and not _has_ended(pod)]
    if not going:
        return _over(job, pods, is_there)
    started = [begun for begun in map(_started_at, going) if begun]
    if started:
        return Runs(min(started))
    on_a_node = bool(text(going[0], "spec", "nodeName"))
    if on_a_node and at(going[0], "metadata", "deletionTimestamp") is not None:
        return Waits("Its pod is being ended.", nearly=True)
    found = diagnose(going[0], job, events, nodes)
    if found is not None:
        return Waits(found.message, found)
    fetching = _image_fetched(going[0], events)
    if on_a_node and not fetching:
        return Waits("Its node prepares it.", nearly=True)
    return Waits(f"Its node fetches the image: {fetching}." if fetching else "It waits for a node.")


def _without_pods(job: Fields, events: Sequence[Fields]) -> Waits | Over:
    found = diagnose(None, job, events)
    if found is not None and found.reason in (Reason.TIMEOUT, Reason.KILLED, Reason.EVICTED):
        return Over(found, 0.0)
    if found is not None:
        return Waits(found.message, found)
    queue = text(job, "metadata", "labels", QUEUE_LABEL)
    if at(job, "spec", "suspend") and queue:
        return Waits(f"It waits in the queue {queue}.")
    return Waits("Its pod is being made.")


def _over(job: Fields | None, pods: Sequence[Fields], is_there: Callable[[Fields], bool]) -> Over:
    """Of several pods one that was taken away tells why, else the one that failed first: the others ended for it.
    A pod without an end never ran, which tells less than one that did."""
    ends = [(_ended_at(pod), diagnose(pod, job) or _vanished(pod, job, is_there(pod))) for pod in pods]
    failed = [(end, found) for end, found in ends if found is not None]
    if not failed:
        return Over(None, max(end for end, _ in ends))
    end, found = min(failed, key=lambda one: (not one[1].relaunch, one[0] or math.inf))
    return Over(found, end)


def _vanished(pod: Fields, job: Fields | None, there: bool) -> Diagnosis | None:
    """Gone without having ended: nobody saw it go, but its Job may know."""
    if there or _has_ended(pod):
        return None
    if (known := by_policy(job)) is not None:
        return known
    what = "Its pod is gone from the cluster, and nobody saw how it ended."
    hint = "Its node may be gone, or somebody deleted it by force. The cluster's events say more, for an hour."
    return Diagnosis(Reason.KILLED, what, hint, [f"pod {text(pod, 'metadata', 'name')} is no longer there"])


def _has_ended(pod: Fields) -> bool:
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def _image_fetched(pod: Fields, events: Sequence[Fields]) -> str:
    """Which image its node fetches just now; empty: none."""
    named = text(pod, "metadata", "name")
    of_pod = [event for event in events if text(event, "involvedObject", "name") == named]
    if latest(of_pod, "Pulled", "Failed"):
        return ""
    return latest(of_pod, "Pulling").removeprefix("Pulling image ")


def _started_at(pod: Fields) -> float:
    """When its trainer began; 0 while it has not."""
    for status in each(pod, "status", "containerStatuses"):
        begun = text(status, "state", "running", "startedAt") or text(status, "state", "terminated", "startedAt")
        if begun:
            return moment(begun)
    return 0.0


def _ended_at(pod: Fields) -> float:
    ends = [
        moment(text(status, "state", "terminated", "finishedAt"))
        for status in each(pod, "status", "containerStatuses")
        if text(status, "state", "terminated", "finishedAt")
    ]
    return max(ends, default=0.0)
