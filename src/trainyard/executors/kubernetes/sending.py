"""Handing a run's objects to the cluster, in an order in which a death or a refusal anywhere leaves nothing behind."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from trainyard.errors import Unavailable
from trainyard.executors.base import LaunchFailed
from trainyard.executors.kubernetes.api import Api, Object, Refused
from trainyard.executors.kubernetes.creation import refused as explain
from trainyard.executors.kubernetes.manifest import COMPLETE, Manifests
from trainyard.executors.kubernetes.names import TRACE_ID

AGAIN_SECONDS = 2.0
Made = TypeVar("Made")


def send(api: Api, manifests: Manifests, say: Callable[[str], None]) -> Object:
    """The Job as it is now. Blocks while the cluster is away, telling `say`, which may raise to end that. Repeating it
    is harmless: what is there already is ours, by its name. Raises LaunchFailed."""
    name = manifests.job["metadata"]["name"]
    try:
        job = patiently(partial(_make_job, api, manifests.job), say)
        for owned in manifests.owned_by(job["metadata"]["uid"]):
            patiently(partial(_make_owned, api, owned), say)
        if COMPLETE not in job["metadata"].get("annotations", {}):
            job = patiently(lambda: api.patch("Job", name, manifests.resumed), say)
    except Refused as refused:
        with suppress(Refused):  # the first no says why; whatever is there is deleted again when the job is closed
            patiently(lambda: api.delete("Job", name), say)
        raise _launch_failure(refused) from None
    return job


def _make_job(api: Api, built: Object) -> Object:
    """Made now, or before by ourselves: the name follows from job and attempt."""
    try:
        return api.create(built)
    except Refused as refused:
        if refused.status != 409:
            raise
    there = api.get("Job", built["metadata"]["name"])
    if there["metadata"]["labels"].get(TRACE_ID) != built["metadata"]["labels"][TRACE_ID]:
        raise LaunchFailed(
            f"The cluster has a Job {built['metadata']['name']} already, and it belongs to another installation.",
            hint="Give each installation a namespace of its own (TRAINYARD_K8S_NAMESPACE).",
        )
    return there


def _make_owned(api: Api, built: Object) -> None:
    try:
        api.create(built)
    except Refused as refused:
        if refused.status != 409:  # there already: we made it before, for the same Job
            raise


def patiently(call: Callable[[], Made], say: Callable[[str], None]) -> Made:
    """Until the cluster, or the storage, answers; `say` is told of each try, and may raise to end that."""
    while True:
        try:
            return call()
        except Unavailable as away:
            say(str(away))
        time.sleep(AGAIN_SECONDS)


def _launch_failure(refused: Refused) -> LaunchFailed:
    found = explain(str(refused))
    return LaunchFailed(found.message, hint=found.hint, reason=found.reason, evidence=found.evidence)
