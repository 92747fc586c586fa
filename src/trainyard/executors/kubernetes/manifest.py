"""A run as Kubernetes objects: plain data, made without asking a cluster, never text put together.

Whoever sends them does so in this order, and may repeat each step (an object that is there already is ours, by name):
1. the Job, which is created suspended: nothing starts, and it has a uid now;
2. `owned_by(uid)`: Secret, ConfigMap and Service, which the Job owns from their first moment;
3. the patch `resumed`: all that it needs is there, and it may start; where it waits in a queue, Kueue resumes it.
So wherever a sender dies or is refused, deleting the Job (propagationPolicy=Background) takes everything with it, no
pod waits for a Secret that isn't coming, and no Secret is ever without an owner.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

from trainyard.contract.vocabulary import Execution
from trainyard.executors.base import RunSpec
from trainyard.executors.kubernetes.code import Shipped, by_config_map, by_store
from trainyard.executors.kubernetes.names import code_name, job_name, label_value, labels, secret_name, selector
from trainyard.executors.kubernetes.pod import pod_spec
from trainyard.executors.kubernetes.program import Program
from trainyard.executors.kubernetes.resources import PodNeeds
from trainyard.executors.kubernetes.variables import CODE_URL, MASTER_PORT, split
from trainyard.settings import Settings

Object = dict[str, Any]
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
CODE_HASH = "trainyard/code-hash"
COMPLETE = "trainyard/complete"  # on a Job that has all it needs: without it, whoever sent it died on the way
# a pod that was evicted, preempted or lost its node fails the Job with that reason. Another one in its place would run
# the same attempt twice: relaunching, from last.pt and as the next attempt, is the jobs service's
_POD_FAILURE_POLICY: Object = {
    "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
}


@dataclass(frozen=True, slots=True)
class Manifests:
    """All objects of one attempt; how they are sent stands above."""

    job: Object
    owned: tuple[Object, ...] = field(repr=False)  # a Secret among them

    @property
    def waits_for_queue(self) -> bool:
        return QUEUE_LABEL in self.job["metadata"]["labels"]

    @property
    def resumed(self) -> Object:
        """The last change to its Job."""
        complete: Object = {"metadata": {"annotations": {COMPLETE: "true"}}}
        return complete if self.waits_for_queue else complete | {"spec": {"suspend": False}}

    def owned_by(self, uid: str) -> tuple[Object, ...]:
        """What the Job owns, once it is known by its uid."""
        job = self.job["metadata"]["name"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid, "controller": True}
        return tuple(
            {**each, "metadata": {**each["metadata"], "ownerReferences": [dict(owner)]}} for each in self.owned
        )

    def without_secrets(self) -> "Manifests":
        """For whoever wants to look at it."""
        owned = copy.deepcopy(self.owned)
        for each in owned:
            if each["kind"] == "Secret":
                each["stringData"] = dict.fromkeys(each["stringData"], f"(in Secret {each['metadata']['name']})")
        return Manifests(self.job, owned)


def build(settings: Settings, spec: RunSpec, needs: PodNeeds, program: Program | None, code_url: str = "") -> Manifests:
    """Without a program the image runs its own entrypoint. `code_url`: where the pod gets the program's archive, for a
    program that has one; a presigned URL, which is as secret as a key."""
    run = spec.run
    plain, secret = split(spec.env)
    shipped = _shipped(program, code_name(run))
    if shipped is not None and shipped.fetch:
        secret |= {CODE_URL: code_url}
    tier = Execution.IMAGE if program is None else Execution.K8S
    marks = labels(run, spec.framework) | {
        "trainyard/framework": label_value(spec.framework),
        "trainyard/tier": tier.value,
    }
    pod = pod_spec(settings, run, needs, (plain, _in(secret, spec)), program.command if program else [], shipped)
    job = _job(settings, spec, needs, marks, pod)
    if program is not None:
        job["metadata"]["annotations"] = {CODE_HASH: program.bundle.hash}
    owned = [_object("Secret", secret_name(run), settings, marks, immutable=True, type="Opaque", stringData=secret)]
    if shipped is not None and shipped.config_map:
        owned.append(_object("ConfigMap", code_name(run), settings, marks, immutable=True, **shipped.config_map))
    if needs.replicas > 1:
        owned.append(_object("Service", job_name(run), settings, marks, spec=_meeting_place(spec)))
    return Manifests(copy.deepcopy(job), tuple(copy.deepcopy(owned)))


def _in(secret: dict[str, str], spec: RunSpec) -> dict[str, str]:
    """The trainer gets its own secrets only, not the init container's."""
    return {name: value for name, value in secret.items() if name in spec.env}


def _shipped(program: Program | None, name: str) -> Shipped | None:
    if program is None:
        return None
    if program.archive is not None:
        return by_store(program.archive)
    return by_config_map(program.bundle, name)


def _job(settings: Settings, spec: RunSpec, needs: PodNeeds, marks: dict[str, str], pod: Object) -> Object:
    queue = {QUEUE_LABEL: needs.queue} if needs.queue else {}
    job: Object = {
        "suspend": True,
        "backoffLimit": 0,
        "parallelism": needs.replicas,
        "completions": needs.replicas,
        "completionMode": "Indexed" if needs.replicas > 1 else "NonIndexed",
        "activeDeadlineSeconds": int(settings.max_job_hours * 3600) or 1,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": _POD_FAILURE_POLICY,
        "template": {"metadata": {"labels": marks}, "spec": pod},
    }
    return _object("Job", job_name(spec.run), settings, marks | queue, api="batch/v1", spec=job)


def _meeting_place(spec: RunSpec) -> Object:
    """A headless Service: it gives the pods names that they find each other by, before they are ready, too."""
    return {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": selector(spec.run),
        "ports": [{"name": "rendezvous", "port": MASTER_PORT}],
    }


def _object(kind: str, name: str, settings: Settings, marks: dict[str, str], *, api: str = "v1", **rest: Any) -> Object:
    metadata = {"name": name, "namespace": settings.k8s_namespace, "labels": marks}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}
