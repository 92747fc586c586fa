"""Callbacks accepted a second, beside MLflow's own log-batch, in one run: 1, 8 and 32 clients, five metrics a call.

Both store five metrics a request and answer after the commit; both are asked by the same load generator, in turn.
"""

import json
import tempfile
import time
import urllib.request
from itertools import count
from pathlib import Path
from typing import Any

from bench.load import Result, request, run
from tests.real.backend import wait_for
from tests.real.installation import ROOT, Installation, installation
from trainyard.callbacks.token import Tokens
from trainyard.stack.probe import http_status

SECONDS = 5.0
METRICS = ["train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr"]


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def ours(made: Installation, jobs: list[str], clients: int) -> Result:
    tokens = Tokens(made.settings.jwt_key, 6 * 3600)
    signed = {job: tokens.sign(job, 1) for job in jobs}
    base = int(time.time() * 1000)  # beyond every seq of an earlier round
    counters = {job: count(1) for job in jobs}

    def make(client: int) -> bytes:
        job = jobs[client % len(jobs)]
        number = next(counters[job])
        body = {
            "attempt": 1, "seq": base + number, "phase": "training", "epoch": number, "epochs": 10**9, "progress": 0.5,
            "metrics": dict.fromkeys(METRICS, 0.1234),
        }  # fmt: skip
        return request(
            f"{made.settings.backend_url}/v1/jobs/{job}/heartbeat",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {signed[job]}"},
        )

    return run(made.settings.backend_url, make, clients, SECONDS)


def mlflows(made: Installation, runs: list[str], clients: int) -> Result:
    steps = count(int(time.time() * 1000))

    def make(client: int) -> bytes:
        step, at = next(steps), int(time.time() * 1000)
        metrics = [{"key": name, "value": 0.1234, "timestamp": at, "step": step} for name in METRICS]
        body = json.dumps({"run_id": runs[client % len(runs)], "metrics": metrics}).encode()
        return request(f"{made.settings.tracking_url}/api/2.0/mlflow/runs/log-batch", body, {})

    return run(made.settings.tracking_url, make, clients, SECONDS)


def waiting_jobs(made: Installation, number: int) -> list[str]:
    """Jobs that a terminal never comes for: they only wait, so the trainers' own work is not measured."""
    made.run("datasets", "add", "--sample", "cats-dogs-classes")
    body = {"framework": "sklearn", "dataset_id": "cats-dogs-classes", "attached": True}
    return [json.loads(made.ask("POST", "/v1/jobs", body))["id"] for _ in range(number)]


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ty-bench-") as folder,
        installation(Path(folder), mlflow_url="", trainers_dir=str(ROOT), slots="64") as made,
    ):
        made.run("up", "--detach")
        wait_for("MLflow", lambda: http_status(f"{made.settings.tracking_url}/health") == 200, 180)
        jobs = waiting_jobs(made, 32)
        api = f"{made.settings.tracking_url}/api/2.0/mlflow"
        experiment = post(f"{api}/experiments/create", {"name": "bench"})["experiment_id"]
        runs = [post(f"{api}/runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"] for _ in range(32)]
        ours(made, jobs, 8)  # both warm
        mlflows(made, runs, 1)
        print("clients   trainyard/s  p50 ms  p99 ms    MLflow/s  p50 ms  p99 ms    times")
        for clients in (1, 8, 32):
            a, b = ours(made, jobs, clients), mlflows(made, runs, clients)
            if a.failures or b.failures:
                print(f"   {a.failures} of ours and {b.failures} of MLflow's answers were failures")
            print(
                f"{clients:7}   {a.rate:11,.0f}  {a.percentile(0.5):6.1f}  {a.percentile(0.99):6.1f}"
                f"   {b.rate:9,.0f}  {b.percentile(0.5):6.1f}  {b.percentile(0.99):6.1f}   {a.rate / b.rate:6.0f}"
            )


if __name__ == "__main__":
    main()
