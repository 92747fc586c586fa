"""What became of a job, in a few lines: for the end of `train`, `demo` and `submit --watch`."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from trainyard.cli.client import Client
from trainyard.cli.console import duration
from trainyard.cli.explain import explanation, print_advice
from trainyard.cli.words import Goals, Job, is_over, seconds_run, state_text
from trainyard.contract.vocabulary import State
from trainyard.settings import Settings

TRACEBACK_LINES = 12
LOOKED_THROUGH = 3  # pages of events: the MLflow run is told early


def print_summary(console: Console, client: Client, settings: Settings, job: Job, goals: Goals) -> None:
    ran = seconds_run(job)
    after = f" after {duration(ran)}" if ran is not None and is_over(job) else ""
    console.print(state_text(job), Text(f" {job['id']}{after}"), sep="")
    if job["state"] not in (State.SUCCEEDED, State.RUNNING):
        told = explanation(client, job)
        console.print(f"  [bold]{job['reason'] or ''}[/] {escape(told['what'])}".rstrip())
        for line in _last_words(job) or told["evidence"]:
            console.print(Text(f"  │ {line}", "dim"))
        print_advice(console, told)
    for name, value in _lines(client, settings, job, goals):
        console.print(f"  {name:<10} {escape(value)}")


def _lines(client: Client, settings: Settings, job: Job, goals: Goals) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    if best := goals.best(job):
        metric, value, epoch = best
        lines.append(("best", f"{metric} {value}" + ("" if epoch is None else f" (epoch {epoch})")))
    lines.append(("job", job["url"]))
    if job["mlflow_run_id"]:
        lines.append(("MLflow", mlflow_address(client, job)))
    if job["checkpoint"]:
        lines.append(("checkpoint", f"s3://{settings.s3_bucket}/{job['checkpoint']}"))
    if job["state"] == State.FAILED:
        lines.append(("log", f"trainyard logs {job['id']}"))
    return lines


def _last_words(job: Job) -> list[str]:
    """The end of a failed job's traceback, or of its output where it has none."""
    evidence: dict[str, Any] = job["evidence"]
    told: dict[str, Any] = evidence.get("error") or {}
    text = str(evidence.get("traceback") or told.get("traceback") or evidence.get("tail") or "")
    lines = text.rstrip().splitlines() if job["state"] == State.FAILED else []
    return [*(["…"] if len(lines) > TRACEBACK_LINES else []), *lines[-TRACEBACK_LINES:]]


def mlflow_address(client: Client, job: Job) -> str:
    """The run's page, as far as its experiment is known."""
    base = client.get("/v1/status")["mlflow_url"]
    experiment = _experiment(client, job["id"])
    if experiment is None:
        return f"{base} (run {job['mlflow_run_id']})"
    return f"{base}/#/experiments/{experiment}/runs/{job['mlflow_run_id']}"


def _experiment(client: Client, job_id: str) -> str | None:
    after = 0
    for _ in range(LOOKED_THROUGH):
        page: list[dict[str, Any]] = client.get(f"/v1/jobs/{job_id}/events", after=after, limit=1000)["items"]
        for event in page:
            if event["type"] == "mlflow_run" and event["data"].get("experiment_id"):
                return str(event["data"]["experiment_id"])
        if not page:
            return None
        after = page[-1]["id"]
    return None
