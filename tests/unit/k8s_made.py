"""Runs, settings and trainers for tests that build manifests; every secret of theirs holds CANARY."""

from pathlib import Path
from typing import Any

from trainyard.contract.environment import JobFacts, Platform, environment, script_extras
from trainyard.contract.resources import Resources
from trainyard.executors.base import RunId, RunSpec
from trainyard.executors.kubernetes.manifest import Manifests, build
from trainyard.executors.kubernetes.program import Program, read_program, trainer_of
from trainyard.executors.kubernetes.resources import decide
from trainyard.settings import Settings

CANARY = "canary-3f9a"
RUN = RunId("job-20261121-101112-abcd", 1, "f00d")
DIGEST = f"ghcr.io/me/trainer-x@sha256:{'a' * 64}"
TRAINER = """
framework = "x"
title = "X"
resources = { cpu = "500m", memory = "1Gi", shm = "256Mi" }
params.epochs = { type = "int", default = 3 }
tasks.classify = { models = ["a"], default_model = "a", best_metric = "m" }
"""


def settings(folder: Path, **changes: Any) -> Settings:
    """No .env is read, and nothing is written."""
    return Settings(_env_file=None, data_dir=folder / "data", trainers_dir=folder, **changes)  # type: ignore[call-arg]


def trainer(folder: Path, declared: str = "") -> Path:
    """trainer-x in a folder of trainers."""
    made = folder / "trainer-x"
    made.mkdir()
    (made / "trainer.toml").write_text(declared + TRAINER)
    (made / "train.py").write_text("print('한글', 1)\n")
    return made


def variables(**changes: Any) -> dict[str, str]:
    facts: dict[str, Any] = {
        "job_id": RUN.job_id, "trace_id": RUN.trace_id, "attempt": 1, "project_id": "cats", "task": "classify",
        "framework": "x", "model": "a", "dataset_id": "d", "params": {"epochs": 3},
    }  # fmt: skip
    platform = Platform(
        backend_url="http://b:8000", mlflow_url="http://m:5000", storage_type="minio", s3_url="http://s:9000",
        s3_bucket="bucket", heartbeat_seconds=10, sample_count=4, s3_access_key=f"{CANARY}-access",
        s3_secret_key=f"{CANARY}-key", callback_token=f"{CANARY}-token",
    )  # fmt: skip
    job = JobFacts(**facts | changes)
    return environment(job, platform) | script_extras(job, platform)


def spec(run: RunId = RUN, env: dict[str, str] | None = None, script: Path | None = None) -> RunSpec:
    return RunSpec(run, "x", variables() if env is None else env, script)


def built(given: Settings, wanted: RunSpec, *, tier: str = "k8s", url: str = "", **resources: Any) -> Manifests:
    needs = decide(given, "x", trainer_of(given, "x").resources, Resources.model_validate(resources))
    program: Program | None = read_program(given, wanted) if tier == "k8s" else None
    return build(given, wanted, needs, program, url)
