"""Pods, Jobs and events as the API server shows them, for tests of pure functions."""

from typing import Any

Fields = dict[str, Any]
IMAGE = "ghcr.io/example/trainer:1"


def a_pod(phase: str = "Running", **status: Any) -> Fields:
    """A pod of a Job, with the fields that a real one has."""
    container = {
        "name": "trainer",
        "image": IMAGE,
        "resources": {"requests": {"cpu": "8", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "training-job-20261121-101112-abcd-x7k2p", "namespace": "trainyard", "labels": {}},
        "spec": {
            "nodeName": "node-1",
            "containers": [container],
            "initContainers": [{"name": "fetch-code", "image": IMAGE, "resources": {}}],
            "restartPolicy": "Never",
        },
        "status": {"phase": phase, "qosClass": "Burstable", "startTime": "2026-11-21T10:11:14Z"} | status,
    }


def a_container(state: Fields, name: str = "trainer", **more: Any) -> Fields:
    return {
        "name": name,
        "image": IMAGE,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "started": False,
        "lastState": {},
        "state": state,
    } | more


def waits(reason: str, message: str = "", *, init: bool = False) -> Fields:
    """A pending pod whose container waits."""
    which, name = ("initContainerStatuses", "fetch-code") if init else ("containerStatuses", "trainer")
    return a_pod("Pending", **{which: [a_container({"waiting": {"reason": reason, "message": message}}, name)]})


def ended(code: int, reason: str = "Error", message: str = "", *, phase: str = "Failed", init: bool = False) -> Fields:
    """A pod whose container has ended."""
    state = {"exitCode": code, "reason": reason, "startedAt": "2026-11-21T10:11:20Z", "containerID": "containerd://1"}
    state |= {"finishedAt": "2026-11-21T10:12:20Z"} | ({"message": message} if message else {})
    which, name = ("initContainerStatuses", "fetch-code") if init else ("containerStatuses", "trainer")
    return a_pod(phase, **{which: [a_container({"terminated": state}, name)]})


def unschedulable(message: str, reason: str = "Unschedulable") -> Fields:
    told = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    pod = a_pod("Pending", conditions=[told])
    del pod["spec"]["nodeName"]
    return pod


def disrupted(reason: str, message: str, code: int = 143) -> Fields:
    pod = ended(code)
    pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]
    return pod


def a_job(*conditions: Fields, **spec: Any) -> Fields:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "training-job-20261121-101112-abcd", "namespace": "trainyard"},
        "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1} | spec,
        "status": {"conditions": list(conditions), "failed": 1},
    }


def failed(reason: str, message: str) -> Fields:
    return {"type": "Failed", "status": "True", "reason": reason, "message": message}


def event(reason: str, message: str, at: str = "2026-11-21T10:11:15Z", kind: str = "Pod") -> Fields:
    told = {"reason": reason, "message": message, "type": "Warning", "count": 3, "lastTimestamp": at}
    return told | {"involvedObject": {"kind": kind, "name": "training-job-20261121-101112-abcd"}}


def a_node(name: str, **allocatable: str) -> Fields:
    told = {"cpu": "4", "memory": "16374520Ki", "pods": "110"} | allocatable
    return {"metadata": {"name": name}, "status": {"allocatable": told}}
