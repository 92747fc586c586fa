"""Pods that the cluster took away: evicted, preempted, their node gone. Pure."""

import re

from trainyard.contract.vocabulary import Reason
from trainyard.executors.kubernetes.fields import Fields, condition, text
from trainyard.executors.kubernetes.finding import NOTHING_WRONG, Diagnosis
from trainyard.executors.kubernetes.scheduling import RESOURCES

_LOW = re.compile(
    r"low on resource: (?P<what>[\w-]+)(?:\. Threshold quantity: (?P<least>[^,\s]+), available: (?P<left>[^.\s]+))?"
)
_USED = re.compile(r"was using (?P<used>\w+), request is (?P<asked>\w+)")
_LIMIT = re.compile(r'exceed(?:s|ed) (?:its|the)[^"\d]*"?(?P<limit>\d\w*)')
_DISRUPTIONS = {
    "PreemptionByScheduler": "The cluster gave its place to a pod of higher priority.",
    "DeletionByTaintManager": "Its node was taken out of service (a taint that the pod does not tolerate).",
    "EvictionByEvictionAPI": "It was moved away from its node: the node is being drained.",
    "DeletionByPodGC": "Its node is gone, and the pod with it.",
    "TerminationByKubelet": "Its node removed it to save itself, or was shut down.",
}
_NODE_GONE = ("NodeLost", "NodeShutdown", "Shutdown", "Terminated")


def taken_away(pod: Fields) -> Diagnosis | None:
    """None where it is still there, or ended by itself."""
    reason, message = text(pod, "status", "reason"), text(pod, "status", "message")
    line = f"{reason}: {message}".strip(": ")
    if reason == "Evicted":
        return _evicted(message, line)
    if reason in _NODE_GONE or text(pod, "status", "phase") == "Unknown":
        node = text(pod, "spec", "nodeName")
        what = f"Its node{f' {node}' if node else ''} went away or was shut down."
        return Diagnosis(Reason.EVICTED, what, NOTHING_WRONG, [line or "phase Unknown"], relaunch=True)
    if reason.startswith("OutOf") or reason in ("UnexpectedAdmissionError", "NodeAffinity", "TopologyAffinityError"):
        what = f"Its node did not take it after all: {message or reason}."
        return Diagnosis(Reason.UNSCHEDULABLE, what.replace("..", "."), NOTHING_WRONG, [line], relaunch=True)
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted is None:
        return None
    cause, said = text(disrupted, "reason"), text(disrupted, "message")
    what = _DISRUPTIONS.get(cause, "The cluster took it away from its node.")
    return Diagnosis(Reason.EVICTED, what, NOTHING_WRONG, [f"{cause}: {said}".strip(": ")], relaunch=True)


def _evicted(message: str, line: str) -> Diagnosis:
    limit = _LIMIT.search(message)
    if limit is not None:  # its own limit: another pod would end alike
        if "EmptyDir" in message:
            what = f"It wrote more than {limit['limit']} into a volume of its pod (shared memory, or temporary files)."
            hint = "Fewer workers need less shared memory; or give the volume a higher limit."
        else:
            what = f"It wrote more than the {limit['limit']} of disk that it may use."
            hint = "Write less beside the checkpoints, or give the training more ephemeral storage."
        return Diagnosis(Reason.EVICTED, what, hint, [line])
    low, used = _LOW.search(message), _USED.search(message)
    if low is None:
        pressure = re.search(r"condition: \[(\w+)\]", message)
        what = (
            f"Its node was under pressure ({pressure[1]}) and removed the pod."
            if pressure
            else "Its node removed the pod."
        )
        return Diagnosis(Reason.EVICTED, what, NOTHING_WRONG, [line], relaunch=True)
    resource = RESOURCES.get(low["what"], low["what"])
    told = [f"{low['left']} were left, it wants {low['least']}"] if low["left"] else []
    told += [f"the pod used {used['used']} and had asked for {used['asked']}"] if used else []
    more = f" ({'; '.join(told)})" if told else ""
    what = f"Its node ran out of {resource} and removed the pod{more}."
    hint = (
        f"Nothing is wrong with the training. A request for as much {resource} as it uses keeps it from being chosen."
    )
    return Diagnosis(Reason.EVICTED, what, hint, [line], relaunch=True)
