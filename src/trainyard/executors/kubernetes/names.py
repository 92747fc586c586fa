"""Names and labels of a run's objects: the same for the same attempt, valid whatever text they are made from."""

import hashlib
import re

from trainyard.executors.base import RunId

LABEL_LENGTH = 63
JOB_ID = "trainyard/job-id"
TRACE_ID = "trainyard/trace-id"
ATTEMPT = "trainyard/attempt"
MANAGED_BY = {"app.kubernetes.io/managed-by": "trainyard"}
_INDEX_LENGTH = 4  # `-255`: the pods of a Job with replicas have its name and their index as host name
_MARK_LENGTH = 8


def job_name(run: RunId) -> str:
    """The Job's, and of the Service that its pods find each other by. A relaunch is a Job of its own."""
    return _object_name("training", run)


def code_name(run: RunId) -> str:
    return _object_name("training-code", run)


def secret_name(run: RunId) -> str:
    return _object_name("training-secret", run)


def _object_name(prefix: str, run: RunId) -> str:
    attempt = f"-{run.attempt}" if run.attempt > 1 else ""
    room = LABEL_LENGTH - _INDEX_LENGTH - len(prefix) - 1 - len(attempt)
    return f"{prefix}-{_dns_label(run.job_id, room)}{attempt}"


def _dns_label(text: str, room: int) -> str:
    """Ids of ours come out as they went in; of anything else what can stay, and a mark that keeps two texts apart."""
    if len(text) <= room and re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", text):
        return text
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: room - _MARK_LENGTH - 1].strip("-")
    return f"{kept}-{_mark(text)}" if kept else _mark(text)


def label_value(text: str) -> str:
    """A text as a label's value; like names, marked where something of it could not stay."""
    if len(text) <= LABEL_LENGTH and re.fullmatch(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?", text):
        return text
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[: LABEL_LENGTH - _MARK_LENGTH - 1].strip("._-")
    return f"{kept}-{_mark(text)}" if kept else _mark(text)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK_LENGTH]


def labels(run: RunId, framework: str) -> dict[str, str]:
    """On every object of a run, and on its pods."""
    return {
        "app.kubernetes.io/name": label_value(f"trainer-{framework}"),
        "app.kubernetes.io/instance": job_name(run),
        "app.kubernetes.io/component": "training",
        "app.kubernetes.io/part-of": "trainyard",
        **MANAGED_BY,
        **selector(run),
        TRACE_ID: label_value(run.trace_id),
    }


def selector(run: RunId) -> dict[str, str]:
    """What finds one attempt of one job."""
    return {JOB_ID: label_value(run.job_id), ATTEMPT: label_value(str(run.attempt))}
