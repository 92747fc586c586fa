"""Asks MLflow what it knows of a job's run."""

from typing import Any

import httpx2

from trainyard.conformance.evidence import Tracked
from trainyard.contract.keys import experiment_name


def look_up(url: str, project: str, job_id: str) -> Tracked | None:
    """The run with this job's tag or name, or None where there is none."""
    with httpx2.Client(base_url=f"{url}/api/2.0/mlflow/", timeout=20, trust_env=False) as client:
        found = client.get("experiments/get-by-name", params={"experiment_name": experiment_name(project)})
        if found.status_code != 200:
            return None
        experiment = found.json()["experiment"]["experiment_id"]
        for wanted in (f"tags.job_id = '{job_id}'", f"attributes.run_name = 'job-{job_id}'"):
            asked = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1}
            runs: list[dict[str, Any]] = client.post("runs/search", json=asked).json().get("runs", [])
            if runs:
                return _read(client, runs[0])
    return None


def _read(client: httpx2.Client, run: dict[str, Any]) -> Tracked:
    data, run_id = run.get("data", {}), run["info"]["run_id"]
    steps: dict[str, tuple[int, ...]] = {}
    for metric in data.get("metrics", []):
        asked = {"run_id": run_id, "metric_key": metric["key"]}
        history: list[dict[str, Any]] = client.get("metrics/get-history", params=asked).json().get("metrics", [])
        steps[metric["key"]] = tuple(int(one.get("step", 0)) for one in history)
    return Tracked(
        name=run["info"].get("run_name", ""),
        tags={tag["key"]: tag["value"] for tag in data.get("tags", [])},
        params={param["key"]: param["value"] for param in data.get("params", [])},
        metrics=steps,
    )
