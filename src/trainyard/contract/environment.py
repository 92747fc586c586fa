"""The variables a trainer is started with. The table of DESIGN, as code: one function, no I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from trainyard.contract.keys import experiment_name
from trainyard.contract.manifest import Scalar, variable_of

CONTRACT_VERSION = "1"
# never in a pod's description, a log or a plan
SECRET_VARIABLES = frozenset(
    {
        "CALLBACK_TOKEN",
        "MINIO_ACCESS_KEY",
        "MINIO_SECRET_KEY",
        "R2_ACCESS_KEY_ID",
        "R2_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What a job tells its trainer."""

    job_id: str
    trace_id: str
    attempt: int
    project_id: str
    task: str
    framework: str
    model: str
    dataset_id: str
    params: Mapping[str, Scalar]
    resume_from: str = ""
    keep_epochs: int = 0


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the platform is, as this trainer sees it, and the keys it gets."""

    backend_url: str
    mlflow_url: str
    storage_type: str  # minio: any S3-compatible server; r2
    s3_url: str
    s3_bucket: str
    heartbeat_seconds: float
    sample_count: int
    s3_access_key: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    callback_token: str = field(repr=False)


def environment(job: JobFacts, platform: Platform) -> dict[str, str]:
    """Every variable of the contract; secrets among them."""
    variables = {
        "CONTRACT_VERSION": CONTRACT_VERSION,
        "JOB_ID": job.job_id,
        "TRACE_ID": job.trace_id,
        "ATTEMPT": str(job.attempt),
        "PROJECT_ID": job.project_id,
        "BACKEND_BASE_URL": platform.backend_url,
        "CALLBACK_TOKEN": platform.callback_token,
        "TASK_TYPE": job.task,
        "FRAMEWORK": job.framework,
        "MODEL_NAME": job.model,
        "DATASET_ID": job.dataset_id,
        "MLFLOW_TRACKING_URI": platform.mlflow_url,
        "MLFLOW_EXPERIMENT_NAME": experiment_name(job.project_id),
        "HEARTBEAT_SECONDS": f"{platform.heartbeat_seconds:g}",
        "SAMPLE_COUNT": str(platform.sample_count),
    }
    variables |= {variable_of(name): spell(value) for name, value in job.params.items()}
    if job.resume_from:
        variables["RESUME_FROM"] = job.resume_from
    if job.keep_epochs:
        variables["KEEP_EPOCHS"] = str(job.keep_epochs)
    return variables | storage_variables(
        platform.storage_type, platform.s3_url, platform.s3_access_key, platform.s3_secret_key, platform.s3_bucket
    )


def script_extras(job: JobFacts, platform: Platform) -> dict[str, str]:
    """What `train` adds, so that a plain script that knows nothing of trainyard runs unchanged."""
    return {
        "NUM_EPOCHS": spell(job.params.get("epochs", 1)),
        "MLFLOW_S3_ENDPOINT_URL": platform.s3_url,
        "AWS_ACCESS_KEY_ID": platform.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": platform.s3_secret_key,
        "MLFLOW_S3_IGNORE_TLS": "true",
        # MLflow adds these tags to the runs it starts: a plain script's run is found by its job, too
        "MLFLOW_RUN_CONTEXT": json.dumps({"job_id": job.job_id, "trace_id": job.trace_id}),
    }


def storage_variables(storage_type: str, url: str, access_key: str, secret_key: str, bucket: str) -> dict[str, str]:
    """How a trainer, or its predict.py, reaches the store."""
    names = (
        ("R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET")
        if storage_type == "r2"
        else ("MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET")
    )
    return {"STORAGE_TYPE": storage_type, **dict(zip(names, (url, access_key, secret_key, bucket), strict=True))}


def spell(value: Scalar) -> str:
    """A parameter as an environment variable: true and false in lower case, numbers without surprises."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
