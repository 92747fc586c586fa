"""A job in words: its state with a shape and a colour, its best metric, how long ago."""

import time
from typing import Any

from rich.text import Text

from trainyard.cli.client import Client
from trainyard.cli.console import duration
from trainyard.contract.vocabulary import State

Job = dict[str, Any]

# a shape each, so that nobody needs the colour
_LOOKS = {
    State.PENDING: ("○", "dim"),
    State.QUEUED: ("◔", "yellow"),
    State.RUNNING: ("●", "cyan"),
    State.SUCCEEDED: ("✔", "green"),
    State.FAILED: ("✖", "red"),
    State.CANCELLED: ("■", "magenta"),
}


def state_text(job: Job) -> Text:
    shape, style = _LOOKS[State(job["state"])]
    more = " (cancelling)" if job["cancelling"] else " (stuck)" if job["stuck"] else ""
    return Text(f"{shape} {job['state']}{more}", style)


def is_over(job: Job) -> bool:
    return State(job["state"]).is_terminal


def number(value: float | str) -> str:
    """Four significant digits; what JSON lacks comes spelled out already."""
    return value if isinstance(value, str) else f"{value:.4g}"


class Goals:
    """Which metric counts for which trainer and task, and whether more of it is better."""

    def __init__(self, client: Client) -> None:
        self._manifests = {one["framework"]: one["manifest"] for one in client.get("/v1/trainers")["items"]}

    def metric(self, job: Job) -> str | None:
        support = self._support(job)
        return support["best_metric"] if support else None

    def best(self, job: Job) -> tuple[str, str, int | None] | None:
        """(metric, value, epoch) of a job's best; None where it has not told that metric."""
        support = self._support(job)
        summary = job["metrics"].get(support["best_metric"]) if support else None
        if support is None or summary is None:
            return None
        goal = support["best_goal"]
        return support["best_metric"], number(summary[goal]), summary[f"{goal}_step"]

    def _support(self, job: Job) -> dict[str, Any] | None:
        manifest = self._manifests.get(job["framework"])
        return manifest["tasks"].get(job["task"]) if manifest else None


def epoch(job: Job) -> str:
    return f"{job['epoch']}/{job['epochs']}" if job["epoch"] is not None and job["epochs"] else ""


def seconds_run(job: Job) -> float | None:
    """From its start to its end, or to now."""
    began = job["started_at"] or (job["launched_at"] if is_over(job) else None)
    return None if began is None else max(0.0, (job["finished_at"] or time.time()) - began)


def ago(at: float) -> str:
    return f"{duration(max(1, round(time.time() - at))).replace('.0 s', ' s')} ago"
