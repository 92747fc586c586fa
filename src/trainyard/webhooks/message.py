"""What a webhook is sent, and how it is signed. Pure."""

import base64
import hashlib
import hmac
import json
from typing import Any

from trainyard.jobs.model import Job
from trainyard.webhooks.model import Delivery


def secret_of(signing_key: str, webhook_id: str) -> str:
    """A webhook's own secret. It is kept nowhere: it follows from the installation's signing key."""
    made = hmac.digest(signing_key.encode(), f"webhook {webhook_id}".encode(), "sha256")
    return f"whsec_{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Over time and body, so that an old message can't be sent again as a new one."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def body_of(delivery: Delivery, job: Job | None, metrics: dict[str, dict[str, Any]], base_url: str) -> bytes:
    """JSON; without a job it is a test."""
    told: dict[str, Any] = {"id": delivery.id, "type": event_of(delivery), "at": delivery.created_at}
    if job is not None:
        told["at"] = job.finished_at
        told["job"] = _job(job, base_url) | {"metrics": metrics}
    return json.dumps(told, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def event_of(delivery: Delivery) -> str:
    return "test" if delivery.job_id is None else "job.ended"


def headers_of(delivery: Delivery, secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "trainyard-webhook",
        "X-Trainyard-Event": event_of(delivery),
        "X-Trainyard-Delivery": delivery.id,
        "X-Trainyard-Timestamp": str(timestamp),
        "X-Trainyard-Signature": signature(secret, timestamp, body),
    }


def _job(job: Job, base_url: str) -> dict[str, Any]:
    return {
        "id": job.id,
        "project_id": job.project_id,
        "name": job.name,
        "tags": job.tags,
        "state": job.state,
        "reason": job.reason,
        "message": job.message,
        "framework": job.framework,
        "task": job.task,
        "model": job.model,
        "execution": job.execution,
        "dataset_id": job.dataset_id,
        "epoch": job.epoch,
        "epochs": job.epochs,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "url": f"{base_url}/jobs/{job.id}",
    }
