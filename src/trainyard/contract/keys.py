"""Ids and storage keys: made by the server, checked wherever they come in."""

import re
import secrets
from datetime import UTC, datetime

JOB_ID_PATTERN = r"^(local|dev|job)-\d{8}-\d{6}-[a-z0-9]{4,12}$"
DATASET_ID_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
PROJECT_ID_PATTERN = DATASET_ID_PATTERN
WEIGHTS_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$"
CODE_HASH_PATTERN = r"^[0-9a-f]{64}$"
CHECKPOINT_KIND_PATTERN = r"^(best|last|epoch-[1-9][0-9]{0,8})$"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that reads as something else


def new_job_id(prefix: str, now: datetime | None = None) -> str:
    """`local-20251107-143000-k3f9`: sorts by time, reads aloud, fits a DNS label."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    return f"{prefix}-{stamp}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


def new_trace_id() -> str:
    return secrets.token_hex(8)


def slug(text: str, fallback: str) -> str:
    """`My Cats!` → `my-cats`; the fallback where nothing is left."""
    cut = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
    return cut or fallback


def dataset_key(dataset_id: str) -> str:
    return f"datasets/{dataset_id}.zip"


def checkpoint_prefix(job_id: str) -> str:
    return f"checkpoints/job-{job_id}/"


def checkpoint_key(job_id: str, kind: str) -> str:
    """`kind` is best, last or epoch-{n}."""
    return f"{checkpoint_prefix(job_id)}{kind}.pt"


def sample_prefix(job_id: str) -> str:
    """Below it epoch-{n}/{k}.jpg; epoch 0 holds the pictures as they are, the others what was found drawn on them."""
    return f"samples/job-{job_id}/"


def sample_key(job_id: str, epoch: int, index: int) -> str:
    return f"{sample_prefix(job_id)}epoch-{epoch}/{index}.jpg"


def prediction_prefix(job_id: str, request_id: str) -> str:
    """Pictures on their way to a predictor; removed once it has answered."""
    return f"predictions/job-{job_id}/{request_id}/"


def weights_key(file_name: str) -> str:
    """Pretrained weights that the team put there."""
    return f"weights/{file_name}"


def code_key(bundle_hash: str) -> str:
    """The code that jobs run on a cluster. One object for equal code."""
    return f"code/{bundle_hash}.zip"


def log_key(job_id: str, attempt: int) -> str:
    return f"logs/job-{job_id}/attempt-{attempt}.log"


def receipt_mark(trace_id: str) -> str:
    """What the last line on stdout begins with; the JSON of `Done` follows."""
    return f"[TRACE:{trace_id}] DONE "


def experiment_name(project_id: str) -> str:
    return f"project-{project_id}"
