"""The pod of a training: what it runs, what it may use, and what it must not be able to do."""

import math
from collections.abc import Mapping
from typing import Any

from trainyard.contract.resources import Toleration
from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.code import CODE, Shipped
from trainyard.executors.kubernetes.names import job_name, secret_name
from trainyard.executors.kubernetes.resources import PodNeeds
from trainyard.executors.kubernetes.variables import (
    BASE,
    CODE_URL,
    distributed_entries,
    literal,
    plain_entries,
    secret_entries,
)
from trainyard.settings import Settings

CONTAINER = "trainer"
FETCHER = "code"
USER = 10001  # the Dockerfiles' own
_CODE_MOUNT = {"name": "code", "mountPath": CODE, "readOnly": True}
_TMP_MOUNT = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a volume of this pod alone
# where a container fails without a message of its own, the end of its output is it: of several pods the one that failed
# first says why, and only the first pod's log is kept
_LAST_WORDS = {"terminationMessagePolicy": "FallbackToLogsOnError"}
_LOCKED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod_spec(
    settings: Settings,
    run: RunId,
    needs: PodNeeds,
    variables: tuple[Mapping[str, str], Mapping[str, str]],
    command: list[str],
    shipped: Shipped | None,
) -> dict[str, Any]:
    """`variables` are (plain, secret); without `shipped` the image runs what it was built to run."""
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": math.ceil(settings.grace_seconds),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_trainer(settings, run, needs, variables, command, shipped)],
        "volumes": _volumes(needs, shipped),
    }
    if shipped is not None and shipped.fetch:
        spec["initContainers"] = [_fetcher(settings, run, needs, shipped)]
    if needs.replicas > 1:
        spec["subdomain"] = job_name(run)
    if needs.node_selector:
        spec["nodeSelector"] = dict(needs.node_selector)
    if needs.tolerations:
        spec["tolerations"] = [_toleration(each) for each in needs.tolerations]
    return spec


def _trainer(
    settings: Settings,
    run: RunId,
    needs: PodNeeds,
    variables: tuple[Mapping[str, str], Mapping[str, str]],
    command: list[str],
    shipped: Shipped | None,
) -> dict[str, Any]:
    plain, secret = variables
    env = [*plain_entries({**BASE, **plain}), *secret_entries(secret, secret_name(run))]
    if needs.replicas > 1:
        env += distributed_entries(job_name(run), needs.replicas)
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": needs.image,
        "imagePullPolicy": settings.k8s_pull_policy,
        "env": env,
        "resources": {"requests": needs.requests(), "limits": needs.limits()},
        "securityContext": _LOCKED,
        **_LAST_WORDS,
        "volumeMounts": [_TMP_MOUNT, {"name": "shm", "mountPath": "/dev/shm"}],  # noqa: S108
    }
    if shipped is not None:
        container |= {"command": [literal(word) for word in command], "workingDir": CODE}
        container["volumeMounts"] = [_CODE_MOUNT, *container["volumeMounts"]]
    return container


def _fetcher(settings: Settings, run: RunId, needs: PodNeeds, shipped: Shipped) -> dict[str, Any]:
    """It asks for what the trainer asks for: a pod counts the larger of the two, and quotas want both to say it."""
    env = [*plain_entries(shipped.variables), *secret_entries({CODE_URL: ""}, secret_name(run))]
    amounts = {"cpu": needs.cpu, "memory": needs.memory}
    return {
        "name": FETCHER,
        "image": needs.image,
        "imagePullPolicy": settings.k8s_pull_policy,
        "command": [literal(word) for word in shipped.fetch],
        "env": env,
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": _LOCKED,
        **_LAST_WORDS,
        "volumeMounts": [{"name": "code", "mountPath": CODE}, _TMP_MOUNT],
    }


def _toleration(given: Toleration) -> dict[str, str]:
    said = {"key": given.key, "operator": given.operator, "value": given.value, "effect": given.effect}
    return {name: text for name, text in said.items() if text}


def _volumes(needs: PodNeeds, shipped: Shipped | None) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": needs.shm}},
    ]
    return [shipped.volume, *volumes] if shipped is not None else volumes
